#include "net/event_source.h"

#include "net/descriptor.h"

#if __has_include(<sys/eventfd.h>)
#include <sys/eventfd.h>
#endif
#if __has_include(<sys/timerfd.h>)
#include <sys/timerfd.h>
#endif

namespace io_selectors {

Result<OwnedFd> OpenEventfd([[maybe_unused]] uint32_t initial) {
#ifdef EFD_NONBLOCK
  OwnedFd fd(eventfd(initial, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!fd.valid()) return LastError("eventfd");
  return fd;
#else
  return Error{ENOSYS, "eventfd"};
#endif
}

int ReadCounter(int fd, uint64_t* count) {
  const ssize_t n = Read(fd, count, sizeof(*count));
  if (n < 0) return static_cast<int>(n);
  return n == sizeof(*count) ? 0 : -EINVAL;
}

int WriteCounter(int fd, uint64_t count) {
  const ssize_t n = Write(fd, &count, sizeof(count));
  if (n < 0) return static_cast<int>(n);
  return n == sizeof(count) ? 0 : -EINVAL;
}

#ifdef TFD_NONBLOCK
namespace {

timespec ToTimespec(int64_t ns) {
  constexpr int64_t kSecond = 1'000'000'000;
  return timespec{static_cast<time_t>(ns / kSecond), static_cast<long>(ns % kSecond)};
}

}  // namespace
#endif

Result<OwnedFd> OpenTimer([[maybe_unused]] int64_t delay_ns, [[maybe_unused]] int64_t interval_ns) {
#ifdef TFD_NONBLOCK
  OwnedFd fd(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!fd.valid()) return LastError("timerfd_create");
  const itimerspec when{ToTimespec(interval_ns), ToTimespec(delay_ns)};
  if (timerfd_settime(fd.get(), 0, &when, nullptr) < 0) return LastError("timerfd_settime");
  return fd;
#else
  return Error{ENOSYS, "timerfd_create"};
#endif
}

}  // namespace io_selectors
