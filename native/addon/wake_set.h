// WakeSet: what ends a wait from outside: a waker, one timer and, on Linux, Node's own event loop.
// One small epoll set (or kqueue) that the waiting side watches as a single descriptor.
// epoll(7), timerfd_create(2), kqueue(2), uv_backend_fd
#pragma once

#include <uv.h>

#include <cstdint>

#include "core/owned_fd.h"
#include "core/result.h"

namespace io_selectors {

#ifdef __linux__
/** Whether a set of ours can hold Node's descriptor: see wake_set.cc. */
constexpr bool kCanWatchHost = true;
#else
constexpr bool kCanWatchHost = false;
#endif

class WakeSet {
 public:
  /** What made fd() ready. */
  struct Ready {
    bool host = false;   // Node's loop has events
    bool waker = false;  // another thread, or this one, woke the source
    bool timer = false;  // the time of WakeBy() has come
  };

  /** @param waker_fd watched as well, edge-triggered. */
  static Result<WakeSet> Make(uv_loop_t* loop, int waker_fd);

  int fd() const { return set_.get(); }

  /** Node's events make fd() ready from now on: once if some are pending, and once for each new
   * one. Call it again after a pass of Node's loop. Does nothing unless kCanWatchHost. */
  Result<void> WatchHost();

  /** Before Node's loop watches the source, which would otherwise be a circle (epoll_ctl(2): ELOOP,
   * for which libuv aborts the process). */
  void LeaveHost();

  bool watches_host() const { return watches_host_; }

  /**
   * Makes fd() ready at this time (CLOCK_MONOTONIC), or before: a timer that is set for earlier
   * stays. A timeout of the wait itself would program the hardware's timer for each wait, which
   * under a hypervisor costs more than the rest of the wait.
   */
  Result<void> WakeBy(int64_t monotonic_ns);

  /** Takes what made fd() ready. */
  Ready Drain();

 private:
  Result<void> SetTimer(int64_t monotonic_ns);

  uv_loop_t* loop_ = nullptr;
  OwnedFd set_;
  OwnedFd timer_;
  int waker_fd_ = -1;
  int64_t wakes_at_ns_ = 0;  // 0: the timer is not set
  bool watches_host_ = false;
};

}  // namespace io_selectors
