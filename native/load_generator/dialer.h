// Dialer: opens the socket of a connection, for the first time and again: its source, its
// destination and its options. Allocates nothing after its constructor.
#pragma once

#include "core/owned_fd.h"
#include "load_generator/options.h"
#include "load_generator/roles.h"
#include "load_generator/share.h"
#include "load_generator/sources.h"
#include "net/socket.h"

namespace io_selectors {

class Dialer {
 public:
  Dialer(const RunOptions& options, const Share& share)
      : first_id_(share.first_id),
        resets_(options.Resets()),
        roles_(options),
        sources_(options),
        address_(InetAddress(options.host, static_cast<uint16_t>(options.port))) {}

  /** @param id of this share, from 0. @returns as ConnectTcp. */
  Result<OwnedFd> Connect(uint32_t id) const {
    const uint32_t name = first_id_ + id;
    const int buffer = roles_.Of(name) == Role::kSlow ? kSlowReceiveBuffer : 0;
    Result<OwnedFd> fd = ConnectTcp(address_.value(), sources_.For(name), buffer);
    if (!fd.ok()) return fd;
    // Both fail only on a socket that has failed already, which SocketError() reports.
    (void)SetNoDelay(fd.value().get()).ok();
    if (resets_) (void)SetResetOnClose(fd.value().get()).ok();
    return fd;
  }

 private:
  // The least that Linux gives: a peer that does not read is full soon.
  static constexpr int kSlowReceiveBuffer = 2304;

  uint32_t first_id_;
  bool resets_;
  Roles roles_;
  Sources sources_;
  Result<Address> address_;
};

}  // namespace io_selectors
