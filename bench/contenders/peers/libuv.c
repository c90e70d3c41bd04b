// peer:libuv: uv_tcp_t over libuv's loop. Reading stops while a connection has an unsent write.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

enum { kReadBufferBytes = 16 * 1024, kBacklog = 4096 };

typedef struct {
  uv_tcp_t tcp; /* first, so that a handle is its connection */
  uv_write_t write;
  size_t unsent;
  int ended;
  char bytes[kReadBufferBytes];
} Connection;

static uv_tcp_t listener;
static uv_signal_t signals[2];
static unsigned long long received, sent, accepted, closed;

static void on_closed(uv_handle_t* handle) {
  closed++;
  free(handle);
}

static void close_connection(Connection* connection) {
  uv_handle_t* handle = (uv_handle_t*)connection;
  if (!uv_is_closing(handle)) uv_close(handle, on_closed);
}

static void on_alloc(uv_handle_t* handle, size_t suggested, uv_buf_t* buffer) {
  (void)suggested;
  *buffer = uv_buf_init(((Connection*)handle)->bytes, kReadBufferBytes);
}

static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);

static void on_written(uv_write_t* request, int status) {
  Connection* connection = (Connection*)request->handle;
  if (status < 0) return close_connection(connection);
  sent += connection->unsent;
  uv_read_start(request->handle, on_alloc, on_read);
}

static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  Connection* connection = (Connection*)stream;
  if (count < 0) return close_connection(connection);
  if (count == 0) return;
  received += (size_t)count;
  uv_buf_t rest = uv_buf_init(buffer->base, (unsigned)count);
  int done = uv_try_write(stream, &rest, 1);
  if (done < 0 && done != UV_EAGAIN) return close_connection(connection);
  if (done < 0) done = 0;
  sent += (unsigned)done;
  if (done == count) return;
  uv_read_stop(stream);
  rest = uv_buf_init(buffer->base + done, (unsigned)(count - done));
  connection->unsent = rest.len;
  if (uv_write(&connection->write, stream, &rest, 1, on_written) < 0) close_connection(connection);
}

static void on_connection(uv_stream_t* server, int status) {
  if (status < 0) return;
  Connection* connection = malloc(sizeof *connection);
  if (connection == NULL) return;
  uv_tcp_init(server->loop, &connection->tcp);
  if (uv_accept(server, (uv_stream_t*)connection) < 0) {
    uv_close((uv_handle_t*)connection, (uv_close_cb)free);
    return;
  }
  accepted++;
  uv_tcp_nodelay(&connection->tcp, 1);
  uv_read_start((uv_stream_t*)connection, on_alloc, on_read);
}

static void close_handle(uv_handle_t* handle, void* unused) {
  (void)unused;
  int ours = handle == (uv_handle_t*)&listener || handle->type == UV_SIGNAL;
  if (!uv_is_closing(handle)) uv_close(handle, ours ? NULL : on_closed);
}

static void on_signal(uv_signal_t* handle, int number) {
  (void)number;
  uv_walk(handle->loop, close_handle, NULL);
}

int main(void) {
  uv_loop_t* loop = uv_default_loop();
  struct sockaddr_in address;
  int length = sizeof address;
  const int numbers[2] = {SIGTERM, SIGINT};
  for (int i = 0; i < 2; i++) {
    uv_signal_init(loop, &signals[i]);
    uv_signal_start(&signals[i], on_signal, numbers[i]);
  }
  signal(SIGPIPE, SIG_IGN);
  uv_ip4_addr("127.0.0.1", 0, &address);
  uv_tcp_init(loop, &listener);
  uv_tcp_bind(&listener, (struct sockaddr*)&address, 0);
  int error = uv_listen((uv_stream_t*)&listener, kBacklog, on_connection);
  if (error < 0) {
    fprintf(stderr, "cannot listen on 127.0.0.1: %s\n", uv_strerror(error));
    return 1;
  }
  uv_tcp_getsockname(&listener, (struct sockaddr*)&address, &length);
  printf("{\"event\":\"ready\",\"port\":%d,\"pid\":%d}\n", ntohs(address.sin_port), getpid());
  fflush(stdout);
  uv_run(loop, UV_RUN_DEFAULT);
  printf("{\"event\":\"counters\",\"bytesReceived\":%llu,\"bytesSent\":%llu,"
         "\"connectionsAccepted\":%llu,\"connectionsClosed\":%llu}\n",
         received, sent, accepted, closed);
  return 0;
}
