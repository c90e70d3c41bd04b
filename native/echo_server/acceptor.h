// Acceptor: the listener of a server that waits with a Selector. Without a descriptor or memory for
// another connection the listener stays readable, and watching it would spin. It is therefore
// unregistered until a connection closes or 100 ms have passed. accept(2)
#pragma once

#include "core/selector.h"
#include "core/timeout.h"
#include "echo_server/server.h"

namespace io_selectors {

/** Whether other processes accept from the same listener, each waiting with EPOLLEXCLUSIVE. */
enum class ListenerSharing { kOurs, kShared };

class Acceptor {
 public:
  Acceptor(Server& server, Selector& selector, ListenerSharing sharing)
      : server_(server), selector_(selector), sharing_(sharing) {}

  /** Starts watching. */
  Result<void> Watch();

  /** Accepts what is there, as far as one wake may, and hands each descriptor to `take(fd)`. */
  template <typename Taker>
  void AcceptAll(Taker take) {
    for (int i = 0; i < accepts_per_wake(); ++i) {
      ++server_.counters.accept_calls;
      const int fd = Accept(server_.listener.get());
      if (fd < 0) {
        if (fd != -EAGAIN) Pause(-fd);
        return;
      }
      server_.counters.CountAccepted();
      take(fd);
    }
  }

  /** There is room again. */
  void OnClosed() {
    if (paused_) Resume();
  }

  /** For the next wait: until a pause is over, or kForever. Ends a pause whose time has come. */
  int64_t TimeoutNs();

 private:
  /** Sharing, a process takes few at a time, so that the others get some. */
  static constexpr int kAcceptsPerSharedWake = 8;

  bool shared() const { return sharing_ == ListenerSharing::kShared; }
  int accepts_per_wake() const { return shared() ? kAcceptsPerSharedWake : kAcceptsPerWake; }
  void Pause(int error);
  void Resume();

  Server& server_;
  Selector& selector_;
  ListenerSharing sharing_;
  bool paused_ = false;
  int64_t resume_at_ns_ = 0;  // kForever: only a close of ours helps
  bool said_ = false;
};

}  // namespace io_selectors
