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
    : traffic_(traffic), pace_(pace), alarm_(alarm), options_(options) {}

/**
 * At an edge one window ends and the next begins: what is counted after it belongs to the next one,
 * time and CPU included. While the samples are read nobody sends or receives, so the schedule
 * stands still as well: that pause is ours, not the server's.
 */
std::string Load::Run(Timeline& timeline, Window* windows) {
  const int64_t already = traffic_.completed();
  Step step = timeline.Begin(MonotonicNs());
  int64_t now_ns = MonotonicNs();
  pace_.Shift(now_ns);
  const bool hot = options_.hot > 0 && traffic_.table()[0].role == Role::kHot;
  if (hot) traffic_.Flood(0, static_cast<uint32_t>(options_.hot));
  bool comparing = false;
  while (step.phase != Step::Phase::kOver && RunUntil(step.until_ns)) {
    now_ns = MonotonicNs();
    step = timeline.Next(Progress{traffic_.completed() - already, traffic_.intended()});
    const bool measured = step.phase == Step::Phase::kWindow;
    traffic_.CountInto(measured ? &windows[step.window] : nullptr);
    if (measured && !comparing) traffic_.BeginFairness(MonotonicNs());
    comparing = comparing || measured;
    if (step.phase == Step::Phase::kOver) traffic_.EndFairness(now_ns);
    pace_.Shift(MonotonicNs() - now_ns);
  }
  traffic_.CountInto(nullptr);
  traffic_.EndFloods();
  if (error_.empty()) Drain();
  return error_;
}

/** @returns false where the run cannot go on; the reason is in `error_`. */
bool Load::RunUntil(int64_t end_ns) {
  for (;;) {
    pace_.Send(traffic_);
    if (MonotonicNs() >= end_ns) return true;
    if (!Turn(alarm_.TimeoutNs(std::min(pace_.NextDueNs(), end_ns)), true)) return false;
    if (traffic_.alive() == 0 && traffic_.connections_lost() > 0) {
      error_ = "the server closed or reset every connection";
      return false;
    }
  }
}

/** One wait and all that it brought; what falls due meanwhile is sent between two events. */
bool Load::Turn(int64_t timeout_ns, bool send) {
  const Result<int> waited = traffic_.Wait(timeout_ns);
  if (!waited.ok()) {
    error_ = Format("%s: %s", waited.error().syscall, std::strerror(waited.error().errno_value));
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
