// Socket options, each a row of one table: its name here, and its level and number on the platform.
// socket(7), tcp(7)
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

/** ENOPROTOOPT if the platform, or this kind of socket, has no such option. */
Result<void> SetSocketOption(int fd, SocketOption option, int value);
Result<int> GetSocketOption(int fd, SocketOption option);

}  // namespace io_selectors
