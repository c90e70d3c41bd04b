// OpenEngine: an Engine for TypeScript. Node's event loop watches its descriptor, and each pass of
// the loop serves its turns before it waits, so that what any callback has written leaves there.
#pragma once

#include <node_api.h>
#include <uv.h>

#include <cstdint>
#include <memory>

#include "proactor/engine.h"

namespace io_selectors {

/** Bytes that TypeScript sees as an ArrayBuffer, which may outlive the engine. */
using Inbound = std::shared_ptr<uint8_t[]>;

class OpenEngine {
 public:
  /** Opens the handles of Node's loop. @param turn called with the number of completions. */
  static Result<OpenEngine*> Make(napi_env env, uv_loop_t* loop, std::unique_ptr<Engine> engine,
                                  Inbound inbound);

  OpenEngine(const OpenEngine&) = delete;
  OpenEngine& operator=(const OpenEngine&) = delete;

  Engine& engine() { return *engine_; }
  const Inbound& inbound() const { return inbound_; }

  void SetTurn(napi_value turn);
  /** Whether its open connections keep the process alive. */
  void SetRef(bool on);
  /** Closes every descriptor, then the handles, and frees itself. */
  void Close();

 private:
  OpenEngine(napi_env env, std::unique_ptr<Engine> engine, Inbound inbound)
      : env_(env), engine_(std::move(engine)), inbound_(std::move(inbound)) {}
  ~OpenEngine() = default;

  void Serve();
  void Call(int count);
  void OnHandleClosed();

  napi_env env_;
  std::unique_ptr<Engine> engine_;
  Inbound inbound_;
  napi_ref turn_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  uv_poll_t poll_{};
  uv_prepare_t prepare_{};
  uv_idle_t more_{};
  uv_timer_t due_{};
  int handles_ = 0;
  bool ready_ = false;
  bool closed_ = false;
};

}  // namespace io_selectors
