#include "echo_server/connection.h"

#include "net/socket.h"

namespace io_selectors {

Next EchoHandler::OnReadable(Connection& connection) {
  const int fd = connection.fd.get();
  ++counters_.recv_calls;
  const ssize_t received = Receive(fd, buffer_, sizeof(buffer_));
  if (received == -EAGAIN) return Next::kRead;
  if (received <= 0) return Next::kClose;  // end of file, or a reset
  const size_t length = static_cast<size_t>(received);
  counters_.bytes_received += length;

  const ssize_t sent = SendSome(fd, buffer_, length);
  if (sent < 0) return Next::kClose;
  if (static_cast<size_t>(sent) == length) return Next::kRead;
  connection.unsent.assign(buffer_ + sent, length - static_cast<size_t>(sent));
  connection.unsent_offset = 0;
  return Next::kWrite;
}

Next EchoHandler::OnWritable(Connection& connection) {
  const size_t length = connection.unsent.size() - connection.unsent_offset;
  const ssize_t sent =
      SendSome(connection.fd.get(), connection.unsent.data() + connection.unsent_offset, length);
  if (sent < 0) return Next::kClose;
  connection.unsent_offset += static_cast<size_t>(sent);
  if (static_cast<size_t>(sent) < length) return Next::kWrite;
  connection.unsent = std::string();  // gives the memory back: most connections never need it
  connection.unsent_offset = 0;
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
