// One thread, one Selector: wait, then handle each ready connection. Schmidt's Reactor without its
// ceremony, and, with the select and poll backends, the servers of Kegel's C10K page.
// https://www.kegel.com/c10k.html Enters: ready events. Leaves: the shared EchoHandler's recv and
// send.

#include "echo_server/selector_loop.h"

#include <sys/resource.h>

#include <array>

#include "backends/backends.h"
#include "echo_server/connection_table.h"
#include "echo_server/report.h"
#include "echo_server/strategies.h"

namespace io_selectors {

namespace {

/** Large enough for every descriptor that this process may open. */
int DescriptorLimit() {
  rlimit limit{};
  constexpr rlim_t kLargestSet = 1 << 20;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > kLargestSet) return kLargestSet;
  return static_cast<int>(limit.rlim_cur);
}

class SelectorLoop {
 public:
  SelectorLoop(Server& server, Selector& selector, ListenerSharing sharing)
      : server_(server),
        selector_(selector),
        acceptor_(server, selector, sharing),
        handler_(server.counters),
        connections_(server.counters) {}

  Result<void> Run() {
    const Result<int32_t> stop = selector_.Register(server_.stop.fd(), kRead);
    if (!stop.ok()) return stop.error();
    const Result<void> listening = acceptor_.Watch();
    if (!listening.ok()) return listening;
    while (!StopSignal::Raised()) {
      ++server_.counters.wait_calls;
      const Result<int> count =
          selector_.Select(ring_.data(), static_cast<int>(ring_.size()), acceptor_.TimeoutNs());
      if (!count.ok()) {
        if (count.error().errno_value == EINTR) continue;  // the stop signal; the flag says so
        return count.error();
      }
      server_.counters.events_returned += static_cast<uint64_t>(count.value());
      for (int i = 0; i < count.value(); ++i) Dispatch(ring_[static_cast<size_t>(i)]);
    }
    connections_.CloseAll();
    return {};
  }

 private:
  void Dispatch(const ReadyEvent& event) {
    // Closed, and perhaps accepted anew, earlier in this batch.
    if (selector_.Generation(event.fd) != event.generation) return;
    if (event.fd == server_.listener.get()) {
      return acceptor_.AcceptAll([this](int fd) { Open(fd); });
    }
    if (event.fd == server_.stop.fd()) return;
    Connection& connection = connections_[event.fd];
    const bool was_blocked = connection.blocked();
    const Next next =
        was_blocked ? handler_.OnWritable(connection) : handler_.OnReadable(connection);
    if (next == Next::kClose) return Close(connection);
    const bool is_blocked = next == Next::kWrite;
    if (is_blocked == was_blocked) return;
    if (!selector_.Modify(event.fd, is_blocked ? kWrite : kRead).ok()) Close(connection);
  }

  void Open(int fd) {
    Connection& connection = connections_.Add(fd);
    if (!selector_.Register(fd, kRead).ok()) Close(connection);
  }

  void Close(Connection& connection) {
    // A failed Modify or Register has unregistered it already.
    (void)selector_.Unregister(connection.fd.get()).ok();
    connections_.Close(connection);
    acceptor_.OnClosed();
  }

  Server& server_;
  Selector& selector_;
  Acceptor acceptor_;
  EchoHandler handler_;
  ConnectionTable<Connection> connections_;
  std::array<ReadyEvent, kEventsPerWait> ring_{};
};

}  // namespace

Result<std::unique_ptr<Selector>> MakeSelector(std::string_view backend) {
  SelectorOptions options;
  options.fd_set_size = DescriptorLimit();
  return FindBackend(backend)->make(options);
}

Result<void> ServeWithSelector(Server& server, std::string_view backend, ListenerSharing sharing) {
  const Result<std::unique_ptr<Selector>> selector = MakeSelector(backend);
  if (!selector.ok()) return selector.error();
  const auto loop = std::make_unique<SelectorLoop>(server, *selector.value(), sharing);
  return loop->Run();
}

Result<void> RunSelectorLoop(Server& server, std::string_view backend) {
  AnnounceReady(server);
  return ServeWithSelector(server, backend, ListenerSharing::kOurs);
}

}  // namespace io_selectors
