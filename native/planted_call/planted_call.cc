// A fault to find: loaded into a server with LD_PRELOAD, it makes one more system call whenever the
// server receives. bench/regression compiles it and must catch it, or its gate is not to be
// trusted. ld.so(8), recv(2), read(2). Enters: the server's calls. Leaves: the same calls, and one
// beside each.

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

extern "C" {

/** In place of libc's: through syscall(2), so that this one needs no other library. */
ssize_t recv(int fd, void* buffer, size_t length, int flags) {
  syscall(SYS_getppid);
  return syscall(SYS_recvfrom, fd, buffer, length, flags, nullptr, nullptr);
}

ssize_t read(int fd, void* buffer, size_t length) {
  syscall(SYS_getppid);
  return syscall(SYS_read, fd, buffer, length);
}

}  // extern "C"
