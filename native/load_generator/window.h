// Window: what is counted while it is the current one. It lies in zeroed memory that exists before
// the run and may be shared between processes: see SharedArray.
#pragma once

#include <cstdint>

#include "load_generator/histogram.h"

namespace io_selectors {

/**
 * A message is intended and sent in the window in which that happens, and completed in the one in
 * which it is back; one that is overdue at the end of the load is intended in the last window.
 * Traffic::MeasureByDue() has other rules. In churn a cycle is a message. Zero bytes are a window
 * in which nothing happened.
 */
struct Window {
  int64_t intended = 0;
  int64_t sent = 0;
  int64_t completed = 0;
  int64_t answered = 0;           // completed, counted where the latency is
  int64_t hot_completed = 0;      // of the connection that floods; in no histogram
  int64_t errors = 0;             // cycles of churn that were refused or reset
  Histogram latency;              // from the intended send time
  Histogram latency_uncorrected;  // from the actual send
  Histogram send_lag;             // from the intended send time to the actual send
  Histogram sender_delay;         // from the intended send time to when the generator got to it
  int64_t in_flight_ns = 0;       // messages sent and not back, integrated over time
  int64_t spun_ns = 0;            // spent in waiting without sleeping

  void Add(const Window& other) {
    intended += other.intended;
    sent += other.sent;
    completed += other.completed;
    answered += other.answered;
    hot_completed += other.hot_completed;
    errors += other.errors;
    latency.Add(other.latency);
    latency_uncorrected.Add(other.latency_uncorrected);
    send_lag.Add(other.send_lag);
    sender_delay.Add(other.sender_delay);
    in_flight_ns += other.in_flight_ns;
    spun_ns += other.spun_ns;
  }
};

}  // namespace io_selectors
