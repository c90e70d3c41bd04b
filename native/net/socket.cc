#include "net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>

#include "core/system_call.h"
#include "net/address.h"
#include "net/open_socket.h"

namespace io_selectors {

namespace {

constexpr int kLargestBacklog = 4096;

Result<void> SetOption(int fd, int level, int option, int value) {
  if (setsockopt(fd, level, option, &value, sizeof(value)) < 0) return LastError("setsockopt");
  return {};
}

}  // namespace

bool ConcernsOnlyThatConnection(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

int DefaultBacklog() {
  int somaxconn = SOMAXCONN;
#ifdef __linux__
  if (FILE* file = std::fopen("/proc/sys/net/core/somaxconn", "re")) {
    if (std::fscanf(file, "%d", &somaxconn) != 1) somaxconn = SOMAXCONN;
    std::fclose(file);
  }
#endif
  return std::min(somaxconn, kLargestBacklog);
}

Result<OwnedFd> ListenTcp(const ListenOptions& options) {
  const Result<Address> address = InetAddress(options.host, options.port);
  if (!address.ok()) return address.error();
  Result<OwnedFd> fd = OpenSocket(address.value().family(), SocketType::kStream);
  if (!fd.ok()) return fd.error();
  const int listener = fd.value().get();
  const Result<void> reuse = SetOption(listener, SOL_SOCKET, SO_REUSEADDR, 1);
  if (!reuse.ok()) return reuse.error();
  if (options.reuse_port) {
    const Result<void> reuse_port = SetOption(listener, SOL_SOCKET, SO_REUSEPORT, 1);
    if (!reuse_port.ok()) return reuse_port.error();
  }
  if (bind(listener, address.value().get(), address.value().length) < 0) return LastError("bind");
  if (listen(listener, options.backlog > 0 ? options.backlog : DefaultBacklog()) < 0) {
    return LastError("listen");
  }
  return fd;
}

Result<uint16_t> LocalPort(int fd) {
  const Result<Address> address = LocalAddress(fd);
  if (!address.ok()) return address.error();
  const int family = address.value().family();
  if (family != AF_INET && family != AF_INET6) return Error{EAFNOSUPPORT, "getsockname"};
  return PortOf(address.value());
}

Result<OwnedFd> ConnectTcp(const ConnectOptions& options) {
  const Result<Address> address = InetAddress(options.host, options.port);
  if (!address.ok()) return address.error();
  if (options.source.empty()) return ConnectTcp(address.value(), nullptr);
  const Result<Address> source = InetAddress(options.source, 0);
  if (!source.ok()) return source.error();
  return ConnectTcp(address.value(), &source.value());
}

Result<OwnedFd> ConnectTcp(const Address& address, const Address* source, int receive_buffer) {
  Result<OwnedFd> fd = OpenSocket(address.family(), SocketType::kStream);
  if (!fd.ok()) return fd.error();
  const int socket = fd.value().get();
  if (receive_buffer > 0) {
    const Result<void> set = SetOption(socket, SOL_SOCKET, SO_RCVBUF, receive_buffer);
    if (!set.ok()) return set.error();
  }
  if (source != nullptr) {
#ifdef IP_BIND_ADDRESS_NO_PORT
    // ip(7): the port is chosen at connect, where the whole 4-tuple counts, so one port serves many
    // destinations.
    const Result<void> late = SetOption(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (!late.ok()) return late.error();
#endif
    if (bind(socket, source->get(), source->length) < 0) return LastError("bind");
  }
  if (connect(socket, address.get(), address.length) < 0 && errno != EINPROGRESS) {
    return LastError("connect");
  }
  return fd;
}

int SocketError(int fd) {
  int error = 0;
  socklen_t length = sizeof(error);
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

Result<void> SetNoDelay(int fd) { return SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

Result<void> SetResetOnClose(int fd) {
  const linger reset{1, 0};
  if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0) {
    return LastError("setsockopt");
  }
  return {};
}

int Accept(int listener, bool blocking) {
  for (;;) {
    const int fd = AcceptOnce(listener, blocking);
    if (fd >= 0) {
      // Fails only if the peer has reset already, which the next recv reports, or if the
      // listener is a Unix socket, which never delays.
      (void)SetNoDelay(fd).ok();
      return fd;
    }
    if (!ConcernsOnlyThatConnection(errno)) return -errno;
  }
}

ssize_t Receive(int fd, void* buffer, size_t length) {
  for (;;) {
    const ssize_t n = ReceiveCall(fd, buffer, length, 0);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

ssize_t Send(int fd, const void* buffer, size_t length) {
  for (;;) {
    const ssize_t n = SendCall(fd, buffer, length, kSendFlags);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace io_selectors
