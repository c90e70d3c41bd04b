#include "load_generator/load.h"

#include <algorithm>
#include <cstring>

#include "core/timeout.h"
#include "load_generator/text.h"

namespace io_selectors {

namespace {

// After the last echo: long enough for bytes that nobody asked for to show up.
constexpr int64_t kListenOnNs = 20 * kNsPerMs;

}  // namespace

Load::Load(Traffic& traffic, Pace& pace, Alarm& alarm, const RunOptions& options)
    : traffic_(traffic),
      pace_(pace),
      alarm_(alarm),
      options_(options),
      sampler_(static_cast<pid_t>(options.server_pid)) {
  measurement_.windows.resize(static_cast<size_t>(options.windows));
  measurement_.samples.reserve(measurement_.windows.size() + 1);
  // Opens and lists what the first edge would have to open and list.
  (void)sampler_.Take();
}

Measurement Load::Run() {
  pace_.Shift(MonotonicNs());
  if (RunUntil(MonotonicNs() + options_.warmup_ms * kNsPerMs)) {
    TakeEdge();
    for (Window& window : measurement_.windows) {
      traffic_.CountInto(&window);
      if (!RunUntil(measurement_.samples.back().at_ns + options_.window_ms * kNsPerMs)) break;
      TakeEdge();
    }
  }
  traffic_.CountInto(nullptr);
  if (measurement_.error.empty()) Drain();
  return std::move(measurement_);
}

/**
 * Ends one window and begins the next: what is counted after it belongs to the next one, time and
 * CPU included. While the samples are read nobody sends or receives, so the schedule stands still
 * as well: that pause is ours, not the server's.
 */
void Load::TakeEdge() {
  measurement_.samples.push_back(sampler_.Take());
  pace_.Shift(MonotonicNs() - measurement_.samples.back().at_ns);
}

/** @returns false where the run cannot go on; the reason is in `measurement_.error`. */
bool Load::RunUntil(int64_t end_ns) {
  for (;;) {
    pace_.Send(traffic_);
    if (MonotonicNs() >= end_ns) return true;
    if (!Turn(alarm_.TimeoutNs(std::min(pace_.NextDueNs(), end_ns)), true)) return false;
    if (traffic_.alive() == 0 && traffic_.connections_lost() > 0) {
      measurement_.error = "the server closed or reset every connection";
      return false;
    }
  }
}

/** One wait and all that it brought; what falls due meanwhile is sent between two events. */
bool Load::Turn(int64_t timeout_ns, bool send) {
  const Result<int> waited = traffic_.Wait(timeout_ns);
  if (!waited.ok()) {
    measurement_.error =
        Format("%s: %s", waited.error().syscall, std::strerror(waited.error().errno_value));
    return false;
  }
  for (int i = 0; i < waited.value(); ++i) {
    const ReadyEvent& event = traffic_.event(i);
    if (event.fd == alarm_.fd() || !traffic_.IsCurrent(event)) continue;
    traffic_.Handle(traffic_.table().IdOf(event.fd), event);
    if (send) pace_.Send(traffic_);
  }
  return true;
}

void Load::Drain() {
  const int64_t end = MonotonicNs() + options_.drain_timeout_ms * kNsPerMs;
  for (int64_t now = MonotonicNs(); traffic_.outstanding() > 0 && now < end; now = MonotonicNs()) {
    if (!Turn(end - now, false)) return;
  }
  const int64_t quiet = std::min(end, MonotonicNs() + kListenOnNs);
  for (int64_t now = MonotonicNs(); now < quiet; now = MonotonicNs()) {
    if (!Turn(quiet - now, false)) return;
  }
}

}  // namespace io_selectors
