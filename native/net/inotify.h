// inotify: changes below many paths on one descriptor. Linux; ENOSYS elsewhere. inotify(7)
#pragma once

#include <cstdint>
#include <string>

#include "core/owned_fd.h"
#include "core/result.h"

namespace io_selectors {

/** A queue of struct inotify_event, empty until AddWatch(). inotify_init1(2) */
Result<OwnedFd> OpenInotify();

/**
 * Watches one path, or changes the events of its watch.
 * @param mask IN_… bits of inotify(7)
 * @returns the watch descriptor: the `wd` of its events. inotify_add_watch(2)
 */
Result<int> AddWatch(int inotify, const std::string& path, uint32_t mask);

/** Ends a watch; its last event is IN_IGNORED. EINVAL for an unknown one. inotify_rm_watch(2) */
Result<void> RemoveWatch(int inotify, int watch);

/** An inotify descriptor with one watch: entries of a directory that are created, changed, moved or
 * deleted, and the directory itself. */
Result<OwnedFd> WatchDirectory(const std::string& path);

}  // namespace io_selectors
