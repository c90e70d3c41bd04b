// Multicast of UDP sockets, IPv4 and IPv6 alike: group membership by RFC 3678 and the sender's
// options. ip(7), ipv6(7)
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"

namespace io_selectors {

/** What a socket joins or leaves. */
struct MulticastGroup {
  std::string group;       // a numeric multicast address
  uint32_t interface = 0;  // an interface's index; 0: the kernel chooses by its routes
  std::string source;      // only what this address sends; empty: any source
};

/** @param join false: leave. EAFNOSUPPORT if socket, group and source differ in family. */
Result<void> ChangeMembership(int fd, bool join, const MulticastGroup& membership);

/** The sender's options, which the socket's family decides the names of. */
enum class MulticastOption { kHops, kLoop, kInterface };

/** kHops: 0 … 255, kLoop: 0 or 1, kInterface: an index, 0 for the kernel's choice. */
Result<void> SetMulticastOption(int fd, MulticastOption option, int value);
Result<int> GetMulticastOption(int fd, MulticastOption option);

/** The index of an interface by its name ("lo") or by one of its addresses; ENODEV without one. */
Result<uint32_t> InterfaceIndex(const std::string& name);

}  // namespace io_selectors
