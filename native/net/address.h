// Socket addresses of every family used here: IPv4, IPv6, Unix paths, and Linux's abstract names.
// ip(7), ipv6(7), unix(7)
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/result.h"

namespace io_selectors {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const {
    return length < static_cast<socklen_t>(sizeof(sa_family_t)) ? AF_UNSPEC : storage.ss_family;
  }
};

/** A numeric IPv4 or IPv6 address; names are not looked up. */
Result<Address> InetAddress(const std::string& host, uint16_t port);

/** Bytes of the longest Unix path, and of the longest abstract name without its leading NUL. */
size_t LongestUnixPath();

/**
 * A path, or with a leading NUL an abstract name, which takes no place in the file system and is
 * Linux's only (ENOSYS elsewhere). ENAMETOOLONG past LongestUnixPath().
 */
Result<Address> UnixAddress(const std::string& path);

/** What a socket is bound to. getsockname(2) */
Result<Address> LocalAddress(int fd);
/** What it is connected to. getpeername(2) */
Result<Address> PeerAddress(int fd);

/** The numeric host; empty unless it is IPv4 or IPv6. */
std::string HostOf(const Address& address);
/** The port in host order; 0 unless it is IPv4 or IPv6. */
uint16_t PortOf(const Address& address);
/** The path or abstract name of a Unix socket; empty if it has none, and for other families. */
std::string PathOf(const Address& address);

}  // namespace io_selectors
