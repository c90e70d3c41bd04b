#include "net/open_socket.h"

namespace io_selectors {

namespace {

#ifdef __linux__
constexpr int kOpenFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;

Result<void> SetFlags(int /*fd*/, bool /*blocking*/) { return {}; }
#else
constexpr int kOpenFlags = 0;

/** A send to a peer that is gone is EPIPE, without a signal. */
Result<void> SilencePipeSignal(int fd) {
#ifdef SO_NOSIGPIPE
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on)) < 0) {
    // XNU sets no option of a socket that can neither receive nor send any more (sosetoptlock in
    // bsd/kern/uipc_socket.c): the connection was reset before it was accepted, or its peer is
    // gone.
    return errno == EINVAL ? Error{ECONNABORTED, "setsockopt"} : LastError("setsockopt");
  }
#endif
  (void)fd;  // without the option, Send() has a flag for it
  return {};
}

/** Where the flags of socket(2) and accept4(2) are missing: the same in a few more calls. */
Result<void> SetFlags(int fd, bool blocking) {
  const Result<void> cloexec = SetCloseOnExec(fd);
  if (!cloexec.ok()) return cloexec.error();
  const Result<void> silent = SilencePipeSignal(fd);
  if (!silent.ok()) return silent;
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
  if (!fd.valid()) return -1;
  const Result<void> flags = SetFlags(fd.get(), blocking);
  if (flags.ok()) return fd.Release();
  fd.Reset();  // before errno, which close(2) may change
  errno = flags.error().errno_value;
  return -1;
#endif
}

}  // namespace io_selectors
