#include "load_generator/pace.h"

#include "core/timeout.h"

namespace io_selectors {

namespace {

constexpr int kSendsAtOnce = 16;

}  // namespace

void OpenPace::Send(Traffic& traffic) {
  for (int i = 0; i < kSendsAtOnce && schedule_.due_ns() <= MonotonicNs(); ++i) {
    ++traffic.window().intended;
    // Not taken means intended but never sent: the window's figures show it.
    (void)traffic.Post(schedule_.connection(), schedule_.due_ns());
    schedule_.Advance();
  }
}

void ClosedPace::Send(Traffic& traffic) {
  const uint32_t connections = traffic.table().size();
  uint32_t refused = 0;
  while (traffic.outstanding() < in_flight_ && refused < connections) {
    const uint32_t id = turn_;
    turn_ = turn_ + 1 == connections ? 0 : turn_ + 1;
    if (traffic.Post(id, kWhenSent)) {
      ++traffic.window().intended;
      refused = 0;
    } else {
      ++refused;
    }
  }
}

}  // namespace io_selectors
