// Conductor: decides when the warm-up is over and where the windows begin and end, and takes a
// Sample at every edge. The warm-up lasts for a given time at least and, if the options ask for it,
// until the load is steady.
#pragma once

#include <vector>

#include "load_generator/options.h"
#include "load_generator/sampler.h"
#include "load_generator/steady.h"
#include "load_generator/timeline.h"

namespace io_selectors {

class Conductor final : public Timeline {
 public:
  /**
   * @param lead_ns how long before the first window its begin is known. 0: at once, each window
   * begins where the last one's sample was taken, and samples take no time out of any window;
   * otherwise the edges are a grid that other processes can follow.
   */
  Conductor(const RunOptions& options, int64_t lead_ns);

  Step Begin(int64_t now_ns) override;
  Step Next(const Progress& progress) override;

  /** When the first window begins; 0: not decided yet. */
  int64_t measure_from_ns() const { return measure_from_ns_; }

  /** Window i lies between samples i and i+1. Where the run ended early there are fewer. */
  const std::vector<Sample>& samples() const { return samples_; }
  Sampler& sampler() { return sampler_; }

  int64_t warmup_ns() const { return measure_from_ns_ - began_ns_; }
  /** Whether the load came to rest in the time that was given. */
  bool steady() const { return steady_; }

 private:
  bool WarmupIsOver(const Progress& progress, int64_t now_ns);
  bool AddSlice(const Progress& progress, int64_t now_ns);
  Step WarmUp(int64_t now_ns) const;
  Step Measure();

  const RunOptions& options_;
  int64_t lead_ns_;
  Sampler sampler_;
  std::vector<Sample> samples_;
  int64_t began_ns_ = 0;
  int64_t measure_from_ns_ = 0;
  bool steady_ = false;
  int64_t slice_at_ns_ = 0;
  Progress slice_from_;
  int64_t slice_server_cpu_ns_ = 0;
  Steady throughput_;
  Steady cpu_per_message_;
};

}  // namespace io_selectors
