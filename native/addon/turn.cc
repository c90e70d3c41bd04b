#include "addon/turn.h"

#include <utility>

#include "core/timeout.h"

namespace io_selectors {

Turn* Turn::Make(napi_env env, uv_loop_t* loop) {
  auto* turn = new Turn(env);
  turn->async_.data = turn;
  if (uv_async_init(loop, &turn->async_, OnAsync) != 0) {
    delete turn;
    return nullptr;
  }
  uv_unref(reinterpret_cast<uv_handle_t*>(&turn->async_));
  napi_value name = nullptr;
  napi_create_string_utf8(env, "io_selectors:turn", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, nullptr, name, &turn->context_);
  // An open handle when a worker's environment ends aborts the process, so its closing is waited
  // for.
  napi_add_async_cleanup_hook(env, OnEnvironmentEnd, turn, &turn->hook_);
  return turn;
}

napi_value Turn::Next() {
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  if (napi_create_promise(env_, &deferred, &promise) != napi_ok) return nullptr;
  waiting_.push_back(deferred);
  Hold(true);
  uv_async_send(&async_);
  return promise;
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

void Turn::OnAsync(uv_async_t* handle) { static_cast<Turn*>(handle->data)->ResolveAll(); }

void Turn::ResolveAll() {
  if (waiting_.empty()) return;
  last_ns_ = MonotonicNs();
  const std::vector<napi_deferred> waiting = std::exchange(waiting_, {});
  for (size_t i = 0; i < waiting.size(); ++i) Hold(false);
  napi_handle_scope handles = nullptr;
  napi_callback_scope callbacks = nullptr;
  if (napi_open_handle_scope(env_, &handles) != napi_ok) return;
  napi_value nothing = nullptr;
  napi_get_undefined(env_, &nothing);
  if (napi_open_callback_scope(env_, nothing, context_, &callbacks) == napi_ok) {
    for (const napi_deferred deferred : waiting) napi_resolve_deferred(env_, deferred, nothing);
    // Ticks and promise jobs run here, and among them whoever awaited the turn.
    napi_close_callback_scope(env_, callbacks);
  }
  napi_close_handle_scope(env_, handles);
}

void Turn::OnEnvironmentEnd(napi_async_cleanup_hook_handle /*hook*/, void* data) {
  auto* turn = static_cast<Turn*>(data);
  uv_close(reinterpret_cast<uv_handle_t*>(&turn->async_), [](uv_handle_t* handle) {
    auto* closed = static_cast<Turn*>(handle->data);
    napi_remove_async_cleanup_hook(closed->hook_);
    delete closed;
  });
}

}  // namespace io_selectors
