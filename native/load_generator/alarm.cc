#include "load_generator/alarm.h"

#include <algorithm>

#include "core/timeout.h"

#ifdef __linux__
#include <sys/timerfd.h>
#endif

namespace io_selectors {

namespace {

// To sleep and be woken takes longer than this: looking again and again is cheaper, and punctual.
constexpr int64_t kAboutToBeNs = 15'000;

OwnedFd OpenTimer() {
#ifdef __linux__
  return OwnedFd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
#else
  return OwnedFd();
#endif
}

bool SetTimer(int fd, int64_t due_ns) {
#ifdef __linux__
  const itimerspec once{{0, 0}, ToTimespec(due_ns)};
  return timerfd_settime(fd, TFD_TIMER_ABSTIME, &once, nullptr) == 0;
#else
  return fd < 0 && due_ns < 0;
#endif
}

}  // namespace

Alarm::Alarm(Selector& selector) : selector_(selector), fd_(OpenTimer()) {
  if (!fd_.valid()) return;
  RegisterOptions edge;
  edge.mode = Mode::kEdge;
  if (!selector_.Register(fd_.get(), kRead, edge).ok()) fd_.Reset();
}

Alarm::~Alarm() {
  // Registered, so it cannot fail.
  if (fd_.valid()) (void)selector_.Unregister(fd_.get()).ok();
}

int64_t Alarm::TimeoutNs(int64_t due_ns) {
  const int64_t left = due_ns - MonotonicNs();
  if (left <= kAboutToBeNs) return 0;
  if (!fd_.valid()) return left;
  if (set_to_ns_ != due_ns && !SetTimer(fd_.get(), due_ns)) return left;
  set_to_ns_ = due_ns;
  return kForever;
}

}  // namespace io_selectors
