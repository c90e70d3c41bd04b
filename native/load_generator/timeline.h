// Timeline: the current phase of a run and when it ends: warm-up, a window, over. A process on its
// own uses the Conductor; a worker follows the Timeline of its parent.
#pragma once

#include <cstddef>
#include <cstdint>

namespace io_selectors {

/** What has been done since the load began. */
struct Progress {
  int64_t completed = 0;
  int64_t intended = 0;
};

struct Step {
  enum class Phase { kWarmUp, kWindow, kOver };

  Phase phase = Phase::kWarmUp;
  size_t window = 0;     // in kWindow: which one
  int64_t until_ns = 0;  // CLOCK_MONOTONIC: when to ask again
  int64_t edge_ns = 0;   // when it began; 0: when it was asked for
};

class Timeline {
 public:
  virtual ~Timeline() = default;
  Timeline() = default;
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;

  /** The load begins now. */
  virtual Step Begin(int64_t now_ns) = 0;

  /** What comes after a step whose time is over. May take a while: it samples. */
  virtual Step Next(const Progress& progress) = 0;
};

}  // namespace io_selectors
