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

class HostLoop {
 public:
  static Result<HostLoop> Make(uv_loop_t* loop);

  int fd() const { return set_.get(); }

  /**
   * Edge (the default): each new event of Node's loop ends one wait, so a caller that never yields
   * does not spin. Level: waits end for as long as Node has events, for a caller that yields a turn
   * each time (Reactor.run).
   */
  Result<void> SetLevel(bool level);

  /**
   * Makes fd() ready at this time (CLOCK_MONOTONIC), or before: a timer that is set for earlier
   * stays. A timeout of the wait itself would set the hardware's timer anew for each wait, which
   * under a hypervisor costs more than the rest of the wait.
   */
  Result<void> WakeBy(int64_t monotonic_ns);

  /** Takes what made fd() ready. @returns whether Node's loop has events. */
  bool Drain();

  /** Nanoseconds until Node's loop wants a turn by itself: 0 now, kForever without a timer. */
  int64_t NextTurnNs() const;

 private:
  Result<void> Watch(int fd, bool level, bool anew);
  Result<void> SetTimer(int64_t monotonic_ns);

  uv_loop_t* loop_ = nullptr;
  OwnedFd set_;
  OwnedFd timer_;
  int64_t wakes_at_ns_ = 0;  // 0: the timer is not set
  bool level_ = false;
};

}  // namespace io_selectors
