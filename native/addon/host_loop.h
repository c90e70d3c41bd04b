// HostLoop: what ends a wait from Node's side. One small epoll set holds the environment's own
// event loop (its uv_backend_fd) and one timer, and is itself the Selector's wake descriptor.
// Enters: uv_loop_t. Leaves: one descriptor to watch, and what made it ready. uv_backend_fd,
// uv_backend_timeout, timerfd_create(2)
#pragma once

#include <uv.h>

#include <cstdint>

#include "core/owned_fd.h"
#include "core/result.h"

namespace io_selectors {

/** How Node's own events end waits. */
enum class Hosting {
  kEdge,   // each new one ends one wait: a caller that never yields does not spin
  kLevel,  // for as long as there are any: for a caller that yields a turn each time (Reactor.run)
  kApart,  // not at all: for while the selector itself is watched by Node's loop, which would
           // otherwise be a circle (epoll_ctl(2): ELOOP)
};

class HostLoop {
 public:
  /** What made fd() ready. */
  struct Ready {
    bool host = false;   // Node's loop has events
    bool waker = false;  // somebody woke the selector
  };

  /** @param waker_fd watched as well, edge-triggered. */
  static Result<HostLoop> Make(uv_loop_t* loop, int waker_fd);

  int fd() const { return set_.get(); }
  Result<void> SetHosting(Hosting hosting);

  /**
   * Makes fd() ready at this time (CLOCK_MONOTONIC), or before: a timer that is set for earlier
   * stays. A timeout of the wait itself would set the hardware's timer anew for each wait, which
   * under a hypervisor costs more than the rest of the wait.
   */
  Result<void> WakeBy(int64_t monotonic_ns);

  /** Takes what made fd() ready. */
  Ready Drain();

  /** Nanoseconds until Node's loop wants a turn by itself: 0 now, kForever without a timer. */
  int64_t NextTurnNs() const;

 private:
  Result<void> Watch(int fd, Hosting hosting);
  Result<void> SetTimer(int64_t monotonic_ns);

  uv_loop_t* loop_ = nullptr;
  OwnedFd set_;
  OwnedFd timer_;
  int waker_fd_ = -1;
  int64_t wakes_at_ns_ = 0;  // 0: the timer is not set
  Hosting hosting_ = Hosting::kApart;
};

}  // namespace io_selectors
