// A Watch by one uv_poll of the source's own descriptor: one callback per batch, and registrations
// that change meanwhile are seen by the kernel itself. uv_poll_init

#include "addon/watch.h"

namespace io_selectors {

namespace {

class NestedWatch final : public Watch {
 public:
  NestedWatch(napi_env env, HostedSource& source) : Watch(env, source) {}

  Result<void> Open(napi_env env, uv_loop_t* loop) {
    const int refused = uv_poll_init(loop, &poll_, source_.fileno());
    if (refused != 0) return Error{-refused, "uv_poll_init"};
    Opened(env);
    return {};
  }

 private:
  uv_handle_t* handle() override { return reinterpret_cast<uv_handle_t*>(&poll_); }

  Result<void> Arm() override {
    source_.PrepareToBeWatched();
    renewals_ = source_.renewals();
    const auto fire = [](uv_poll_t* poll, int /*status*/, int /*events*/) {
      static_cast<NestedWatch*>(poll->data)->Fire(true);
    };
    const int refused = uv_poll_start(&poll_, UV_READABLE, fire);
    if (refused != 0) return Error{-refused, "uv_poll_start"};
    return {};
  }

  void Disarm() override { uv_poll_stop(&poll_); }

  void OnChanged() override { source_.PrepareToBeWatched(); }

  void OnLooked() override {
    if (renewals_ == source_.renewals()) return source_.PrepareToBeWatched();
    // The kernel has forgotten the old file, and libuv has to take in the new one.
    Pause();
    Resume();
  }

  uv_poll_t poll_{};
  int32_t renewals_ = 0;
};

}  // namespace

Result<Watch*> MakeNestedWatch(napi_env env, uv_loop_t* loop, HostedSource& source) {
  auto* watch = new NestedWatch(env, source);
  const Result<void> opened = watch->Open(env, loop);
  if (opened.ok()) return static_cast<Watch*>(watch);
  delete watch;
  return opened.error();
}

}  // namespace io_selectors
