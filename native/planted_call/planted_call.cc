// A deliberate fault: loaded into a server with LD_PRELOAD, it makes one additional system call
// whenever the server receives. bench/gate compiles it and must detect it; a gate that does not is
// not trusted. ld.so(8), recv(2), read(2), syscall(2), dlsym(3)

#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdarg>

namespace {

using SystemCall = long (*)(long, ...);

/** libc's, which ours stands before. */
SystemCall Next() {
  static const auto next = reinterpret_cast<SystemCall>(dlsym(RTLD_NEXT, "syscall"));
  return next;
}

}  // namespace

extern "C" {

long syscall(long number, ...) {
  va_list rest;
  va_start(rest, number);
  long arguments[6];
  for (long& argument : arguments) argument = va_arg(rest, long);
  va_end(rest);
  const SystemCall next = Next();
  if (number == SYS_recvfrom) next(SYS_getppid);
  return next(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
              arguments[5]);
}

ssize_t recv(int fd, void* buffer, size_t length, int flags) {
  return syscall(SYS_recvfrom, fd, buffer, length, flags, nullptr, nullptr);
}

ssize_t read(int fd, void* buffer, size_t length) {
  Next()(SYS_getppid);
  return Next()(SYS_read, fd, buffer, length);
}

}  // extern "C"
