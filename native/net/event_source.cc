#include "net/event_source.h"

#include <sys/socket.h>

#include "net/descriptor.h"

#if __has_include(<sys/eventfd.h>)
#include <sys/eventfd.h>
#endif
#if __has_include(<sys/timerfd.h>)
#include <sys/timerfd.h>
#endif
#if __has_include(<sys/inotify.h>)
#include <sys/inotify.h>
#endif
#ifdef __linux__
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
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

Result<OwnedFd> WatchDirectory([[maybe_unused]] const std::string& path) {
#ifdef IN_NONBLOCK
  constexpr uint32_t kChanges = IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB |
                                IN_MOVE | IN_DELETE_SELF | IN_MOVE_SELF;
  OwnedFd fd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd.valid()) return LastError("inotify_init1");
  if (inotify_add_watch(fd.get(), path.c_str(), kChanges | IN_ONLYDIR) < 0) {
    return LastError("inotify_add_watch");
  }
  return fd;
#else
  return Error{ENOSYS, "inotify_init1"};
#endif
}

Result<OwnedFd> OpenNetlinkRoute() {
#ifdef __linux__
  OwnedFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd.valid()) return LastError("socket");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0) {
    return LastError("bind");
  }
  return fd;
#else
  return Error{ENOSYS, "socket"};
#endif
}

}  // namespace io_selectors
