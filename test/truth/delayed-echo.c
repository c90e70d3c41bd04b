// Echoes each message so many microseconds after the kernel received it, and says at its end how
// late the echoes truly left. It never sleeps: the time that a CPU takes to wake up is no part of
// what is planted, and what another program takes from it is in its own account.
//
//   delayed-echo DELAY_US    prints {"port":N}; after SIGTERM {"messages":N,"p50Us":X,"p99Us":X}
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kHeld = 1 << 16, kBytes = 256, kMessages = 1 << 20 };

struct Held {
  int fd;
  ssize_t length;
  int64_t arrived_ns;
  char data[kBytes];
};

static struct Held held[kHeld];
static uint32_t first, next;
static int64_t delays_ns[kMessages];
static size_t messages;
static volatile sig_atomic_t stopped;

static void OnStop(int signal) {
  (void)signal;
  stopped = 1;
}

// The kernel's receive times are of this clock. timestamping.rst of the kernel's documentation
static int64_t NowNs(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void Fail(const char* call) {
  perror(call);
  exit(1);
}

static void AcceptAll(int listener, int poller) {
  int fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    const int one = 1;
    const int stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof stamps) != 0) {
      Fail("setsockopt(SO_TIMESTAMPING)");
    }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

// @returns when the kernel received it; the time of the call if it does not say.
static int64_t ArrivalOf(struct msghdr* message) {
  for (struct cmsghdr* part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_TIMESTAMPING) continue;
    struct timespec at;
    memcpy(&at, CMSG_DATA(part), sizeof at);
    if (at.tv_sec != 0) return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
  }
  return NowNs();
}

static void Receive(int fd) {
  struct Held* one = &held[next % kHeld];
  char control[256];
  struct iovec into = {one->data, kBytes};
  struct msghdr message = {.msg_iov = &into, .msg_iovlen = 1};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  one->fd = fd;
  one->length = recvmsg(fd, &message, 0);
  if (one->length <= 0) {
    if (one->length == 0 || errno != EAGAIN) close(fd);
    return;
  }
  one->arrived_ns = ArrivalOf(&message);
  ++next;
}

static void SendDue(int64_t delay_ns) {
  while (first != next) {
    const struct Held* one = &held[first % kHeld];
    const int64_t now = NowNs();
    if (now < one->arrived_ns + delay_ns) return;
    ++first;
    // A peer that has gone gets none.
    if (send(one->fd, one->data, (size_t)one->length, MSG_NOSIGNAL) != one->length) continue;
    if (messages < kMessages) delays_ns[messages++] = now - one->arrived_ns;
  }
}

static int BySize(const void* a, const void* b) {
  const int64_t difference = *(const int64_t*)a - *(const int64_t*)b;
  return (difference > 0) - (difference < 0);
}

static double QuantileUs(double share) {
  if (messages == 0) return 0;
  return (double)delays_ns[(size_t)(share * (double)(messages - 1))] / 1000;
}

int main(int count, char** arguments) {
  const int64_t delay_ns = (count > 1 ? atoll(arguments[1]) : 1000) * 1000;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr*)&address, size) != 0) Fail("bind");
  if (listen(listener, 128) != 0) Fail("listen");
  if (getsockname(listener, (struct sockaddr*)&address, &size) != 0) Fail("getsockname");
  const int poller = epoll_create1(0);
  if (poller < 0) Fail("epoll_create1");
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) != 0) Fail("epoll_ctl");
  signal(SIGTERM, OnStop);
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);
  while (!stopped) {
    struct epoll_event events[64];
    const int ready = epoll_wait(poller, events, 64, 0);
    for (int i = 0; i < ready; ++i) {
      if (events[i].data.fd == listener) {
        AcceptAll(listener, poller);
      } else {
        Receive(events[i].data.fd);
      }
    }
    SendDue(delay_ns);
  }
  qsort(delays_ns, messages, sizeof delays_ns[0], BySize);
  printf("{\"messages\":%zu,\"p50Us\":%.1f,\"p99Us\":%.1f}\n", messages, QuantileUs(0.5),
         QuantileUs(0.99));
  return 0;
}
