#include "net/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace io_selectors {

namespace {

constexpr int kLargestBacklog = 4096;

#ifndef MSG_NOSIGNAL
constexpr int kSendFlags = 0;  // macOS: SO_NOSIGPIPE is set on the socket instead
#else
constexpr int kSendFlags = MSG_NOSIGNAL;
#endif

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/** A numeric IPv4 or IPv6 address; names are not looked up. */
Result<Address> ParseAddress(const std::string& host, uint16_t port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.length = sizeof(sockaddr_in);
    return address;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.length = sizeof(sockaddr_in6);
    return address;
  }
  return Error{EINVAL, "inet_pton"};
}

Result<void> SetOption(int fd, int level, int option, int value) {
  if (setsockopt(fd, level, option, &value, sizeof(value)) < 0) return LastError("setsockopt");
  return {};
}

#ifndef __linux__
/** Where the flags of socket(2) and accept4(2) are missing: the same in two more calls. */
bool SetFlags(int fd, bool blocking) {
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return false;
#ifdef SO_NOSIGPIPE
  if (!SetOption(fd, SOL_SOCKET, SO_NOSIGPIPE, 1).ok()) return false;
#endif
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) >= 0;
}
#endif

Result<OwnedFd> OpenSocket(int family) {
#ifdef __linux__
  OwnedFd fd(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return LastError("socket");
#else
  OwnedFd fd(socket(family, SOCK_STREAM, 0));
  if (!fd.valid()) return LastError("socket");
  if (!SetFlags(fd.get(), false)) return LastError("fcntl");
#endif
  return fd;
}

int AcceptOnce(int listener, bool blocking) {
#ifdef __linux__
  return accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK));
#else
  OwnedFd fd(accept(listener, nullptr, nullptr));
  if (!fd.valid() || !SetFlags(fd.get(), blocking)) return -1;
  return fd.Release();
#endif
}

/** accept(2): errors of a connection that is gone already; the next one in the queue may be fine.
 */
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

}  // namespace

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
  const Result<Address> address = ParseAddress(options.host, options.port);
  if (!address.ok()) return address.error();
  Result<OwnedFd> fd = OpenSocket(address.value().storage.ss_family);
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
  Address address;
  address.length = sizeof(address.storage);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.length) < 0) {
    return LastError("getsockname");
  }
  if (address.storage.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
}

Result<OwnedFd> ConnectTcp(const ConnectOptions& options) {
  const Result<Address> address = ParseAddress(options.host, options.port);
  if (!address.ok()) return address.error();
  Result<OwnedFd> fd = OpenSocket(address.value().storage.ss_family);
  if (!fd.ok()) return fd.error();
  const int socket = fd.value().get();
  if (!options.source.empty()) {
    const Result<Address> source = ParseAddress(options.source, 0);
    if (!source.ok()) return source.error();
#ifdef IP_BIND_ADDRESS_NO_PORT
    // ip(7): the port is chosen at connect, where the whole 4-tuple counts, so one port serves many
    // destinations.
    const Result<void> late = SetOption(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (!late.ok()) return late.error();
#endif
    if (bind(socket, source.value().get(), source.value().length) < 0) return LastError("bind");
  }
  if (connect(socket, address.value().get(), address.value().length) < 0 && errno != EINPROGRESS) {
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
      // Fails only where the peer has reset already; the next recv says so.
      (void)SetNoDelay(fd).ok();
      return fd;
    }
    if (!ConcernsOnlyThatConnection(errno)) return -errno;
  }
}

ssize_t Receive(int fd, void* buffer, size_t length) {
  for (;;) {
    const ssize_t n = recv(fd, buffer, length, 0);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

ssize_t Send(int fd, const void* buffer, size_t length) {
  for (;;) {
    const ssize_t n = send(fd, buffer, length, kSendFlags);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace io_selectors
