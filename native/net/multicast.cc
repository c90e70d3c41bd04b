#include "net/multicast.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>

#include "net/address.h"

namespace io_selectors {

namespace {

/** The BSDs, macOS among them, read the length inside a socket option's address. */
void StoreAddress(const Address& address, sockaddr_storage* into) {
  *into = address.storage;
#if !defined(__linux__)
  into->ss_len = static_cast<decltype(into->ss_len)>(address.length);
#endif
}

int LevelOf(int family) { return family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP; }

/** AF_INET or AF_INET6: other sockets have no multicast. */
Result<int> FamilyOf(int fd, const char* syscall) {
  const Result<Address> local = LocalAddress(fd);
  if (!local.ok()) return local.error();
  const int family = local.value().family();
  if (family != AF_INET && family != AF_INET6) return Error{EOPNOTSUPP, syscall};
  return family;
}

template <typename T>
Result<void> Set(int fd, int family, int name, const T& value) {
  if (setsockopt(fd, LevelOf(family), name, &value, sizeof(value)) < 0) {
    return LastError("setsockopt");
  }
  return {};
}

template <typename T>
Result<int> Get(int fd, int family, int name) {
  T value{};
  socklen_t length = sizeof(value);
  if (getsockopt(fd, LevelOf(family), name, &value, &length) < 0) return LastError("getsockopt");
  return static_cast<int>(value);
}

Result<void> SetInterface(int fd, int family, int index) {
  if (family == AF_INET6) return Set(fd, family, IPV6_MULTICAST_IF, static_cast<unsigned>(index));
#if defined(__OpenBSD__) || defined(__NetBSD__)
  return Error{ENOPROTOOPT, "setsockopt"};  // they take an address, not an index
#else
  ip_mreqn request{};
  request.imr_ifindex = index;
  return Set(fd, family, IP_MULTICAST_IF, request);
#endif
}

bool SameHost(const sockaddr* one, const Address& other) {
  if (one == nullptr || one->sa_family != other.family()) return false;
  if (one->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(one);
    const auto* wanted = reinterpret_cast<const sockaddr_in*>(&other.storage);
    return v4->sin_addr.s_addr == wanted->sin_addr.s_addr;
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(one);
  const auto* wanted = reinterpret_cast<const sockaddr_in6*>(&other.storage);
  return std::memcmp(&v6->sin6_addr, &wanted->sin6_addr, sizeof(in6_addr)) == 0;
}

Result<uint32_t> IndexOfAddress(const Address& address) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) < 0) return LastError("getifaddrs");
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (SameHost(at->ifa_addr, address)) return if_nametoindex(at->ifa_name);
  }
  return Error{ENODEV, "getifaddrs"};
}

}  // namespace

Result<uint32_t> InterfaceIndex(const std::string& name) {
  const Result<Address> address = InetAddress(name, 0);
  if (address.ok()) return IndexOfAddress(address.value());
  const unsigned index = if_nametoindex(name.c_str());
  if (index == 0) return Error{ENODEV, "if_nametoindex"};
  return index;
}

#ifdef MCAST_JOIN_GROUP

namespace {

Result<void> ChangeAny(int fd, bool join, uint32_t interface, const Address& group) {
  group_req request{};
  request.gr_interface = interface;
  StoreAddress(group, &request.gr_group);
  return Set(fd, group.family(), join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP, request);
}

Result<void> ChangeSource(int fd, bool join, const MulticastGroup& membership,
                          const Address& group) {
  const Result<Address> source = InetAddress(membership.source, 0);
  if (!source.ok()) return source.error();
  if (source.value().family() != group.family()) return Error{EAFNOSUPPORT, "setsockopt"};
  group_source_req request{};
  request.gsr_interface = membership.interface;
  StoreAddress(group, &request.gsr_group);
  StoreAddress(source.value(), &request.gsr_source);
  const int name = join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP;
  return Set(fd, group.family(), name, request);
}

}  // namespace

Result<void> ChangeMembership(int fd, bool join, const MulticastGroup& membership) {
  const Result<Address> group = InetAddress(membership.group, 0);
  if (!group.ok()) return group.error();
  const Result<int> family = FamilyOf(fd, "setsockopt");
  if (!family.ok()) return family.error();
  if (family.value() != group.value().family()) return Error{EAFNOSUPPORT, "setsockopt"};
  if (!membership.source.empty()) return ChangeSource(fd, join, membership, group.value());
  return ChangeAny(fd, join, membership.interface, group.value());
}

#else

Result<void> ChangeMembership(int /*fd*/, bool /*join*/, const MulticastGroup& /*membership*/) {
  return Error{ENOSYS, "setsockopt"};  // OpenBSD and NetBSD lack RFC 3678
}

#endif

Result<void> SetMulticastOption(int fd, MulticastOption option, int value) {
  const Result<int> family = FamilyOf(fd, "setsockopt");
  if (!family.ok()) return family.error();
  const int most = option == MulticastOption::kHops ? 255 : INT32_MAX;
  if (value < 0 || value > most) return Error{EINVAL, "setsockopt"};
  const bool v6 = family.value() == AF_INET6;
  // IPv4 in one byte, which every kernel takes; OpenBSD takes nothing else. ip(4)
  const auto byte = static_cast<unsigned char>(value);
  switch (option) {
    case MulticastOption::kHops:
      return v6 ? Set(fd, AF_INET6, IPV6_MULTICAST_HOPS, value)
                : Set(fd, AF_INET, IP_MULTICAST_TTL, byte);
    case MulticastOption::kLoop:
      return v6 ? Set(fd, AF_INET6, IPV6_MULTICAST_LOOP, static_cast<unsigned>(value))
                : Set(fd, AF_INET, IP_MULTICAST_LOOP, byte);
    case MulticastOption::kInterface:
      return SetInterface(fd, family.value(), value);
  }
  return Error{EINVAL, "setsockopt"};
}

Result<int> GetMulticastOption(int fd, MulticastOption option) {
  const Result<int> family = FamilyOf(fd, "getsockopt");
  if (!family.ok()) return family.error();
  const bool v6 = family.value() == AF_INET6;
  switch (option) {
    case MulticastOption::kHops:
      return v6 ? Get<int>(fd, AF_INET6, IPV6_MULTICAST_HOPS)
                : Get<unsigned char>(fd, AF_INET, IP_MULTICAST_TTL);
    case MulticastOption::kLoop:
      return v6 ? Get<unsigned>(fd, AF_INET6, IPV6_MULTICAST_LOOP)
                : Get<unsigned char>(fd, AF_INET, IP_MULTICAST_LOOP);
    case MulticastOption::kInterface:
      // IPv4 kernels answer with an address, or nothing for an index without one.
      return v6 ? Get<unsigned>(fd, AF_INET6, IPV6_MULTICAST_IF)
                : Result<int>(Error{EOPNOTSUPP, "getsockopt"});
  }
  return Error{EINVAL, "getsockopt"};
}

}  // namespace io_selectors
