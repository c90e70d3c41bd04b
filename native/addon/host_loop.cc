#include "addon/host_loop.h"

#include "core/selector.h"
#include "core/timeout.h"

#ifdef __linux__
#include <sys/epoll.h>
#else
#include <sys/event.h>
#include <sys/time.h>
#include <sys/types.h>
#endif

namespace io_selectors {

#ifdef __linux__

namespace {

Result<void> Watch(int set, int operation, int fd, bool level) {
  epoll_event event{};
  event.events = EPOLLIN | (level ? 0u : static_cast<uint32_t>(EPOLLET));
  if (epoll_ctl(set, operation, fd, &event) < 0) return LastError("epoll_ctl");
  return {};
}

}  // namespace

Result<HostLoop> HostLoop::Make(uv_loop_t* loop) {
  HostLoop host;
  host.loop_ = loop;
  host.set_.Reset(epoll_create1(EPOLL_CLOEXEC));
  if (!host.set_.valid()) return LastError("epoll_create1");
  const Result<void> watched = Watch(host.set_.get(), EPOLL_CTL_ADD, uv_backend_fd(loop), false);
  if (!watched.ok()) return watched.error();
  return host;
}

Result<void> HostLoop::SetLevel(bool level) {
  if (level == level_) return {};
  level_ = level;
  return Watch(set_.get(), EPOLL_CTL_MOD, uv_backend_fd(loop_), level);
}

bool HostLoop::Drain() {
  epoll_event event{};
  return epoll_wait(set_.get(), &event, 1, 0) > 0;
}

#else  // kqueue(2): the same set, EV_CLEAR for edge

namespace {

Result<void> Watch(int set, int fd, bool level) {
  struct kevent change;
  EV_SET(&change, fd, EVFILT_READ, EV_ADD | (level ? 0 : EV_CLEAR), 0, 0, nullptr);
  if (kevent(set, &change, 1, nullptr, 0, nullptr) < 0) return LastError("kevent");
  return {};
}

}  // namespace

Result<HostLoop> HostLoop::Make(uv_loop_t* loop) {
  HostLoop host;
  host.loop_ = loop;
  host.set_.Reset(kqueue());
  if (!host.set_.valid()) return LastError("kqueue");
  const Result<void> watched = Watch(host.set_.get(), uv_backend_fd(loop), false);
  if (!watched.ok()) return watched.error();
  return host;
}

Result<void> HostLoop::SetLevel(bool level) {
  if (level == level_) return {};
  level_ = level;
  struct kevent change;
  EV_SET(&change, uv_backend_fd(loop_), EVFILT_READ, EV_DELETE, 0, 0, nullptr);
  if (kevent(set_.get(), &change, 1, nullptr, 0, nullptr) < 0) return LastError("kevent");
  return Watch(set_.get(), uv_backend_fd(loop_), level);
}

bool HostLoop::Drain() {
  struct kevent event;
  const timespec now{0, 0};
  return kevent(set_.get(), nullptr, 0, &event, 1, &now) > 0;
}

#endif

int64_t HostLoop::NextTurnNs() const {
  // The loop's clock stands still between its turns, and the timeout is reckoned from it.
  uv_update_time(loop_);
  // 0 also where a new descriptor waits to be handed to the kernel, which happens in a turn only.
  const int timeout_ms = uv_backend_timeout(loop_);
  return timeout_ms < 0 ? kForever : timeout_ms * kNsPerMs;
}

}  // namespace io_selectors
