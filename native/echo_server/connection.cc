#include "echo_server/connection.h"

#include "net/socket.h"

namespace io_selectors {

Next EchoHandler::OnReadable(Connection& connection) {
  const int fd = connection.fd.get();
  ++counters_.recv_calls;
  const ssize_t received = Receive(fd, buffer_, sizeof(buffer_));
  drained_ = received < static_cast<ssize_t>(sizeof(buffer_));
  if (received == -EAGAIN) return Next::kRead;
  if (received <= 0) return Next::kClose;  // end of file, or a reset
  const size_t length = static_cast<size_t>(received);
  counters_.bytes_received += length;

  const ssize_t sent = SendSome(fd, buffer_, length);
  if (sent < 0) return Next::kClose;
  if (static_cast<size_t>(sent) == length) return Next::kRead;
  connection.unsent.reset(new (std::nothrow) Unsent());
  const bool kept =
      connection.unsent != nullptr &&
      connection.unsent->bytes.Append(buffer_ + sent, length - static_cast<size_t>(sent));
  return kept ? Next::kWrite : Next::kClose;
}

Next EchoHandler::OnWritable(Connection& connection) {
  Unsent& unsent = *connection.unsent;
  const size_t length = unsent.bytes.size() - unsent.offset;
  const ssize_t sent = SendSome(connection.fd.get(), unsent.bytes.data() + unsent.offset, length);
  if (sent < 0) return Next::kClose;
  unsent.offset += static_cast<size_t>(sent);
  if (static_cast<size_t>(sent) < length) return Next::kWrite;
  connection.unsent.reset();  // gives the memory back: most connections never need it
  return Next::kRead;
}

ssize_t EchoHandler::SendSome(int fd, const char* data, size_t length) {
  ++counters_.send_calls;
  const ssize_t sent = Send(fd, data, length);
  if (sent == -EAGAIN) return 0;
  if (sent > 0) counters_.bytes_sent += static_cast<size_t>(sent);
  return sent;
}

}  // namespace io_selectors
