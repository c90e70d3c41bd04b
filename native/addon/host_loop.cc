#include "addon/host_loop.h"

#include <algorithm>

#include "core/selector.h"
#include "core/timeout.h"

#ifdef __linux__
#include <sys/epoll.h>
#include <sys/timerfd.h>
#else
#include <sys/event.h>
#include <sys/time.h>
#include <sys/types.h>
#endif

namespace io_selectors {

namespace {

/** Node's loop, the waker and the timer: no more can be in the set. */
constexpr int kMostEvents = 3;

}  // namespace

#ifdef __linux__

Result<HostLoop> HostLoop::Make(uv_loop_t* loop, int waker_fd) {
  HostLoop host;
  host.loop_ = loop;
  host.waker_fd_ = waker_fd;
  host.set_.Reset(epoll_create1(EPOLL_CLOEXEC));
  if (!host.set_.valid()) return LastError("epoll_create1");
  host.timer_.Reset(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!host.timer_.valid()) return LastError("timerfd_create");
  // Edge-triggered, so that neither need be read: each expiry and each wake is reported once.
  for (const int fd : {host.timer_.get(), waker_fd}) {
    const Result<void> watched = host.Watch(fd, Hosting::kEdge);
    if (!watched.ok()) return watched.error();
  }
  const Result<void> hosted = host.SetHosting(Hosting::kEdge);
  if (!hosted.ok()) return hosted.error();
  return host;
}

Result<void> HostLoop::Watch(int fd, Hosting hosting) {
  epoll_event event{};
  event.events = EPOLLIN | (hosting == Hosting::kLevel ? 0u : static_cast<uint32_t>(EPOLLET));
  event.data.fd = fd;
  const int operation = hosting == Hosting::kApart ? EPOLL_CTL_DEL : EPOLL_CTL_ADD;
  if (epoll_ctl(set_.get(), operation, fd, &event) < 0) return LastError("epoll_ctl");
  return {};
}

Result<void> HostLoop::SetTimer(int64_t monotonic_ns) {
  itimerspec due{};
  due.it_value = ToTimespec(monotonic_ns);
  if (timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &due, nullptr) < 0) {
    return LastError("timerfd_settime");
  }
  return {};
}

HostLoop::Ready HostLoop::Drain() {
  epoll_event events[kMostEvents];
  const int count = epoll_wait(set_.get(), events, kMostEvents, 0);
  Ready ready;
  for (int i = 0; i < count; ++i) {
    if (events[i].data.fd == timer_.get()) {
      wakes_at_ns_ = 0;
    } else if (events[i].data.fd == waker_fd_) {
      ready.waker = true;
    } else {
      ready.host = true;
    }
  }
  return ready;
}

#else  // kqueue(2): the same set, with EV_CLEAR for edge and a timer of its own

namespace {

constexpr uintptr_t kTimerIdent = 1;

Result<void> Apply(int set, uintptr_t ident, int filter, int flags, int64_t data) {
  struct kevent change;
  EV_SET(&change, ident, static_cast<int16_t>(filter), static_cast<uint16_t>(flags), 0, data,
         nullptr);
  if (kevent(set, &change, 1, nullptr, 0, nullptr) < 0) return LastError("kevent");
  return {};
}

}  // namespace

Result<HostLoop> HostLoop::Make(uv_loop_t* loop, int waker_fd) {
  HostLoop host;
  host.loop_ = loop;
  host.waker_fd_ = waker_fd;
  host.set_.Reset(kqueue());
  if (!host.set_.valid()) return LastError("kqueue");
  const Result<void> watched = host.Watch(waker_fd, Hosting::kEdge);
  if (!watched.ok()) return watched.error();
  const Result<void> hosted = host.SetHosting(Hosting::kEdge);
  if (!hosted.ok()) return hosted.error();
  return host;
}

Result<void> HostLoop::Watch(int fd, Hosting hosting) {
  const int flags = hosting == Hosting::kApart   ? EV_DELETE
                    : hosting == Hosting::kLevel ? EV_ADD
                                                 : EV_ADD | EV_CLEAR;
  return Apply(set_.get(), static_cast<uintptr_t>(fd), EVFILT_READ, flags, 0);
}

Result<void> HostLoop::SetTimer(int64_t monotonic_ns) {
  // In milliseconds, the one unit that all have; rounded up.
  const int64_t after_ms = ToMilliseconds(monotonic_ns - MonotonicNs());
  return Apply(set_.get(), kTimerIdent, EVFILT_TIMER, EV_ADD | EV_ONESHOT,
               after_ms > 0 ? after_ms : 1);
}

HostLoop::Ready HostLoop::Drain() {
  struct kevent events[kMostEvents];
  const timespec now{0, 0};
  const int count = kevent(set_.get(), nullptr, 0, events, kMostEvents, &now);
  Ready ready;
  for (int i = 0; i < count; ++i) {
    if (events[i].filter == EVFILT_TIMER) {
      wakes_at_ns_ = 0;
    } else if (events[i].ident == static_cast<uintptr_t>(waker_fd_)) {
      ready.waker = true;
    } else {
      ready.host = true;
    }
  }
  return ready;
}

#endif

Result<void> HostLoop::SetHosting(Hosting hosting) {
  if (hosting == hosting_) return {};
  const int fd = uv_backend_fd(loop_);
  // Taken out and put in anew: what is pending then is reported once more.
  if (hosting_ != Hosting::kApart) {
    const Result<void> removed = Watch(fd, Hosting::kApart);
    if (!removed.ok()) return removed;
  }
  hosting_ = Hosting::kApart;
  if (hosting != Hosting::kApart) {
    const Result<void> watched = Watch(fd, hosting);
    if (!watched.ok()) return watched;
  }
  hosting_ = hosting;
  return {};
}

Result<void> HostLoop::WakeBy(int64_t monotonic_ns) {
  if (wakes_at_ns_ != 0 && wakes_at_ns_ <= monotonic_ns) return {};
  const Result<void> set = SetTimer(monotonic_ns);
  if (set.ok()) wakes_at_ns_ = monotonic_ns;
  return set;
}

int64_t HostLoop::NextTurnNs() const {
  // 0 also where a new descriptor waits to be handed to the kernel, which happens in a turn only.
  const int timeout_ms = uv_backend_timeout(loop_);
  if (timeout_ms <= 0) return timeout_ms < 0 ? kForever : 0;
  // Reckoned from the loop's clock, which stands still between its turns. Only now is it worth
  // asking for the time: without a timer of Node's this is called before every wait.
  const int64_t behind_ms =
      static_cast<int64_t>(uv_hrtime() / kNsPerMs) - static_cast<int64_t>(uv_now(loop_));
  return std::max<int64_t>(0, timeout_ms - behind_ms) * kNsPerMs;
}

}  // namespace io_selectors
