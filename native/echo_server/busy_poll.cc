// Busy waiting: receives from every connection in turn, without end. Costs one recv per connection
// and pass, and a whole core at any load.

#include <memory>

#include "echo_server/connection.h"
#include "echo_server/report.h"
#include "echo_server/strategies.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

class BusyPoll {
 public:
  explicit BusyPoll(Server& server) : server_(server), handler_(server.counters, server.blocking) {}

  void Run() {
    while (!StopSignal::Raised()) {
      AcceptAll();
      for (size_t i = 0; i < connections_.size();) {
        if (Ask(connections_[i]) == Next::kClose) {
          Close(i);  // another one has this place now
        } else {
          ++i;
        }
      }
    }
    while (!connections_.empty()) Close(connections_.size() - 1);
  }

 private:
  Next Ask(Connection& connection) {
    return connection.blocked() ? handler_.OnWritable(connection) : handler_.OnReadable(connection);
  }

  void AcceptAll() {
    for (int i = 0; i < kAcceptsPerWake; ++i) {
      ++server_.counters.accept_calls;
      const int fd = Accept(server_.listener.get());
      if (fd < 0) return;  // none, or no descriptor for it: asked again in the next pass
      OwnedFd accepted(fd);
      if (!Reserve(connections_, connections_.size() + 1)) continue;  // no memory: it is closed
      connections_.emplace_back();
      connections_.back().fd = std::move(accepted);
      server_.counters.CountAccepted();
    }
  }

  void Close(size_t index) {
    const size_t last = connections_.size() - 1;
    if (index < last) connections_[index] = std::move(connections_[last]);
    connections_.pop_back();
    server_.counters.CountClosed();
  }

  Server& server_;
  EchoHandler handler_;
  std::vector<Connection> connections_;
};

}  // namespace

Result<void> RunBusyPoll(Server& server) {
  AnnounceReady(server);
  const auto loop = std::make_unique<BusyPoll>(server);
  loop->Run();
  return {};
}

}  // namespace io_selectors
