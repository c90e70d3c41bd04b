#include "net/open_socket.h"

namespace io_selectors {

namespace {

#ifdef __linux__
constexpr int kOpenFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;

Result<void> SetFlags(int /*fd*/, bool /*blocking*/) { return {}; }
#else
constexpr int kOpenFlags = 0;

/** Where the flags of socket(2) and accept4(2) are missing: the same in a few more calls. */
Result<void> SetFlags(int fd, bool blocking) {
  const Result<void> cloexec = SetCloseOnExec(fd);
  if (!cloexec.ok()) return cloexec.error();
#ifdef SO_NOSIGPIPE
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on)) < 0) return LastError("setsockopt");
#endif
  return SetNonBlocking(fd, !blocking);
}
#endif

}  // namespace

Result<OwnedFd> OpenSocket(int family, SocketType type) {
  OwnedFd fd(socket(family, static_cast<int>(type) | kOpenFlags, 0));
  if (!fd.valid()) return LastError("socket");
  const Result<void> flags = SetFlags(fd.get(), false);
  if (!flags.ok()) return flags.error();
  return fd;
}

Result<DescriptorPair> OpenSocketPair(SocketType type) {
  int ends[2];
  if (socketpair(AF_UNIX, static_cast<int>(type) | kOpenFlags, 0, ends) < 0) {
    return LastError("socketpair");
  }
  DescriptorPair pair{OwnedFd(ends[0]), OwnedFd(ends[1])};
  for (const int fd : ends) {
    const Result<void> flags = SetFlags(fd, false);
    if (!flags.ok()) return flags.error();
  }
  return pair;
}

int AcceptOnce(int listener, bool blocking) {
#ifdef __linux__
  return accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK));
#else
  OwnedFd fd(accept(listener, nullptr, nullptr));
  if (!fd.valid() || !SetFlags(fd.get(), blocking).ok()) return -1;
  return fd.Release();
#endif
}

}  // namespace io_selectors
