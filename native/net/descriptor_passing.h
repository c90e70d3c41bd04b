// Descriptors sent over a Unix socket, along with bytes: SCM_RIGHTS of unix(7).
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace io_selectors {

/** SCM_MAX_FD of Linux, in one message. */
constexpr size_t kMostPassed = 253;

/**
 * Sends bytes, at least one, and duplicates of `count` descriptors. Never blocks.
 * @returns bytes taken, perhaps fewer than `length`; the descriptors went with the first of them.
 *   Or -errno, and nothing was sent.
 */
ssize_t SendDescriptors(int socket, const void* bytes, size_t length, const int* fds, size_t count);

/** What ReceiveDescriptors fills. */
struct PassedDescriptors {
  int fds[kMostPassed];
  size_t count = 0;
};

/**
 * Receives bytes and the descriptors that came with them, close-on-exec. Never blocks.
 * @param most how many descriptors the caller takes
 * @returns bytes, 0 at end of file, or -errno. With -EMSGSIZE (more than `most` came) and -EMFILE
 *   (the kernel could not install all of them) those that came are closed and the bytes are lost.
 */
ssize_t ReceiveDescriptors(int socket, void* bytes, size_t length, size_t most,
                           PassedDescriptors* passed);

}  // namespace io_selectors
