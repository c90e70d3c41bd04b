// Load: the run itself. Warm-up, the measured windows edge to edge, then a drain in which nothing
// new is sent.
// Enters: connections that are open, a pace. Leaves: a Window between every two Samples.
#pragma once

#include <string>
#include <vector>

#include "load_generator/alarm.h"
#include "load_generator/options.h"
#include "load_generator/pace.h"
#include "load_generator/sampler.h"
#include "load_generator/traffic.h"
#include "load_generator/window.h"

namespace io_selectors {

/** Window i lies between samples i and i+1. Where the run ended early there are fewer samples. */
struct Measurement {
  std::vector<Window> windows;
  std::vector<Sample> samples;
  std::string error;  // empty: it ran to its end
};

class Load {
 public:
  Load(Traffic& traffic, Pace& pace, Alarm& alarm, const RunOptions& options);

  Measurement Run();

 private:
  void TakeEdge();
  bool RunUntil(int64_t end_ns);
  bool Turn(int64_t timeout_ns, bool send);
  void Drain();

  Traffic& traffic_;
  Pace& pace_;
  Alarm& alarm_;
  const RunOptions& options_;
  Sampler sampler_;
  Measurement measurement_;
};

}  // namespace io_selectors
