// The time at which received bytes arrived in the kernel, so that a program that reads late still
// knows it. SO_TIMESTAMPNS of socket(7); for TCP since Linux 4.13.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "core/result.h"

namespace io_selectors {

/** From now on the kernel notes when what arrives arrives. ENOPROTOOPT if it cannot. */
Result<void> SetReceiveTimestamps(int fd);

/**
 * Receive(), and when the last of those bytes arrived.
 * @param realtime_ns CLOCK_REALTIME; 0 if the kernel did not note it
 */
ssize_t ReceiveStamped(int fd, void* buffer, size_t length, int64_t* realtime_ns);

}  // namespace io_selectors
