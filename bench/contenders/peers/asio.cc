// peer:asio: standalone Asio on one thread. A connection reads again when its write has completed,
// so at most one read per connection is in memory.
#include <unistd.h>

#include <array>
#include <asio.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <set>

using asio::ip::tcp;

namespace {

constexpr std::size_t kReadBufferBytes = 16 * 1024;
constexpr int kBacklog = 4096;

struct Counters {
  unsigned long long received, sent, accepted, closed;
};
Counters counters{};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(tcp::socket socket) : socket_(std::move(socket)) { open.insert(this); }
  ~Connection() {
    open.erase(this);
    counters.closed++;
  }

  void Read() {
    socket_.async_read_some(asio::buffer(bytes_),
                            [self = shared_from_this()](std::error_code error, std::size_t size) {
                              counters.received += size;
                              if (!error) self->Write(size);
                            });
  }

  void Close() {
    std::error_code ignored;
    socket_.close(ignored);
  }

  static std::set<Connection*> open;

 private:
  void Write(std::size_t size) {
    asio::async_write(socket_, asio::buffer(bytes_, size),
                      [self = shared_from_this()](std::error_code error, std::size_t sent) {
                        counters.sent += sent;
                        if (!error) self->Read();
                      });
  }

  tcp::socket socket_;
  std::array<char, kReadBufferBytes> bytes_;
};

std::set<Connection*> Connection::open;

void Accept(tcp::acceptor& acceptor, asio::steady_timer& pause) {
  acceptor.async_accept([&](std::error_code error, tcp::socket socket) {
    if (!acceptor.is_open()) return;
    if (error) {  // no descriptor is left: try again a little later
      pause.expires_after(std::chrono::milliseconds(100));
      pause.async_wait([&](std::error_code) {
        if (acceptor.is_open()) Accept(acceptor, pause);
      });
      return;
    }
    counters.accepted++;
    std::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::make_shared<Connection>(std::move(socket))->Read();
    Accept(acceptor, pause);
  });
}

}  // namespace

int main() {
  asio::io_context loop(1);
  tcp::acceptor acceptor(loop);
  acceptor.open(tcp::v4());
  acceptor.bind({asio::ip::address_v4::loopback(), 0});
  acceptor.listen(kBacklog);
  asio::steady_timer pause(loop);
  asio::signal_set signals(loop, SIGTERM, SIGINT);
  signals.async_wait([&](std::error_code, int) {
    acceptor.close();
    pause.cancel();
    for (Connection* connection : Connection::open) connection->Close();
  });
  Accept(acceptor, pause);
  std::printf("{\"event\":\"ready\",\"port\":%d,\"pid\":%d}\n", acceptor.local_endpoint().port(),
              getpid());
  std::fflush(stdout);
  loop.run();
  std::printf(
      "{\"event\":\"counters\",\"bytesReceived\":%llu,\"bytesSent\":%llu,"
      "\"connectionsAccepted\":%llu,\"connectionsClosed\":%llu}\n",
      counters.received, counters.sent, counters.accepted, counters.closed);
}
