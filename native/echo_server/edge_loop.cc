// reactor-epoll-edge: a reactor whose connections are registered once, for both directions,
// edge-triggered. An edge comes once, so what is left must be remembered: a connection that may
// have more stays in a list, and gets one read a turn like everybody, so that nothing starves.
// epoll(7). Enters: edges. Leaves: the shared EchoHandler's recv and send.
#ifdef __linux__

#include <array>

#include "echo_server/connection_table.h"
#include "echo_server/report.h"
#include "echo_server/selector_loop.h"
#include "echo_server/strategies.h"

namespace io_selectors {

namespace {

struct EdgeConnection : Connection {
  bool readable = false;  // bytes, or the end of the stream, may be there without another edge
  bool writable = false;  // the last send took all, or an edge came since
  bool ended = false;     // the peer's end waits behind the bytes: a short read does not drain
};

class EdgeLoop {
 public:
  EdgeLoop(Server& server, Selector& selector)
      : server_(server),
        selector_(selector),
        acceptor_(server, selector, ListenerSharing::kOurs),
        handler_(server.counters),
        connections_(server.counters) {}

  Result<void> Run() {
    const Result<int32_t> stop = selector_.Register(server_.stop.fd(), kRead);
    if (!stop.ok()) return stop.error();
    const Result<void> listening = acceptor_.Watch();
    if (!listening.ok()) return listening;
    while (!StopSignal::Raised()) {
      ++server_.counters.wait_calls;
      const int64_t timeout_ns = acceptor_.TimeoutNs();
      const Result<int> count = selector_.Select(ring_.data(), static_cast<int>(ring_.size()),
                                                 ready_.empty() ? timeout_ns : 0);
      if (!count.ok()) {
        if (count.error().errno_value == EINTR) continue;  // the stop signal; the flag says so
        return count.error();
      }
      server_.counters.events_returned += static_cast<uint64_t>(count.value());
      for (int i = 0; i < count.value(); ++i) Dispatch(ring_[static_cast<size_t>(i)]);
      ServeReady();
    }
    connections_.CloseAll();
    return {};
  }

 private:
  struct Waiting {
    int fd;
    int32_t generation;
  };

  void Dispatch(const ReadyEvent& event) {
    // Closed, and perhaps accepted anew, earlier in this batch.
    if (selector_.Generation(event.fd) != event.generation) return;
    if (event.fd == server_.listener.get()) {
      return acceptor_.AcceptAll([this](int fd) { Open(fd); });
    }
    if (event.fd == server_.stop.fd()) return;
    EdgeConnection& connection = connections_[event.fd];
    const bool listed = HasWork(connection);
    if ((event.ready & kRead) != 0) connection.readable = true;
    if ((event.ready & kWrite) != 0) connection.writable = true;
    if (event.flags != 0) connection.ended = true;
    if (!listed && HasWork(connection)) ready_.push_back({event.fd, event.generation});
  }

  /** One step for each connection with work; who has more comes again, before newer ones, after the
   * next look at the kernel. */
  void ServeReady() {
    for (const Waiting& waiting : ready_) {
      if (selector_.Generation(waiting.fd) != waiting.generation) continue;
      if (Serve(connections_[waiting.fd])) left_over_.push_back(waiting);
    }
    ready_.swap(left_over_);
    left_over_.clear();
  }

  /** @returns whether there may be more to do without another edge. */
  bool Serve(EdgeConnection& connection) {
    const bool was_blocked = connection.blocked();
    const Next next =
        was_blocked ? handler_.OnWritable(connection) : handler_.OnReadable(connection);
    if (next == Next::kClose) {
      Close(connection);
      return false;
    }
    if (!was_blocked && handler_.drained() && !connection.ended) connection.readable = false;
    connection.writable = next != Next::kWrite;
    return HasWork(connection);
  }

  static bool HasWork(const EdgeConnection& connection) {
    return connection.blocked() ? connection.writable : connection.readable;
  }

  void Open(int fd) {
    EdgeConnection& connection = connections_.Add(fd);
    RegisterOptions edge;
    edge.mode = Mode::kEdge;
    if (!selector_.Register(fd, kRead | kWrite, edge).ok()) Close(connection);
  }

  void Close(EdgeConnection& connection) {
    // A failed Register has left nothing behind.
    (void)selector_.Unregister(connection.fd.get()).ok();
    connections_.Close(connection);
    acceptor_.OnClosed();
  }

  Server& server_;
  Selector& selector_;
  Acceptor acceptor_;
  EchoHandler handler_;
  ConnectionTable<EdgeConnection> connections_;
  std::vector<Waiting> ready_;      // with work to do in this turn
  std::vector<Waiting> left_over_;  // with more in the next
  std::array<ReadyEvent, kEventsPerWait> ring_{};
};

}  // namespace

Result<void> RunEdgeLoop(Server& server) {
  const Result<std::unique_ptr<Selector>> selector = MakeSelector("epoll");
  if (!selector.ok()) return selector.error();
  AnnounceReady(server);
  const auto loop = std::make_unique<EdgeLoop>(server, *selector.value());
  return loop->Run();
}

}  // namespace io_selectors

#endif  // __linux__
