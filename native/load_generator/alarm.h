// Alarm: wakes a Selector at a given time. A wait's own timeout is set and cancelled by every wait,
// also by those that a reply ends; a timerfd is set once for each due time. This halves the cost of
// a wait on a virtual machine, where programming the timer exits to the hypervisor.
// timerfd_create(2)
#pragma once

#include <cstdint>

#include "core/owned_fd.h"
#include "core/selector.h"

namespace io_selectors {

class Alarm {
 public:
  /** Uses a timerfd if the system has it and the selector takes it edge-triggered. */
  explicit Alarm(Selector& selector);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  /**
   * The timeout for the next wait, so that it ends at `due_ns` (CLOCK_MONOTONIC) at the latest: 0
   * if that is now or about to be, kForever if the descriptor does it.
   */
  int64_t TimeoutNs(int64_t due_ns);

  /** The descriptor whose events mean nothing but that the wait is over; -1 without one. */
  int fd() const { return fd_.get(); }

 private:
  Selector& selector_;
  OwnedFd fd_;
  int64_t set_to_ns_ = 0;
};

}  // namespace io_selectors
