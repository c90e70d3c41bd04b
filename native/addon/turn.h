// Turn: one pass of Node's event loop, awaited from TypeScript as a promise. For Reactor.run, which
// blocks in its own wait and lets Node have the thread whenever Node has something to do.
// Enters: Next(). Leaves: a promise that Node's loop resolves in its next poll phase. uv_async_init
#pragma once

#include <node_api.h>
#include <uv.h>

#include <cstdint>

#include "addon/pending.h"

namespace io_selectors {

/**
 * Resolved by an async handle of the loop rather than by setImmediate: whoever continues inside an
 * immediate finds the loop's idle handle still active, and uv_backend_timeout() is 0 for as long as
 * it is.
 */
class Turn {
 public:
  /** Lives until its environment's asynchronous clean-up has closed the handle; frees itself. */
  static Turn* Make(napi_env env, uv_loop_t* loop);

  /** @returns a promise, nullptr where the environment is ending. */
  napi_value Next();

  /**
   * Keeps the loop alive while `held`: one that is not has a uv_backend_timeout() of 0, whatever
   * its timers say.
   */
  void Hold(bool held);

  /** When Node's loop had the thread last (CLOCK_MONOTONIC, nanoseconds); 0: never yet. */
  int64_t last_ns() const { return last_ns_; }

 private:
  explicit Turn(napi_env env) : pending_(env, "io_selectors:turn") {}

  static void OnAsync(uv_async_t* handle);
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data);

  Pending pending_;
  uv_async_t async_{};
  napi_async_cleanup_hook_handle hook_ = nullptr;
  int holders_ = 0;
  int64_t last_ns_ = 0;
};

}  // namespace io_selectors
