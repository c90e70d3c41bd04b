#include "load_generator/worker.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "core/timeout.h"
#include "load_generator/part.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace io_selectors {

namespace {

/** Sleeps until `look` is content. */
template <typename Look>
void WaitUntil(Look look) {
  const timespec pause = ToTimespec(kLookForOrdersNs);
  while (!look()) nanosleep(&pause, nullptr);
}

/** The parent's windows: a grid of edges that begins where it says. */
class FollowedTimeline final : public Timeline {
 public:
  FollowedTimeline(const RunOptions& options, WorkerPlace place)
      : windows_(options.windows), window_ns_(options.window_ms * kNsPerMs), place_(place) {}

  Step Begin(int64_t now_ns) override {
    Step step;
    step.until_ns = std::max(now_ns, place_.orders->begin_ns.load()) + kLookForOrdersNs;
    return step;
  }

  Step Next(const Progress& progress) override {
    place_.report->completed.store(progress.completed);
    place_.report->intended.store(progress.intended);
    const int64_t now_ns = MonotonicNs();
    const int64_t from_ns = place_.orders->measure_from_ns.load();
    Step step;
    if (from_ns == 0 || now_ns < from_ns) {
      step.until_ns = from_ns == 0 ? now_ns + kLookForOrdersNs : from_ns;
      return step;
    }
    // The clock decides: a worker that was late for an edge is in the current window.
    const int64_t window = (now_ns - from_ns) / window_ns_;
    step.phase = window < windows_ ? Step::Phase::kWindow : Step::Phase::kOver;
    step.window = static_cast<size_t>(window);
    step.until_ns = from_ns + (window + 1) * window_ns_;
    return step;
  }

 private:
  int64_t windows_;
  int64_t window_ns_;
  WorkerPlace place_;
};

class WorkerDirection final : public Direction {
 public:
  WorkerDirection(const RunOptions& options, const Share& share, WorkerPlace place)
      : options_(options), share_(share), place_(place), timeline_(options, place) {}

  bool NextGoal(uint32_t* connections) override {
    *connections = share_.connections;
    if (options_.mode != LoadMode::kMemory) return stage_ == 0;
    // After the last stage, too: it is sampled while all connections are open.
    WaitUntil([this] { return place_.orders->stage.load() > stage_; });
    if (stage_ == options_.stages.size()) return false;
    *connections = static_cast<uint32_t>(PartOfStage(options_, share_, options_.stages[stage_]));
    return true;
  }

  void Reached() override { place_.report->stage.store(++stage_); }

  void Ready() override {
    place_.report->ready.store(true);
    WaitUntil([this] { return place_.orders->begin_ns.load() > 0; });
  }

  Timeline& timeline() override { return timeline_; }

 private:
  const RunOptions& options_;
  const Share& share_;
  WorkerPlace place_;
  FollowedTimeline timeline_;
  uint32_t stage_ = 0;
};

/** The kernel ends us when our parent does. */
void DieWith(pid_t parent) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  // It may have died before that call, and then no signal will ever come.
  if (getppid() != parent) _exit(128 + SIGKILL);
}

}  // namespace

void RunWorker(const RunOptions& options, const Share& share, WorkerPlace place, pid_t parent) {
  DieWith(parent);
  WorkerDirection direction(options, share, place);
  RunPart(options, share, direction, place.windows, &place.report->tally);
  place.report->over.store(true);
  // Not exit(): what the parent has buffered and registered is not ours.
  _exit(0);
}

}  // namespace io_selectors
