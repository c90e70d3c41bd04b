#include "load_generator/announcer.h"

#include "core/timeout.h"
#include "load_generator/memory_sample.h"
#include "load_generator/share.h"
#include "load_generator/text.h"

namespace io_selectors {

namespace {

// What closes, frees and wakes after the last echo is over by then.
constexpr int64_t kSettleNs = 300 * kNsPerMs;

}  // namespace

Announcer::Announcer(const RunOptions& options, Conductor& conductor, uint32_t processes)
    : options_(options), conductor_(conductor), processes_(processes), began_ns_(MonotonicNs()) {}

size_t Announcer::stages() const {
  return options_.mode == LoadMode::kMemory ? options_.stages.size() : 1;
}

int64_t Announcer::Goal(size_t stage) const {
  const Share share = ShareOfPart(options_, 0, 1);
  if (options_.mode == LoadMode::kMemory)
    return PartOfStage(options_, share, options_.stages[stage]);
  return options_.mode == LoadMode::kChurn ? share.in_flight : share.connections;
}

void Announcer::Reached(size_t stage) {
  if (options_.mode != LoadMode::kMemory) {
    return PrintLine(ConnectedLine(Goal(stage), MonotonicNs() - began_ns_, processes_));
  }
  const timespec time = ToTimespec(kSettleNs);
  nanosleep(&time, nullptr);
  Sampler& sampler = conductor_.sampler();
  PrintLine(MemoryLine(Goal(stage), TakeMemorySample(sampler.server(), sampler.client())));
}

void Announcer::Windows(const Window* windows, RunResult* result) const {
  const std::vector<Sample>& samples = conductor_.samples();
  if (samples.empty()) return;
  result->warmup =
      WarmupReport{conductor_.warmup_ns(), options_.steady_within_ms > 0, conductor_.steady()};
  PrintLine(WarmupLine(result->warmup));
  for (size_t i = 0; i + 1 < samples.size(); ++i) {
    PrintLine(WindowLine(i, windows[i], samples[i], samples[i + 1]));
    result->messages += windows[i].completed;
  }
}

}  // namespace io_selectors
