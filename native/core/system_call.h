// The system calls of a hot loop without glibc's cancellation points: in a process with several
// threads those cost two atomic exchanges per call (pthreads(7)), and no thread here is ever
// cancelled. Sanitizer builds use libc's functions, the only ones that sanitizers intercept.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IO_SELECTORS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define IO_SELECTORS_SANITIZED 1
#endif
#endif

namespace io_selectors {

/** recv(2) */
inline ssize_t ReceiveCall(int fd, void* buffer, size_t length, int flags) {
#if defined(SYS_recvfrom) && !defined(IO_SELECTORS_SANITIZED)
  return syscall(SYS_recvfrom, fd, buffer, length, flags, nullptr, nullptr);
#else
  return recv(fd, buffer, length, flags);
#endif
}

/** send(2) */
inline ssize_t SendCall(int fd, const void* buffer, size_t length, int flags) {
#if defined(SYS_sendto) && !defined(IO_SELECTORS_SANITIZED)
  return syscall(SYS_sendto, fd, buffer, length, flags, nullptr, static_cast<socklen_t>(0));
#else
  return send(fd, buffer, length, flags);
#endif
}

#if defined(__linux__)
/** epoll_wait(2) */
inline int EpollWaitCall(int epoll, epoll_event* events, int capacity, int timeout_ms) {
#if defined(SYS_epoll_wait) && !defined(IO_SELECTORS_SANITIZED)
  return static_cast<int>(syscall(SYS_epoll_wait, epoll, events, capacity, timeout_ms));
#else
  return epoll_wait(epoll, events, capacity, timeout_ms);
#endif
}
#endif

}  // namespace io_selectors
