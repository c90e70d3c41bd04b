#include "addon/watch.h"

#include <cerrno>
#include <utility>

#include "addon/environment.h"
#include "addon/hosted_run.h"

namespace io_selectors {

namespace {

/** epoll_ctl(2): a circle of sets that contain each other, or more than five of them in a row. */
bool IsCircle(const Result<void>& armed) {
  return !armed.ok() && armed.error().errno_value == ELOOP;
}

}  // namespace

void HostedSource::Detach() {
  if (run != nullptr) run->SourceClosed();
  if (watch != nullptr) watch->Close();
}

Result<Watch*> Watch::Of(napi_env env, Environment& environment, HostedSource& source) {
  if (source.watch != nullptr) return source.watch;
  // First, because uv_poll_init tries the descriptor, and the circle would be refused.
  environment.LeaveHost();
  Result<Watch*> made = source.fileno() >= 0 ? MakeNestedWatch(env, environment, source)
                                             : MakeThreadWatch(env, environment, source);
  // A queue that cannot be nested can still be polled.
  if (!made.ok() && source.fileno() >= 0) made = MakeThreadWatch(env, environment, source);
  if (made.ok()) source.watch = made.value();
  return made;
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
        if (watch->closed_) return;
        if (watch->armed_) watch->Disarm();
        watch->CloseHandle();
      },
      this, &hook_);
}

Result<napi_value> Watch::Next() {
  napi_value promise = pending_.Next();
  if (promise == nullptr) return Error{EIO, "napi_create_promise"};
  if (armed_) Looked();  // by a promise job of Fire(), when nothing waited
  const Result<void> armed = ArmIfWanted();
  if (armed.ok()) return promise;
  pending_.ResolveAllInCall();
  return armed.error();
}

Result<void> Watch::Listen(bool* fired) {
  fired_ = fired;
  if (fired == nullptr) {
    DisarmIfUnwanted();
    return {};
  }
  const Result<void> armed = ArmIfWanted();
  if (!armed.ok()) fired_ = nullptr;
  return armed;
}

Result<void> Watch::ArmIfWanted() {
  if (armed_ || paused_ || !is_wanted()) return {};
  source_.wake_set.LeaveHost();
  renewals_ = source_.renewals();
  Result<void> armed = Arm();
  if (IsCircle(armed)) {
    // It contains a source that watches Node's loop: from the last wait on that.
    environment_.LeaveHost();
    armed = Arm();
  }
  if (IsCircle(armed)) return BecomeThread();
  armed_ = armed.ok();
  ApplyRef();
  return armed;
}

Result<void> Watch::BecomeThread() {
  const Result<Watch*> made = MakeThreadWatch(pending_.env(), environment_, source_);
  if (!made.ok()) return made.error();
  Watch& thread = *made.value();
  thread.pending_.TakeOver(pending_);
  thread.fired_ = std::exchange(fired_, nullptr);
  CloseHandle();
  source_.watch = &thread;
  return thread.ArmIfWanted();
}

void Watch::DisarmIfUnwanted() {
  if (closed_) return;
  if (armed_ && !is_wanted()) {
    Disarm();
    armed_ = false;
  }
  ApplyRef();
}

bool Watch::Pause() {
  if (paused_) return false;
  if (armed_) Disarm();
  armed_ = false;
  paused_ = true;
  return true;
}

void Watch::Resume() {
  paused_ = false;
  if (ArmIfWanted().ok()) return;
  // Those that wait look for themselves, and meet the error.
  if (fired_ != nullptr) *fired_ = true;
  pending_.ResolveAllInCall();
}

void Watch::Fire(bool persists) {
  armed_ = armed_ && persists;
  if (fired_ != nullptr) *fired_ = true;
  // What waited may wait again or close the source.
  if (is_waited_for()) pending_.ResolveAll();
  DisarmIfUnwanted();
}

void Watch::Looked() {
  if (armed_ && renewals_ == source_.renewals()) return source_.PrepareToBeWatched();
  // The kernel has forgotten a renewed file, and Node's loop has to take in the new one.
  if (armed_) {
    Pause();
  } else if (paused_) {
    return;
  }
  Resume();
}

void Watch::Cancel() {
  pending_.ResolveAllInCall();
  DisarmIfUnwanted();
}

void Watch::ApplyRef() {
  if (armed_ && source_.keeps_alive) {
    uv_ref(handle());
  } else {
    uv_unref(handle());
  }
}

void Watch::Close() {
  fired_ = nullptr;
  Cancel();
  CloseHandle();
}

void Watch::CloseHandle() {
  closed_ = true;
  source_.watch = nullptr;
  End();
  uv_close(handle(), [](uv_handle_t* handle) {
    auto* watch = static_cast<Watch*>(handle->data);
    const napi_async_cleanup_hook_handle hook = watch->hook_;
    delete watch;
    napi_remove_async_cleanup_hook(hook);  // last: it may be what keeps the environment
  });
}

}  // namespace io_selectors
