#include "net/descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#endif

namespace io_selectors {

ssize_t Read(int fd, void* buffer, size_t length) {
  for (;;) {
    const ssize_t n = read(fd, buffer, length);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

ssize_t Write(int fd, const void* buffer, size_t length) {
  for (;;) {
    const ssize_t n = write(fd, buffer, length);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

bool EndsWithEio(int fd) {
#ifdef __linux__
  struct stat status;
  // /dev/ptmx; the terminal at its other side ends with 0
  return fstat(fd, &status) == 0 && status.st_rdev == makedev(5, 2);
#else
  return isatty(fd) == 1;
#endif
}

Result<void> SetNonBlocking(int fd, bool on) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return LastError("fcntl");
  const int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (wanted != flags && fcntl(fd, F_SETFL, wanted) < 0) return LastError("fcntl");
  return {};
}

Result<void> SetCloseOnExec(int fd) {
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return LastError("fcntl");
  return {};
}

Result<OwnedFd> Duplicate(int fd) {
  OwnedFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return LastError("fcntl");
  return copy;
}

Result<DescriptorPair> MakePipe() {
  int ends[2];
#ifdef __APPLE__
  if (pipe(ends) < 0) return LastError("pipe");
  DescriptorPair pair{OwnedFd(ends[0]), OwnedFd(ends[1])};
  for (const int fd : ends) {
    const Result<void> cloexec = SetCloseOnExec(fd);
    if (!cloexec.ok()) return cloexec.error();
    const Result<void> flags = SetNonBlocking(fd, true);
    if (!flags.ok()) return flags.error();
  }
  return pair;
#else
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) return LastError("pipe2");
  return DescriptorPair{OwnedFd(ends[0]), OwnedFd(ends[1])};
#endif
}

Result<void> MakeFifo(const std::string& path, mode_t mode) {
  if (mkfifo(path.c_str(), mode) < 0) return LastError("mkfifo");
  return {};
}

Result<OwnedFd> OpenFifo(const std::string& path, FifoEnd end) {
  const int direction = end == FifoEnd::kRead ? O_RDONLY : O_WRONLY;
  OwnedFd fd(open(path.c_str(), direction | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return LastError("open");
  return fd;
}

}  // namespace io_selectors
