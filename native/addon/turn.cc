#include "addon/turn.h"

#include <utility>

#include "addon/hosted_run.h"

namespace io_selectors {

Turn* Turn::Make(napi_env env, uv_loop_t* loop) {
  auto* turn = new Turn();
  turn->async_.data = turn;
  if (uv_async_init(loop, &turn->async_, OnAsync) != 0) {
    delete turn;
    return nullptr;
  }
  uv_unref(reinterpret_cast<uv_handle_t*>(&turn->async_));
  // An open handle when a worker's environment ends aborts the process: its closing is waited for.
  napi_add_async_cleanup_hook(env, OnEnvironmentEnd, turn, &turn->hook_);
  return turn;
}

Turn::~Turn() = default;

void Turn::Ask(std::unique_ptr<HostedRun> run) {
  asked_.push_back(std::move(run));
  uv_async_send(&async_);
}

void Turn::Hold(bool held) {
  holders_ += held ? 1 : -1;
  auto* handle = reinterpret_cast<uv_handle_t*>(&async_);
  if (holders_ > 0) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Turn::OnAsync(uv_async_t* handle) {
  auto* turn = static_cast<Turn*>(handle->data);
  std::vector<std::unique_ptr<HostedRun>> runs = std::exchange(turn->asked_, {});
  for (std::unique_ptr<HostedRun>& run : runs) HostedRun::GoOn(std::move(run));
}

void Turn::OnEnvironmentEnd(napi_async_cleanup_hook_handle /*hook*/, void* data) {
  auto* turn = static_cast<Turn*>(data);
  uv_close(reinterpret_cast<uv_handle_t*>(&turn->async_), [](uv_handle_t* handle) {
    auto* closed = static_cast<Turn*>(handle->data);
    const napi_async_cleanup_hook_handle hook = closed->hook_;
    delete closed;
    napi_remove_async_cleanup_hook(hook);  // last: it may be what keeps the environment
  });
}

}  // namespace io_selectors
