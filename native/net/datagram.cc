#include "net/datagram.h"

#include "net/open_socket.h"
#include "net/socket_options.h"

namespace io_selectors {

Result<OwnedFd> BindUdp(const Address& local, PortSharing sharing) {
  Result<OwnedFd> fd = OpenSocket(local.family(), SocketType::kDatagram);
  if (!fd.ok()) return fd.error();
  const int on = 1;
  if (sharing.reuse_address &&
      setsockopt(fd.value().get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) {
    return LastError("setsockopt");
  }
  if (sharing.reuse_port) {
    const Result<void> reuse = SetSocketOption(fd.value().get(), SocketOption::kReusePort, 1);
    if (!reuse.ok()) return reuse.error();
  }
  if (bind(fd.value().get(), local.get(), local.length) < 0) return LastError("bind");
  return fd;
}

Result<OwnedFd> ConnectUdp(const Address& peer) {
  Result<OwnedFd> fd = OpenSocket(peer.family(), SocketType::kDatagram);
  if (!fd.ok()) return fd.error();
  if (connect(fd.value().get(), peer.get(), peer.length) < 0) return LastError("connect");
  return fd;
}

ssize_t ReceiveFrom(int fd, void* buffer, size_t length, Address* sender) {
  for (;;) {
    sender->length = sizeof(sender->storage);
    const ssize_t n = recvfrom(fd, buffer, length, 0, sender->get(), &sender->length);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

ssize_t SendTo(int fd, const void* buffer, size_t length, const Address& receiver) {
  for (;;) {
    const ssize_t n = sendto(fd, buffer, length, kSendFlags, receiver.get(), receiver.length);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace io_selectors
