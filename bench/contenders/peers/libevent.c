// peer:libevent: bufferevents. Input is moved to the output without a copy, and reading stops while
// the output holds more than one read.
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

enum { kReadBufferBytes = 16 * 1024, kBacklog = 4096 };

typedef struct Connection {
  struct bufferevent* stream;
  int ended;
  LIST_ENTRY(Connection) others;
} Connection;

static LIST_HEAD(, Connection) connections = LIST_HEAD_INITIALIZER(connections);
static unsigned long long received, sent, accepted, closed;

static void close_connection(Connection* connection) {
  LIST_REMOVE(connection, others);
  bufferevent_free(connection->stream);
  free(connection);
  closed++;
}

static void on_sent(struct evbuffer* output, const struct evbuffer_cb_info* change, void* unused) {
  (void)output;
  (void)unused;
  sent += change->n_deleted;
}

static void on_read(struct bufferevent* stream, void* unused) {
  (void)unused;
  struct evbuffer* input = bufferevent_get_input(stream);
  struct evbuffer* output = bufferevent_get_output(stream);
  received += evbuffer_get_length(input);
  evbuffer_add_buffer(output, input);
  if (evbuffer_get_length(output) > kReadBufferBytes) bufferevent_disable(stream, EV_READ);
}

static void on_drained(struct bufferevent* stream, void* argument) {
  Connection* connection = argument;
  if (connection->ended) return close_connection(connection);
  bufferevent_enable(stream, EV_READ);
}

static void on_event(struct bufferevent* stream, short what, void* argument) {
  Connection* connection = argument;
  size_t unsent = evbuffer_get_length(bufferevent_get_output(stream));
  if ((what & BEV_EVENT_ERROR) != 0 || unsent == 0) return close_connection(connection);
  connection->ended = 1; /* the rest goes out first */
}

static void on_accept(struct evconnlistener* listener, evutil_socket_t fd, struct sockaddr* address,
                      int length, void* unused) {
  (void)address;
  (void)length;
  (void)unused;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Connection* connection = calloc(1, sizeof *connection);
  struct event_base* base = evconnlistener_get_base(listener);
  connection->stream = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
  accepted++;
  LIST_INSERT_HEAD(&connections, connection, others);
  bufferevent_set_max_single_read(connection->stream, kReadBufferBytes);
  evbuffer_add_cb(bufferevent_get_output(connection->stream), on_sent, NULL);
  bufferevent_setcb(connection->stream, on_read, on_drained, on_event, connection);
  bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
}

/** No descriptor is left: libevent would try again at once, without end, so it waits a moment. */
static void on_resume(evutil_socket_t fd, short what, void* listener) {
  (void)fd;
  (void)what;
  evconnlistener_enable(listener);
}

static void on_refused(struct evconnlistener* listener, void* unused) {
  (void)unused;
  const struct timeval pause = {0, 100 * 1000};
  evconnlistener_disable(listener);
  event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT, on_resume, listener, &pause);
}

static void on_signal(evutil_socket_t number, short what, void* base) {
  (void)number;
  (void)what;
  event_base_loopbreak(base);
}

int main(void) {
  struct event_base* base = event_base_new();
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  signal(SIGPIPE, SIG_IGN);
  const unsigned flags = LEV_OPT_CLOSE_ON_FREE;
  struct evconnlistener* listener = evconnlistener_new_bind(
      base, on_accept, NULL, flags, kBacklog, (struct sockaddr*)&address, sizeof address);
  if (listener == NULL) {
    perror("cannot listen on 127.0.0.1");
    return 1;
  }
  evconnlistener_set_error_cb(listener, on_refused);
  struct event* terminate = evsignal_new(base, SIGTERM, on_signal, base);
  struct event* interrupt = evsignal_new(base, SIGINT, on_signal, base);
  event_add(terminate, NULL);
  event_add(interrupt, NULL);
  getsockname(evconnlistener_get_fd(listener), (struct sockaddr*)&address, &length);
  printf("{\"event\":\"ready\",\"port\":%d,\"pid\":%d}\n", ntohs(address.sin_port), getpid());
  fflush(stdout);
  event_base_dispatch(base);
  const unsigned long long written = sent; /* what is freed unsent leaves the buffer, too */
  while (!LIST_EMPTY(&connections)) close_connection(LIST_FIRST(&connections));
  printf("{\"event\":\"counters\",\"bytesReceived\":%llu,\"bytesSent\":%llu,"
         "\"connectionsAccepted\":%llu,\"connectionsClosed\":%llu}\n",
         received, written, accepted, closed);
  return 0;
}
