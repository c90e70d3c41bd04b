// A Watch by one uv_poll of the source's own descriptor: one callback per batch, and registrations
// that change meanwhile are seen by the kernel itself. uv_poll_init

#ifdef __linux__
#include <sys/epoll.h>
#endif

#include <cerrno>

#include "addon/environment.h"
#include "addon/watch.h"

namespace io_selectors {

namespace {

class NestedWatch final : public Watch {
 public:
  NestedWatch(napi_env env, Environment& environment, HostedSource& source)
      : Watch(env, environment, source) {}

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
    const auto fire = [](uv_poll_t* poll, int /*status*/, int /*events*/) {
      static_cast<NestedWatch*>(poll->data)->Fire(true);
    };
    const int refused = uv_poll_start(&poll_, UV_READABLE, fire);
    if (refused != 0) return Error{-refused, "uv_poll_start"};
    is_added_ = false;
    if (!sets_may_nest && !environment_.WatchesHost()) return {};
    const Result<void> added = AddAtOnce();
    if (!added.ok()) uv_poll_stop(&poll_);
    return added;
  }

#ifdef __linux__
  /**
   * libuv adds the descriptor later, when it polls, and aborts the process if that is refused: for
   * a circle of sets that contain each other, or too many of them in a row (epoll_ctl(2): ELOOP).
   * Added here, it is there already (EEXIST), for which libuv modifies it. The kernel looks for
   * circles twice then, at a cost that grows with what the source watches; so this is done only if
   * the descriptor of a selector is known to the program, or if another source watches Node's
   * loop; and before the first of either.
   */
  Result<void> AddAtOnce() {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = source_.fileno();
    const int refused =
        epoll_ctl(uv_backend_fd(poll_.loop), EPOLL_CTL_ADD, source_.fileno(), &event);
    if (refused < 0 && errno != EEXIST) return LastError("epoll_ctl");
    is_added_ = true;
    return {};
  }
#else
  Result<void> AddAtOnce() { return {}; }
#endif

  void AddNow() override {
    if (!is_added_) (void)AddAtOnce().ok();  // refused: what it contains watches the loop already
  }

  void Disarm() override { uv_poll_stop(&poll_); }

  void OnChanged() override { source_.PrepareToBeWatched(); }

  uv_poll_t poll_{};
  bool is_added_ = false;  // by AddAtOnce()
};

}  // namespace

Result<Watch*> MakeNestedWatch(napi_env env, Environment& environment, HostedSource& source) {
  auto* watch = new NestedWatch(env, environment, source);
  const Result<void> opened = watch->Open(env, environment.loop);
  if (opened.ok()) return static_cast<Watch*>(watch);
  delete watch;
  return opened.error();
}

}  // namespace io_selectors
