// Datagrams: UDP sockets, and the two calls that carry an address, for UDP and Unix sockets.
// udp(7), recvfrom(2), sendto(2)
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "core/owned_fd.h"
#include "core/result.h"
#include "net/address.h"

namespace io_selectors {

/** How BindUdp lets other sockets bind the same port: SO_REUSEPORT, SO_REUSEADDR. socket(7) */
struct PortSharing {
  bool reuse_port = false;
  bool reuse_address = false;
};

/** A UDP socket bound to that address. */
Result<OwnedFd> BindUdp(const Address& local, PortSharing sharing);

/** A UDP socket that sends to, and hears from, this peer only: Send and Receive serve it. */
Result<OwnedFd> ConnectUdp(const Address& peer);

/** recvfrom(2), retried on EINTR; fills `sender`, whose length is 0 if it has no name. @returns
 * bytes of one datagram, cut to `length`, or -errno. */
ssize_t ReceiveFrom(int fd, void* buffer, size_t length, Address* sender);

/** sendto(2), retried on EINTR. @returns bytes taken, all or none, or -errno. */
ssize_t SendTo(int fd, const void* buffer, size_t length, const Address& receiver);

}  // namespace io_selectors
