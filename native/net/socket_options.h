// Options of sockets, each a row of one table: what it is called here, and where the platform keeps
// it. Enters: a descriptor and a value. Leaves: values as the kernel counts them. socket(7), tcp(7)
#pragma once

#include <climits>

#include "core/result.h"

namespace io_selectors {

/** The order is that of src/socket-options.ts. */
enum class SocketOption {
  kNoDelay,
  kKeepAlive,
  kKeepAliveIdle,
  kReceiveBuffer,
  kSendBuffer,
  kQuickAck,
  kReusePort,
  kBroadcast,
  kLinger,
};

/** What kLinger is set to: seconds, or this. What is got is the seconds and one; 0 is off. */
constexpr int kNoLinger = INT_MIN;

/** ENOPROTOOPT where the platform, or this kind of socket, has no such option. */
Result<void> SetSocketOption(int fd, SocketOption option, int value);
Result<int> GetSocketOption(int fd, SocketOption option);

}  // namespace io_selectors
