#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

namespace io_selectors {

namespace {

constexpr size_t kPathOffset = offsetof(sockaddr_un, sun_path);

template <typename T>
const T* As(const Address& address) {
  return reinterpret_cast<const T*>(&address.storage);
}

template <typename T>
T* As(Address& address) {
  return reinterpret_cast<T*>(&address.storage);
}

bool IsAbstract(const std::string& path) { return path[0] == '\0'; }

}  // namespace

Result<Address> InetAddress(const std::string& host, uint16_t port) {
  Address address;
  // inet_pton would read up to a NUL and take the rest for nothing.
  if (host.find('\0') != std::string::npos) return Error{EINVAL, "inet_pton"};
  auto* v4 = As<sockaddr_in>(address);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.length = sizeof(sockaddr_in);
    return address;
  }
  auto* v6 = As<sockaddr_in6>(address);
  if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.length = sizeof(sockaddr_in6);
    return address;
  }
  return Error{EINVAL, "inet_pton"};
}

size_t LongestUnixPath() { return sizeof(sockaddr_un::sun_path) - 1; }

Result<Address> UnixAddress(const std::string& path) {
  if (path.empty()) return Error{EINVAL, "bind"};
  const bool abstract = IsAbstract(path);
#ifndef __linux__
  if (abstract) return Error{ENOSYS, "bind"};
#endif
  if (!abstract && path.find('\0') != std::string::npos) return Error{EINVAL, "bind"};
  if (path.size() > LongestUnixPath() + (abstract ? 1 : 0)) return Error{ENAMETOOLONG, "bind"};
  Address address;
  auto* local = As<sockaddr_un>(address);
  local->sun_family = AF_UNIX;
  std::memcpy(local->sun_path, path.data(), path.size());
  // The length of an abstract name is that of the address; a path ends with a NUL. unix(7)
  address.length = static_cast<socklen_t>(kPathOffset + path.size() + (abstract ? 0 : 1));
  return address;
}

Result<Address> LocalAddress(int fd) {
  Address address;
  address.length = sizeof(address.storage);
  if (getsockname(fd, address.get(), &address.length) < 0) return LastError("getsockname");
  return address;
}

Result<Address> PeerAddress(int fd) {
  Address address;
  address.length = sizeof(address.storage);
  if (getpeername(fd, address.get(), &address.length) < 0) return LastError("getpeername");
  return address;
}

std::string HostOf(const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.family() == AF_INET) {
    inet_ntop(AF_INET, &As<sockaddr_in>(address)->sin_addr, text, sizeof(text));
  } else if (address.family() == AF_INET6) {
    inet_ntop(AF_INET6, &As<sockaddr_in6>(address)->sin6_addr, text, sizeof(text));
  }
  return text;
}

uint16_t PortOf(const Address& address) {
  if (address.family() == AF_INET) return ntohs(As<sockaddr_in>(address)->sin_port);
  if (address.family() == AF_INET6) return ntohs(As<sockaddr_in6>(address)->sin6_port);
  return 0;
}

std::string PathOf(const Address& address) {
  if (address.family() != AF_UNIX || address.length <= kPathOffset) return "";
  const char* path = As<sockaddr_un>(address)->sun_path;
  const size_t length = address.length - kPathOffset;
#ifdef __linux__
  if (path[0] == '\0') return std::string(path, length);
#endif
  return std::string(path, strnlen(path, length));
}

}  // namespace io_selectors
