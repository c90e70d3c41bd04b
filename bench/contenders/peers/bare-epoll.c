// peer:bare-epoll: epoll(7) in C without a library, level-triggered, on one thread. Reading stops
// while a connection has unsent bytes.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kReadBufferBytes = 16 * 1024, kBacklog = 4096, kEventsPerWait = 256 };

typedef struct {
  size_t start, end;
  char bytes[kReadBufferBytes];
} Unsent;

/* By descriptor; NULL while nothing is unsent. */
static Unsent** unsent;
static int table_size, set, listener, listening;
static char buffer[kReadBufferBytes];
static unsigned long long received, sent, accepted;

static int watch(int operation, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  return epoll_ctl(set, operation, fd, &event);
}

static void listen_again(void) {
  if (!listening) listening = watch(EPOLL_CTL_ADD, listener, EPOLLIN) == 0;
}

static void close_connection(int fd) {
  free(unsent[fd]);
  unsent[fd] = NULL;
  close(fd);
  listen_again();
}

/* Returns the number of bytes that the kernel took, or -1. */
static ssize_t send_some(int fd, const char* bytes, size_t length) {
  ssize_t count = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN ? 0 : -1;
  sent += (size_t)count;
  return count;
}

static void on_readable(int fd) {
  ssize_t count = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return close_connection(fd);
  received += (size_t)count;
  ssize_t done = send_some(fd, buffer, (size_t)count);
  if (done < 0) return close_connection(fd);
  if (done == count) return;
  Unsent* rest = malloc(sizeof *rest);
  if (rest == NULL) return close_connection(fd);
  rest->start = 0;
  rest->end = (size_t)(count - done);
  memcpy(rest->bytes, buffer + done, rest->end);
  unsent[fd] = rest;
  if (watch(EPOLL_CTL_MOD, fd, EPOLLOUT) < 0) close_connection(fd);
}

static void on_writable(int fd) {
  Unsent* rest = unsent[fd];
  ssize_t done = send_some(fd, rest->bytes + rest->start, rest->end - rest->start);
  if (done < 0) return close_connection(fd);
  rest->start += (size_t)done;
  if (rest->start < rest->end) return;
  free(rest);
  unsent[fd] = NULL;
  if (watch(EPOLL_CTL_MOD, fd, EPOLLIN) < 0) close_connection(fd);
}

/* Makes room for a descriptor in the table. */
static int has_room(int fd) {
  if (fd < table_size) return 1;
  int size = fd * 2 + 64;
  Unsent** larger = realloc(unsent, (size_t)size * sizeof *unsent);
  if (larger == NULL) return 0;
  memset(larger + table_size, 0, (size_t)(size - table_size) * sizeof *unsent);
  unsent = larger;
  table_size = size;
  return 1;
}

static void on_connections(void) {
  const int on = 1;
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN) return;
      /* No descriptor or no memory: until a connection is closed. */
      watch(EPOLL_CTL_DEL, listener, 0);
      listening = 0;
      return;
    }
    if (!has_room(fd)) {
      close(fd);
      continue;
    }
    accepted++;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (watch(EPOLL_CTL_ADD, fd, EPOLLIN) < 0) close_connection(fd);
  }
}

/* Returns the port, or -1. */
static int open_listener(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr*)&address, length) < 0) return -1;
  if (listen(listener, kBacklog) < 0) return -1;
  if (getsockname(listener, (struct sockaddr*)&address, &length) < 0) return -1;
  return ntohs(address.sin_port);
}

/* A descriptor that is readable once the server has to stop. */
static int open_stop(void) {
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  sigprocmask(SIG_BLOCK, &stop, NULL);
  return signalfd(-1, &stop, SFD_CLOEXEC);
}

static void serve(int stop) {
  struct epoll_event events[kEventsPerWait];
  for (;;) {
    int count = epoll_wait(set, events, kEventsPerWait, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == stop) return;
      if (fd == listener) on_connections();
      else if (unsent[fd] != NULL) on_writable(fd);
      else on_readable(fd);
    }
  }
}

int main(void) {
  int stop = open_stop();
  int port = open_listener();
  set = epoll_create1(EPOLL_CLOEXEC);
  if (port < 0 || stop < 0 || set < 0 || watch(EPOLL_CTL_ADD, stop, EPOLLIN) < 0) {
    perror("cannot listen on 127.0.0.1");
    return 1;
  }
  listen_again();
  printf("{\"event\":\"ready\",\"port\":%d,\"pid\":%d}\n", port, getpid());
  fflush(stdout);
  serve(stop);
  /* The connections that are still open are closed by exiting. */
  printf("{\"event\":\"counters\",\"bytesReceived\":%llu,\"bytesSent\":%llu,"
         "\"connectionsAccepted\":%llu,\"connectionsClosed\":%llu}\n",
         received, sent, accepted, accepted);
  return 0;
}
