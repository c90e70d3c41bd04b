// reactor-epoll-edge: a reactor whose connections are registered once, for both directions,
// edge-triggered. An edge is reported once, so the server must remember connections that may have
// more bytes: they stay in a list and get one read per turn like all others, so that none starves.
// epoll(7)
#ifdef __linux__

#include <memory>
#include <vector>

#include "echo_server/event_loop.h"
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

class EdgeLoop : public EventLoop<EdgeLoop, EdgeConnection> {
 public:
  static constexpr int32_t kInterest = kRead | kWrite;
  static constexpr Mode kMode = Mode::kEdge;

  EdgeLoop(Server& server, Selector& selector)
      : EventLoop(server, selector, ListenerSharing::kOurs) {}

  void OnReady(const ReadyEvent& event, EdgeConnection& connection) {
    const bool listed = HasWork(connection);
    if ((event.ready & kRead) != 0) connection.readable = true;
    if ((event.ready & kWrite) != 0) connection.writable = true;
    if (event.flags != 0) connection.ended = true;
    if (!listed && HasWork(connection)) ready_.push_back({event.fd, event.generation});
  }

  bool HasWork() const { return !ready_.empty(); }

  /** One step for each connection with work. A connection that has more is queued again, before
   * newer ones, and continues after the next poll of the kernel. */
  void FinishTurn() {
    for (const Waiting& waiting : ready_) {
      if (!IsCurrent(waiting.fd, waiting.generation)) continue;
      if (Serve(ConnectionOf(waiting.fd))) left_over_.push_back(waiting);
    }
    ready_.swap(left_over_);
    left_over_.clear();
  }

 private:
  struct Waiting {
    int fd;
    int32_t generation;
  };

  /** @returns whether there may be more to do without another edge. */
  bool Serve(EdgeConnection& connection) {
    const bool was_blocked = connection.blocked();
    const Next next = Echo(connection);
    if (next == Next::kClose) {
      Close(connection);
      return false;
    }
    if (!was_blocked && handler().drained() && !connection.ended) connection.readable = false;
    connection.writable = next != Next::kWrite;
    return HasWork(connection);
  }

  static bool HasWork(const EdgeConnection& connection) {
    return connection.blocked() ? connection.writable : connection.readable;
  }

  std::vector<Waiting> ready_;      // with work to do in this turn
  std::vector<Waiting> left_over_;  // with more in the next
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
