// Descriptors by which the kernel tells of something other than bytes: counters, timers, changes in
// a folder, network links. All are read. ENOSYS where the platform lacks one.
// eventfd(2), timerfd_create(2), inotify(7), rtnetlink(7)
#pragma once

#include <cstdint>
#include <string>

#include "core/owned_fd.h"
#include "core/result.h"

namespace io_selectors {

/** A counter: readable while it is not 0. Linux, FreeBSD 13. */
Result<OwnedFd> OpenEventfd(uint32_t initial);

/** Reads eight bytes, of an eventfd or a timer, into `count`. @returns 0, or -errno: -EAGAIN at 0.
 */
int ReadCounter(int fd, uint64_t* count);

/** Adds to an eventfd. @returns 0, or -errno: -EAGAIN where it would overflow. */
int WriteCounter(int fd, uint64_t count);

/**
 * Readable each time it expires: after `delay_ns` (at least 1), then every `interval_ns` unless
 * that is 0. CLOCK_MONOTONIC. Linux, FreeBSD 14.
 */
Result<OwnedFd> OpenTimer(int64_t delay_ns, int64_t interval_ns);

/** Yields a struct inotify_event for what is created, changed, moved or deleted in a folder. Linux.
 */
Result<OwnedFd> WatchDirectory(const std::string& path);

/** Yields rtnetlink messages when a link or an address changes. Linux. */
Result<OwnedFd> OpenNetlinkRoute();

}  // namespace io_selectors
