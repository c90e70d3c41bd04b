#include "net/netlink.h"

#include <sys/socket.h>

#ifdef __linux__
#include <linux/netlink.h>
#endif

namespace io_selectors {

#ifdef __linux__

Result<OwnedFd> OpenNetlink(NetlinkFamily family, const std::vector<int>& groups) {
  const int protocol = family == NetlinkFamily::kRoute ? NETLINK_ROUTE : NETLINK_KOBJECT_UEVENT;
  OwnedFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  if (!fd.valid()) return LastError("socket");
  sockaddr_nl address{};  // nl_pid 0: the kernel assigns a unique one
  address.nl_family = AF_NETLINK;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0) {
    return LastError("bind");
  }
  // Not nl_groups of bind(2): that is a mask of the first 32 groups only.
  for (const int group : groups) {
    if (setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
      return LastError("setsockopt");
    }
  }
  return fd;
}

#else

Result<OwnedFd> OpenNetlink(NetlinkFamily /*family*/, const std::vector<int>& /*groups*/) {
  return Error{ENOSYS, "socket"};
}

#endif

}  // namespace io_selectors
