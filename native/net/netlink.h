// Netlink sockets: the kernel's announcements of links, addresses, routes and devices. Linux;
// ENOSYS elsewhere. netlink(7), rtnetlink(7)
#pragma once

#include <vector>

#include "core/owned_fd.h"
#include "core/result.h"

namespace io_selectors {

/** NETLINK_ROUTE, NETLINK_KOBJECT_UEVENT. */
enum class NetlinkFamily { kRoute, kUevent };

/**
 * A bound netlink socket that is a member of multicast groups: Receive() and Send() serve it.
 * @param groups numbers as in RTNLGRP_LINK of linux/rtnetlink.h; 1 is the kernel's of uevents
 */
Result<OwnedFd> OpenNetlink(NetlinkFamily family, const std::vector<int>& groups);

}  // namespace io_selectors
