// Operations for any descriptor (read, write, duplicate, flags), and two kinds that need no socket:
// pipes and FIFOs. pipe(2), fifo(7), fcntl(2)
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "core/owned_fd.h"
#include "core/result.h"

namespace io_selectors {

/** read(2), retried on EINTR. @returns bytes read, 0 at end of file, or -errno. */
ssize_t Read(int fd, void* buffer, size_t length);

/** write(2), retried on EINTR. Raises SIGPIPE if that is not ignored, unlike Send. @returns
 * bytes taken, perhaps fewer than `length`, or -errno. */
ssize_t Write(int fd, const void* buffer, size_t length);

/**
 * Whether EIO from read(2) is the end of a pseudo-terminal whose other side has closed, and not the
 * failure of a device. pty(7)
 */
bool EndsWithEio(int fd);

/** O_NONBLOCK, which all duplicates of a descriptor share. */
Result<void> SetNonBlocking(int fd, bool on);
Result<void> SetCloseOnExec(int fd);

/** Another number for the same open file, close-on-exec. dup(2) */
Result<OwnedFd> Duplicate(int fd);

/** Two descriptors that are each other's ends. */
struct DescriptorPair {
  OwnedFd first;
  OwnedFd second;
};

/** A pipe: what is written into the second is read from the first. */
Result<DescriptorPair> MakePipe();

/** mkfifo(3): the umask takes bits from `mode`. */
Result<void> MakeFifo(const std::string& path, mode_t mode);

enum class FifoEnd { kRead, kWrite };

/** Opens without waiting for the other end; ENXIO for a writer without a reader. */
Result<OwnedFd> OpenFifo(const std::string& path, FifoEnd end);

}  // namespace io_selectors
