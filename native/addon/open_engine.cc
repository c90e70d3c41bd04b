#include "addon/open_engine.h"

#include <algorithm>

#include "core/timeout.h"

namespace io_selectors {

namespace {

/** Turns that a pass of the loop serves before Node's other events have theirs. */
constexpr int kTurnsPerPass = 16;

}  // namespace

Result<OpenEngine*> OpenEngine::Make(napi_env env, uv_loop_t* loop, std::unique_ptr<Engine> engine,
                                     Inbound inbound) {
  auto* open = new OpenEngine(env, std::move(engine), std::move(inbound));
  if (uv_poll_init(loop, &open->poll_, open->engine_->fileno()) != 0) {
    delete open;
    return LastError("uv_poll_init");
  }
  uv_prepare_init(loop, &open->prepare_);
  uv_idle_init(loop, &open->more_);
  uv_timer_init(loop, &open->due_);
  open->handles_ = 4;
  open->poll_.data = open->prepare_.data = open->more_.data = open->due_.data = open;
  napi_value name = nullptr;
  napi_create_string_utf8(env, "io_selectors:connections", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, nullptr, name, &open->context_);
  napi_add_async_cleanup_hook(
      env,
      [](napi_async_cleanup_hook_handle /*hook*/, void* data) {
        static_cast<OpenEngine*>(data)->Close();
      },
      open, &open->hook_);
  const auto on_ready = [](uv_poll_t* handle, int /*status*/, int /*events*/) {
    static_cast<OpenEngine*>(handle->data)->ready_ = true;
  };
  const auto serve = [](uv_prepare_t* handle) { static_cast<OpenEngine*>(handle->data)->Serve(); };
  uv_poll_start(&open->poll_, UV_READABLE, on_ready);
  uv_prepare_start(&open->prepare_, serve);
  uv_unref(reinterpret_cast<uv_handle_t*>(&open->poll_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&open->prepare_));
  return open;
}

void OpenEngine::SetTurn(napi_value turn) { napi_create_reference(env_, turn, 1, &turn_); }

void OpenEngine::SetRef(bool on) {
  auto* handle = reinterpret_cast<uv_handle_t*>(&poll_);
  if (on) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void OpenEngine::Serve() {
  int left = kTurnsPerPass;
  for (; left > 0 && !closed_; --left) {
    const Result<int> count = engine_->Turn(0);
    if (!count.ok() || count.value() == 0) break;
    Call(count.value());
  }
  ready_ = false;
  if (closed_) return;
  if (left == 0) {
    uv_idle_start(&more_, [](uv_idle_t* handle) { uv_idle_stop(handle); });
  }
  const int64_t due_ns = engine_->UntilDueNs();
  if (due_ns < 0) {
    uv_timer_stop(&due_);
    return;
  }
  uv_timer_start(&due_, [](uv_timer_t*) {}, static_cast<uint64_t>(ToMilliseconds(due_ns)), 0);
  uv_unref(reinterpret_cast<uv_handle_t*>(&due_));
}

void OpenEngine::Call(int count) {
  napi_handle_scope scope = nullptr;
  napi_open_handle_scope(env_, &scope);
  napi_value receiver = nullptr;
  napi_value turn = nullptr;
  napi_value value = nullptr;
  napi_get_global(env_, &receiver);
  napi_get_reference_value(env_, turn_, &turn);
  napi_create_int32(env_, count, &value);
  const napi_status status = napi_make_callback(env_, context_, receiver, turn, 1, &value, nullptr);
  if (status == napi_pending_exception) {
    napi_get_and_clear_last_exception(env_, &value);
    napi_fatal_exception(env_, value);
  }
  napi_close_handle_scope(env_, scope);
}

void OpenEngine::Close() {
  if (closed_) return;
  closed_ = true;
  engine_->CloseAll();
  const auto closed = [](uv_handle_t* handle) {
    static_cast<OpenEngine*>(handle->data)->OnHandleClosed();
  };
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&prepare_), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&more_), closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&due_), closed);
}

void OpenEngine::OnHandleClosed() {
  if (--handles_ > 0) return;
  const napi_async_cleanup_hook_handle hook = hook_;
  delete this;
  napi_remove_async_cleanup_hook(hook);  // last: it may be what keeps the environment
}

}  // namespace io_selectors
