// One thread, one Selector: wait, then handle each ready connection. Schmidt's Reactor without its
// ceremony, and, with the select and poll backends, the servers of Kegel's C10K page.
// https://www.kegel.com/c10k.html Enters: ready events. Leaves: the shared EchoHandler's recv and
// send.

#include <sys/resource.h>

#include <array>

#include "backends/backends.h"
#include "echo_server/connection.h"
#include "echo_server/strategies.h"
#include "net/socket.h"

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
  SelectorLoop(Server& server, Selector& selector)
      : server_(server), selector_(selector), handler_(server.counters) {}

  Result<void> Run() {
    const Result<int32_t> stop = selector_.Register(server_.stop.fd(), kRead);
    if (!stop.ok()) return stop.error();
    const Result<void> listening = ResumeAccepting();
    if (!listening.ok()) return listening;
    while (!StopSignal::Raised()) {
      ++server_.counters.wait_calls;
      const Result<int> count =
          selector_.Select(ring_.data(), static_cast<int>(ring_.size()), kForever);
      if (!count.ok()) {
        if (count.error().errno_value == EINTR) continue;  // the stop signal; the flag says so
        return count.error();
      }
      server_.counters.events_returned += static_cast<uint64_t>(count.value());
      for (int i = 0; i < count.value(); ++i) Dispatch(ring_[static_cast<size_t>(i)]);
    }
    CloseAll();
    return {};
  }

 private:
  void Dispatch(const ReadyEvent& event) {
    // Closed, and perhaps accepted anew, earlier in this batch.
    if (selector_.Generation(event.fd) != event.generation) return;
    if (event.fd == server_.listener.get()) return AcceptAll();
    if (event.fd == server_.stop.fd()) return;
    Connection& connection = connections_[static_cast<size_t>(event.fd)];
    const bool was_blocked = connection.blocked();
    const Next next =
        was_blocked ? handler_.OnWritable(connection) : handler_.OnReadable(connection);
    if (next == Next::kClose) return Close(connection);
    const bool is_blocked = next == Next::kWrite;
    if (is_blocked == was_blocked) return;
    if (!selector_.Modify(event.fd, is_blocked ? kWrite : kRead).ok()) Close(connection);
  }

  void AcceptAll() {
    for (int i = 0; i < kEventsPerWait; ++i) {
      ++server_.counters.accept_calls;
      const int fd = Accept(server_.listener.get());
      if (fd < 0) {
        if (fd != -EAGAIN) PauseAccepting();
        return;
      }
      Open(fd);
    }
  }

  void Open(int fd) {
    const size_t index = static_cast<size_t>(fd);
    if (connections_.size() <= index) connections_.resize((index + 1) * 2);
    Connection& connection = connections_[index];
    connection.fd.Reset(fd);
    server_.counters.CountAccepted();
    if (!selector_.Register(fd, kRead).ok()) Close(connection);
  }

  void Close(Connection& connection) {
    // A failed Modify or Register has unregistered it already.
    (void)selector_.Unregister(connection.fd.get()).ok();
    connection = Connection();
    ++server_.counters.connections_closed;
    // EBUSY or ENOMEM now would only leave us paused until the next close.
    if (accept_paused_) (void)ResumeAccepting().ok();
  }

  /** EMFILE and its kin: the listener stays readable, so watching it would spin until a connection
   * closes. */
  void PauseAccepting() { accept_paused_ = selector_.Unregister(server_.listener.get()).ok(); }

  Result<void> ResumeAccepting() {
    const Result<int32_t> listening = selector_.Register(server_.listener.get(), kRead);
    if (!listening.ok()) return listening.error();
    accept_paused_ = false;
    return {};
  }

  void CloseAll() {
    for (Connection& connection : connections_) {
      if (!connection.fd.valid()) continue;
      connection = Connection();
      ++server_.counters.connections_closed;
    }
  }

  Server& server_;
  Selector& selector_;
  EchoHandler handler_;
  std::vector<Connection> connections_;  // by descriptor
  std::array<ReadyEvent, kEventsPerWait> ring_{};
  bool accept_paused_ = false;
};

}  // namespace

Result<void> RunSelectorLoop(Server& server, std::string_view backend) {
  SelectorOptions options;
  options.fd_set_size = DescriptorLimit();
  const Result<std::unique_ptr<Selector>> selector = FindBackend(backend)->make(options);
  if (!selector.ok()) return selector.error();
  const auto loop = std::make_unique<SelectorLoop>(server, *selector.value());
  return loop->Run();
}

}  // namespace io_selectors
