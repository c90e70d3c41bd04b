// Window: what is counted while it is the current one. Allocated before the run.
#pragma once

#include <cstdint>

#include "load_generator/histogram.h"

namespace io_selectors {

/** A message is intended and sent in the window in which that happens, and completed in the one in
 * which it is back. */
struct Window {
  int64_t intended = 0;
  int64_t sent = 0;
  int64_t completed = 0;
  Histogram latency;              // from the intended send time
  Histogram latency_uncorrected;  // from the actual send
  Histogram send_lag;             // from the intended send time to the actual send
};

}  // namespace io_selectors
