// Counters and timers as descriptors. ENOSYS on platforms that lack them. eventfd(2),
// timerfd_create(2)
#pragma once

#include <cstdint>

#include "core/owned_fd.h"
#include "core/result.h"

namespace io_selectors {

/** A counter: readable while it is not 0. Linux, FreeBSD 13. */
Result<OwnedFd> OpenEventfd(uint32_t initial);

/** Reads eight bytes, of an eventfd or a timer, into `count`. @returns 0, or -errno: -EAGAIN at 0.
 */
int ReadCounter(int fd, uint64_t* count);

/** Adds to an eventfd. @returns 0, or -errno: -EAGAIN if it would overflow. */
int WriteCounter(int fd, uint64_t count);

/**
 * Readable each time it expires: after `delay_ns` (at least 1), then every `interval_ns` unless
 * that is 0. CLOCK_MONOTONIC. Linux, FreeBSD 14.
 */
Result<OwnedFd> OpenTimer(int64_t delay_ns, int64_t interval_ns);

}  // namespace io_selectors
