// HostedRun: one Reactor.run(). It waits on a selector inside a callback of Node's event loop and
// calls TypeScript after each wait as Node calls it for its own events, so that ticks, promise jobs
// and unhandled rejections are served there and then; what else Node has to do ends the wait.
// Enters: a selector's id, two functions. Leaves: their calls, the last of which says how it ended.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>

#include "core/result.h"

namespace io_selectors {

struct Environment;
struct OpenSelector;

class HostedRun {
 public:
  /**
   * Begins in the loop's next poll phase.
   * @param turn called with the number of ready events; answers how many milliseconds the next wait
   *   may last, below 0 for ever.
   * @param over called once, at the end, with 0 or -errno.
   */
  static Result<void> Start(napi_env env, Environment& environment, int32_t id, napi_value turn,
                            napi_value over);

  HostedRun(const HostedRun&) = delete;
  HostedRun& operator=(const HostedRun&) = delete;

  /** Waits and calls until Node wants the thread, and then asks for it back, or until the end. */
  static void GoOn(std::unique_ptr<HostedRun> run);

 private:
  enum class State { kGoesOn, kYields, kOver };

  HostedRun(napi_env env, Environment& environment, int32_t id);

  /** One wait and the turn after it. */
  State Step();
  /** Waits. @returns the number of ready events. */
  Result<int> Wait(OpenSelector& open, bool* yields);
  State Over(int32_t answer);
  /** @returns whether there is an answer, in `answer`. */
  bool Call(napi_ref function, int32_t argument, double* answer);
  /** Undoes what Start did to the selector and the loop. */
  void Release();

  napi_env env_;
  Environment& environment_;
  int32_t id_;
  napi_ref turn_ = nullptr;
  napi_ref over_ = nullptr;
  napi_async_context context_ = nullptr;
  int64_t timeout_ns_ = 0;
};

}  // namespace io_selectors
