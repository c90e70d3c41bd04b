#include "addon/wake_set.h"

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

namespace {

/** Edge-triggered, so that nothing need be read: each expiry, wake and event is reported once. */
Result<void> Control(int set, int operation, int fd) {
  epoll_event event{};
  event.events = EPOLLIN | static_cast<uint32_t>(EPOLLET);
  event.data.fd = fd;
  if (epoll_ctl(set, operation, fd, &event) < 0) return LastError("epoll_ctl");
  return {};
}

}  // namespace

Result<WakeSet> WakeSet::Make(uv_loop_t* loop, int waker_fd) {
  WakeSet wake_set;
  wake_set.loop_ = loop;
  wake_set.waker_fd_ = waker_fd;
  wake_set.set_.Reset(epoll_create1(EPOLL_CLOEXEC));
  if (!wake_set.set_.valid()) return LastError("epoll_create1");
  wake_set.timer_.Reset(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!wake_set.timer_.valid()) return LastError("timerfd_create");
  for (const int fd : {wake_set.timer_.get(), waker_fd}) {
    const Result<void> watched = Control(wake_set.fd(), EPOLL_CTL_ADD, fd);
    if (!watched.ok()) return watched.error();
  }
  return wake_set;
}

Result<void> WakeSet::WatchHost() {
  // A modification looks at the descriptor again. Without it a level that Node's loop has left
  // behind, such as a socket that it has read only in part, would be no new edge.
  const int operation = watches_host_ ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  const Result<void> watched = Control(set_.get(), operation, uv_backend_fd(loop_));
  watches_host_ = watched.ok();
  return watched;
}

void WakeSet::LeaveHost() {
  if (watches_host_) (void)Control(set_.get(), EPOLL_CTL_DEL, uv_backend_fd(loop_)).ok();
  watches_host_ = false;
}

Result<void> WakeSet::SetTimer(int64_t monotonic_ns) {
  itimerspec due{};
  due.it_value = ToTimespec(monotonic_ns);
  if (timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &due, nullptr) < 0) {
    return LastError("timerfd_settime");
  }
  return {};
}

WakeSet::Ready WakeSet::Drain() {
  epoll_event events[kMostEvents];
  const int count = epoll_wait(set_.get(), events, kMostEvents, 0);
  Ready ready;
  for (int i = 0; i < count; ++i) {
    if (events[i].data.fd == timer_.get()) {
      wakes_at_ns_ = 0;
      ready.timer = true;
    } else if (events[i].data.fd == waker_fd_) {
      ready.waker = true;
    } else {
      ready.host = true;
    }
  }
  return ready;
}

#else

// kqueue(2). Node's queue is never in this set, for three reasons that can be read in the kernels'
// kqueue sources (XNU bsd/kern/kern_event.c, FreeBSD sys/kern/kern_event.c):
// - A level-triggered knote that a scan has returned stays queued until the next scan, and a queue
//   is readable while anything is queued: by level, Node's queue would look ready after each pass.
// - A knote that is queued is not queued again, so a new event on it does not wake a watcher of the
//   queue: by edge (EV_CLEAR), that event would be lost.
// - On XNU nesting raises a queue's level permanently, and a queue cannot be nested in one of a
//   lower level (EINVAL): after one wait Node's loop could not watch the selector any more.

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

Result<WakeSet> WakeSet::Make(uv_loop_t* loop, int waker_fd) {
  WakeSet wake_set;
  wake_set.loop_ = loop;
  wake_set.waker_fd_ = waker_fd;
  wake_set.set_.Reset(kqueue());
  if (!wake_set.set_.valid()) return LastError("kqueue");
  const Result<void> watched =
      Apply(wake_set.fd(), static_cast<uintptr_t>(waker_fd), EVFILT_READ, EV_ADD | EV_CLEAR, 0);
  if (!watched.ok()) return watched.error();
  return wake_set;
}

Result<void> WakeSet::WatchHost() { return {}; }

void WakeSet::LeaveHost() {}

Result<void> WakeSet::SetTimer(int64_t monotonic_ns) {
  // In milliseconds, the one unit that all have; rounded up.
  const int64_t after_ms = ToMilliseconds(monotonic_ns - MonotonicNs());
  return Apply(set_.get(), kTimerIdent, EVFILT_TIMER, EV_ADD | EV_ONESHOT,
               after_ms > 0 ? after_ms : 1);
}

WakeSet::Ready WakeSet::Drain() {
  struct kevent events[kMostEvents];
  const timespec now{0, 0};
  const int count = kevent(set_.get(), nullptr, 0, events, kMostEvents, &now);
  Ready ready;
  for (int i = 0; i < count; ++i) {
    if (events[i].filter == EVFILT_TIMER) {
      wakes_at_ns_ = 0;
      ready.timer = true;
    } else {
      ready.waker = true;
    }
  }
  return ready;
}

#endif

Result<void> WakeSet::WakeBy(int64_t monotonic_ns) {
  if (wakes_at_ns_ != 0 && wakes_at_ns_ <= monotonic_ns) return {};
  const Result<void> set = SetTimer(monotonic_ns);
  if (set.ok()) wakes_at_ns_ = monotonic_ns;
  return set;
}

}  // namespace io_selectors
