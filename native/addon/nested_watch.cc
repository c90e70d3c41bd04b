// A Watch by one uv_poll of the backend's own descriptor: one callback a batch, and registrations
// that change meanwhile are seen by the kernel itself. uv_poll_init

#include "addon/watch.h"

namespace io_selectors {

namespace {

class NestedWatch final : public Watch {
 public:
  NestedWatch(napi_env env, Selector& selector) : Watch(env, selector) {}

  bool Open(napi_env env, uv_loop_t* loop) {
    if (uv_poll_init(loop, &poll_, selector_.fileno()) != 0) return false;
    Opened(env);
    return true;
  }

  void Changed() override { selector_.PrepareToBeWatched(); }

  /** What io_uring has told once must be asked for again, and epoll may have made its set anew:
   * libuv has to take it in again. */
  void Looked() override {
    Pause();
    Resume();
  }

 private:
  uv_handle_t* handle() override { return reinterpret_cast<uv_handle_t*>(&poll_); }

  bool Arm() override {
    selector_.PrepareToBeWatched();
    return uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int /*status*/, int /*events*/) {
             static_cast<NestedWatch*>(poll->data)->Fire();
           }) == 0;
  }

  void Disarm() override { uv_poll_stop(&poll_); }

  uv_poll_t poll_{};
};

}  // namespace

Watch* MakeNestedWatch(napi_env env, uv_loop_t* loop, Selector& selector) {
  auto* watch = new NestedWatch(env, selector);
  if (watch->Open(env, loop)) return watch;
  delete watch;
  return nullptr;
}

}  // namespace io_selectors
