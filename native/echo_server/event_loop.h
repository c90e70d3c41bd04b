// The loop of the servers that wait with a Selector: it accepts, finds the connection of each ready
// descriptor, and closes. The strategy handles a ready connection; it is a template parameter, so
// that the loop adds no call.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/selector.h"
#include "echo_server/acceptor.h"
#include "echo_server/connection_table.h"
#include "echo_server/server.h"

namespace io_selectors {

/**
 * `Strategy` derives from this and has `kInterest` and `kMode`, which connections are registered
 * with, and `OnReady(event, connection)`; it may have `kBlocksIn`. `Entry` derives from
 * Connection, or is it.
 */
template <typename Strategy, typename Entry>
class EventLoop {
 public:
  EventLoop(Server& server, Selector& selector, ListenerSharing sharing)
      : server_(server),
        selector_(selector),
        kernel_set_(selector.fileno() >= 0),
        acceptor_(server, selector, sharing),
        handler_(server.counters, server.blocking, Strategy::kBlocksIn),
        connections_(server.counters) {}

  /** Serves until the stop signal, then closes every connection. */
  Result<void> Run() {
    const Result<int32_t> stop = selector_.Register(server_.stop.fd(), kRead);
    if (!stop.ok()) return stop.error();
    const Result<void> listening = acceptor_.Watch();
    if (!listening.ok()) return listening;
    while (!StopSignal::Raised()) {
      ++server_.counters.wait_calls;
      const int64_t timeout_ns = acceptor_.TimeoutNs();
      const Result<int> count = selector_.Select(ring_.data(), static_cast<int>(ring_.size()),
                                                 strategy().HasWork() ? 0 : timeout_ns);
      if (!count.ok()) {
        if (count.error().errno_value == EINTR) continue;  // the stop signal; the flag says so
        return count.error();
      }
      CountLooks(static_cast<uint64_t>(count.value()));
      for (int i = 0; i < count.value(); ++i) Dispatch(ring_[static_cast<size_t>(i)]);
      strategy().FinishTurn();
    }
    connections_.CloseAll();
    return {};
  }

 protected:
  static constexpr BlocksIn kBlocksIn = BlocksIn::kThisThread;

  /** Whether the next wait may only look. */
  static constexpr bool HasWork() { return false; }

  /** After the events of each wait. */
  static void FinishTurn() {}

  Selector& selector() { return selector_; }
  const EchoHandler& handler() const { return handler_; }

  /** One call that receives, or one that sends what was kept. */
  Next Echo(Entry& connection) {
    return connection.blocked() ? handler_.OnWritable(connection) : handler_.OnReadable(connection);
  }

  /** Whether that registration still stands: its descriptor may have been closed, and perhaps
   * accepted again, since. */
  bool IsCurrent(int fd, int32_t generation) const {
    return selector_.Generation(fd) == generation;
  }

  Entry& ConnectionOf(int fd) { return connections_[fd]; }

  bool Watch(int fd, int32_t interest) {
    if (kernel_set_) ++server_.counters.control_calls;
    return selector_.Modify(fd, interest).ok();
  }

  void Unwatch(int fd) {
    if (kernel_set_) ++server_.counters.control_calls;
    // A failed Modify or Register has unregistered it already.
    (void)selector_.Unregister(fd).ok();
  }

  /** A descriptor that is not watched. @returns false if it cannot be; it is not watched then. */
  bool StartWatching(int fd, int32_t interest) {
    RegisterOptions options;
    options.mode = Strategy::kMode;
    if (kernel_set_) ++server_.counters.control_calls;
    return selector_.Register(fd, interest, options).ok();
  }

  void Close(Entry& connection) {
    Unwatch(connection.fd.get());
    Drop(connection);
  }

  /** Closes a connection that is not watched. */
  void Drop(Entry& connection) {
    connections_.Close(connection);
    acceptor_.OnClosed();
  }

 private:
  Strategy& strategy() { return static_cast<Strategy&>(*this); }

  /** A wait without a set in the kernel looks at every descriptor, the listener and the pipe too.
   */
  void CountLooks(uint64_t events) {
    Counters& counters = server_.counters;
    counters.events_returned += events;
    if (kernel_set_) return;
    const uint64_t watched = counters.connections_accepted - counters.connections_closed + 2;
    counters.vain_looks += watched - std::min(watched, events);
  }

  void Dispatch(const ReadyEvent& event) {
    if (!IsCurrent(event.fd, event.generation)) return;
    if (event.fd == server_.listener.get()) return AcceptAll();
    if (event.fd == server_.stop.fd()) return;
    strategy().OnReady(event, connections_[event.fd]);
  }

  /** Not inlined, so that a message does not pay for the registers that accepting needs. */
  [[gnu::noinline]] void AcceptAll() {
    acceptor_.AcceptAll([this](int fd) { Open(fd); });
  }

  void Open(int fd) {
    Entry* connection = connections_.Add(fd);
    if (connection == nullptr) return;
    if (!StartWatching(fd, Strategy::kInterest)) Drop(*connection);
  }

  Server& server_;
  Selector& selector_;
  const bool kernel_set_;  // the kernel keeps what is watched, and each change is a call
  Acceptor acceptor_;
  EchoHandler handler_;
  ConnectionTable<Entry> connections_;
  std::array<ReadyEvent, kEventsPerWait> ring_{};
};

}  // namespace io_selectors
