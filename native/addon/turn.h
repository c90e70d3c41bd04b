// Turn: how a HostedRun gives Node's event loop the thread, and gets it back. Enters: Ask().
// Leaves: HostedRun::GoOn() in the loop's next poll phase. uv_async_init
#pragma once

#include <node_api.h>
#include <uv.h>

#include <memory>
#include <vector>

namespace io_selectors {

class HostedRun;

/**
 * An async handle of the loop rather than setImmediate: whoever goes on inside an immediate finds
 * the loop's idle handle still active, and uv_backend_timeout() is 0 for as long as it is.
 */
class Turn {
 public:
  /** Lives until its environment's asynchronous clean-up has closed the handle; frees itself. */
  static Turn* Make(napi_env env, uv_loop_t* loop);

  /** The run goes on once the loop has had the thread. */
  void Ask(std::unique_ptr<HostedRun> run);

  /**
   * Keeps the loop alive while `held`: one that is not has a uv_backend_timeout() of 0, whatever
   * its timers say.
   */
  void Hold(bool held);

 private:
  Turn() = default;
  ~Turn();

  static void OnAsync(uv_async_t* handle);
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data);

  std::vector<std::unique_ptr<HostedRun>> asked_;
  uv_async_t async_{};
  napi_async_cleanup_hook_handle hook_ = nullptr;
  int holders_ = 0;
};

}  // namespace io_selectors
