#include "load_generator/conductor.h"

#include <algorithm>

#include "core/timeout.h"

namespace io_selectors {

namespace {

constexpr int64_t kSliceNs = 250 * kNsPerMs;

}  // namespace

Conductor::Conductor(const RunOptions& options, int64_t lead_ns)
    : options_(options), lead_ns_(lead_ns), sampler_(options) {
  samples_.reserve(static_cast<size_t>(options.windows) + 1);
}

Step Conductor::Begin(int64_t now_ns) {
  began_ns_ = slice_at_ns_ = now_ns;
  // Opens and lists what the first edge would have to open and list.
  slice_server_cpu_ns_ = sampler_.Take().server.cpu_ns;
  return WarmUp(now_ns);
}

Step Conductor::Next(const Progress& progress) {
  if (measure_from_ns_ > 0) return Measure();
  const int64_t now_ns = MonotonicNs();
  if (!WarmupIsOver(progress, now_ns)) return WarmUp(now_ns);
  // Several machines follow one grid, to which a late look must not add.
  const bool grid = options_.begin_on_command == 1;
  measure_from_ns_ = lead_ns_ + (grid ? began_ns_ + options_.warmup_ms * kNsPerMs : now_ns);
  if (lead_ns_ == 0) return Measure();
  Step step;
  step.until_ns = measure_from_ns_;
  return step;
}

bool Conductor::WarmupIsOver(const Progress& progress, int64_t now_ns) {
  const int64_t passed_ns = now_ns - began_ns_;
  if (options_.steady_within_ms == 0) return passed_ns >= options_.warmup_ms * kNsPerMs;
  if (now_ns - slice_at_ns_ >= kSliceNs) steady_ = AddSlice(progress, now_ns);
  if (passed_ns < options_.warmup_ms * kNsPerMs) return false;
  return steady_ || passed_ns >= options_.steady_within_ms * kNsPerMs;
}

/** A slice of the warm-up is over. @returns whether the last ones are steady. */
bool Conductor::AddSlice(const Progress& progress, int64_t now_ns) {
  const Sample sample = sampler_.Take();
  const double seconds = static_cast<double>(now_ns - slice_at_ns_) / 1e9;
  const double completed = static_cast<double>(progress.completed - slice_from_.completed);
  const double intended = static_cast<double>(progress.intended - slice_from_.intended);
  // In open loop what is sent varies by itself; that all of it comes back is what can settle.
  const bool open = options_.mode == LoadMode::kOpen && intended > 0;
  throughput_.Add(open ? completed / intended : completed / seconds);
  const int64_t cpu_ns = sample.server.cpu_ns - slice_server_cpu_ns_;
  const bool has_cpu = sample.server.cpu_ns != kUnknown && completed > 0;
  cpu_per_message_.Add(has_cpu ? static_cast<double>(cpu_ns) / completed : 0);
  slice_at_ns_ = now_ns;
  slice_from_ = progress;
  slice_server_cpu_ns_ = sample.server.cpu_ns;
  return throughput_.Reached() && cpu_per_message_.Reached();
}

Step Conductor::WarmUp(int64_t now_ns) const {
  Step step;
  const int64_t over_ns = began_ns_ + options_.warmup_ms * kNsPerMs;
  const bool watched = options_.steady_within_ms > 0;
  step.until_ns = watched ? slice_at_ns_ + kSliceNs : over_ns;
  // The shortest: a watched warm-up whose slice and least time do not fall together.
  if (watched && over_ns > now_ns) step.until_ns = std::min(step.until_ns, over_ns);
  return step;
}

Step Conductor::Measure() {
  const size_t edge = samples_.size();
  samples_.push_back(sampler_.Take());
  Step step;
  step.phase =
      edge < static_cast<size_t>(options_.windows) ? Step::Phase::kWindow : Step::Phase::kOver;
  step.window = edge;
  const int64_t window_ns = options_.window_ms * kNsPerMs;
  step.until_ns = lead_ns_ == 0 ? samples_.back().at_ns + window_ns
                                : measure_from_ns_ + static_cast<int64_t>(edge + 1) * window_ns;
  return step;
}

}  // namespace io_selectors
