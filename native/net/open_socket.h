// Opens every socket of this library: non-blocking, close-on-exec and without SIGPIPE, by the means
// that the platform offers. socket(2), socketpair(2)
#pragma once

#include <sys/socket.h>

#include "core/owned_fd.h"
#include "core/result.h"
#include "net/descriptor.h"

namespace io_selectors {

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL;
#else
constexpr int kSendFlags = 0;  // macOS: SO_NOSIGPIPE is set on the socket instead
#endif

enum class SocketType {
  kStream = SOCK_STREAM,
  kDatagram = SOCK_DGRAM,
  kSeqpacket = SOCK_SEQPACKET
};

Result<OwnedFd> OpenSocket(int family, SocketType type);

/** Two Unix sockets connected to each other. */
Result<DescriptorPair> OpenSocketPair(SocketType type);

/** accept(2) once, close-on-exec. @returns a descriptor, or -1 with errno set. */
int AcceptOnce(int listener, bool blocking);

}  // namespace io_selectors
