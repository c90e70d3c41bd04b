// A cost to find: loaded into a server with LD_PRELOAD, it keeps the CPU busy for PLANTED_NS
// nanoseconds whenever bytes were received. ld.so(8), recv(2), syscall(2), dlsym(3).

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

static long long NowNs(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void Spin(long received) {
  static long long planted_ns = -1;
  if (planted_ns < 0) planted_ns = atoll(getenv("PLANTED_NS") ? getenv("PLANTED_NS") : "0");
  if (received <= 0) return;
  const long long end = NowNs() + planted_ns;
  while (NowNs() < end) {
  }
}

long syscall(long number, ...) {
  static long (*next)(long, ...) = NULL;
  if (next == NULL) next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  va_list rest;
  va_start(rest, number);
  long a[6];
  for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
  va_end(rest);
  const long result = next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (number == SYS_recvfrom) Spin(result);
  return result;
}

ssize_t recv(int fd, void* buffer, size_t length, int flags) {
  return syscall(SYS_recvfrom, fd, buffer, length, flags, NULL, NULL);
}
