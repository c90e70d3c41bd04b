#include "addon/watch.h"

namespace io_selectors {

Result<void> Watch::Make(napi_env env, uv_loop_t* loop, Selector& selector, Watch** owner) {
  Watch* watch = selector.fileno() >= 0 ? MakeNestedWatch(env, loop, selector)
                                        : MakeThreadWatch(env, loop, selector);
  if (watch == nullptr) return LastError("uv_poll_init");
  watch->owner_ = owner;
  *owner = watch;
  return {};
}

void Watch::Opened(napi_env env) {
  handle()->data = this;
  ApplyRef();
  // An open handle when a worker's environment ends aborts the process: its closing is waited for.
  napi_add_async_cleanup_hook(
      env,
      [](napi_async_cleanup_hook_handle /*hook*/, void* data) {
        auto* watch = static_cast<Watch*>(data);
        // JavaScript is over: its promises stay as they are. Closed already: that will end it.
        if (watch->owner_ == nullptr) return;
        if (watch->armed_) watch->Disarm();
        watch->CloseHandle();
      },
      this, &hook_);
}

napi_value Watch::Next() {
  if (!armed_) {
    if (!Arm()) return nullptr;
    armed_ = true;
    ApplyRef();
  }
  return pending_.Next();
}

void Watch::Pause() {
  if (!armed_) return;
  Disarm();
  armed_ = false;
  paused_ = true;
}

void Watch::Resume() {
  if (!paused_) return;
  paused_ = false;
  armed_ = Arm();
  if (!armed_) pending_.ResolveAllInCall();  // whoever waits looks for himself, and meets the error
}

void Watch::Fire() {
  Disarm();
  armed_ = false;
  ApplyRef();
  pending_.ResolveAll();
}

void Watch::Cancel() {
  if (armed_) Disarm();
  armed_ = false;
  ApplyRef();
  pending_.ResolveAllInCall();
}

void Watch::SetRef(bool on) {
  keeps_alive_ = on;
  ApplyRef();
}

void Watch::ApplyRef() {
  if (armed_ && keeps_alive_) {
    uv_ref(handle());
  } else {
    uv_unref(handle());
  }
}

void Watch::Close() {
  Cancel();
  CloseHandle();
}

void Watch::CloseHandle() {
  *owner_ = nullptr;
  owner_ = nullptr;
  End();
  uv_close(handle(), [](uv_handle_t* handle) {
    auto* watch = static_cast<Watch*>(handle->data);
    const napi_async_cleanup_hook_handle hook = watch->hook_;
    delete watch;
    napi_remove_async_cleanup_hook(hook);  // last: it may be what keeps the environment
  });
}

}  // namespace io_selectors
