#include "echo_server/connection.h"

#include <algorithm>
#include <new>

#include "net/socket.h"

namespace io_selectors {

Next EchoHandler::OnReadable(Connection& connection) {
  const int fd = connection.fd.get();
  ++counters_.recv_calls;
  const ssize_t received = Receive(fd, buffer_, sizeof(buffer_));
  drained_ = received < static_cast<ssize_t>(sizeof(buffer_));
  if (received == -EAGAIN) {
    ++counters_.vain_looks;
    return Next::kRead;
  }
  if (received <= 0) return Closed(fd);  // end of file, or a reset
  const size_t length = static_cast<size_t>(received);
  counters_.bytes_received += length;
  if (blocking_.enabled()) {
    blocking_calls_ = blocking_.CountIn(fd, buffer_, length);
    if (blocking_calls_ > 0 && blocks_in_ == BlocksIn::kWorker) {
      return Keep(connection, buffer_, length) ? Next::kWorker : Closed(fd);
    }
    blocking_.Sleep(blocking_calls_);
  }

  const ssize_t sent = SendSome(fd, buffer_, length);
  if (sent < 0) return Closed(fd);
  if (static_cast<size_t>(sent) == length) return Next::kRead;
  const bool kept = Keep(connection, buffer_ + sent, length - static_cast<size_t>(sent));
  return kept ? Next::kWrite : Closed(fd);
}

bool EchoHandler::Keep(Connection& connection, const char* data, size_t length) {
  connection.unsent.reset(new (std::nothrow) Unsent());
  if (connection.unsent == nullptr) return false;
  Unsent& unsent = *connection.unsent;
  unsent.bytes.reset(static_cast<char*>(AllocateForPeer(length)));
  if (unsent.bytes == nullptr) return false;
  std::copy(data, data + length, unsent.bytes.get());
  unsent.size = length;
  return true;
}

Next EchoHandler::OnWritable(Connection& connection) {
  Unsent& unsent = *connection.unsent;
  const size_t length = unsent.size - unsent.offset;
  const ssize_t sent = SendSome(connection.fd.get(), unsent.bytes.get() + unsent.offset, length);
  if (sent < 0) return Closed(connection.fd.get());
  unsent.offset += static_cast<size_t>(sent);
  if (static_cast<size_t>(sent) < length) return Next::kWrite;
  connection.unsent.reset();  // gives the memory back: most connections never need it
  return Next::kRead;
}

Next EchoHandler::Closed(int fd) {
  if (blocking_.enabled()) blocking_.Forget(fd);
  return Next::kClose;
}

ssize_t EchoHandler::SendSome(int fd, const char* data, size_t length) {
  ++counters_.send_calls;
  const ssize_t sent = Send(fd, data, length);
  if (sent == -EAGAIN) {
    ++counters_.vain_looks;
    return 0;
  }
  if (sent > 0) counters_.bytes_sent += static_cast<size_t>(sent);
  return sent;
}

}  // namespace io_selectors
