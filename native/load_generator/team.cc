#include "load_generator/team.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <vector>

#include "core/shared_array.h"
#include "core/timeout.h"
#include "load_generator/announcer.h"
#include "load_generator/instant.h"
#include "load_generator/text.h"
#include "load_generator/worker.h"

namespace io_selectors {

namespace {

constexpr int64_t kWatchWorkersNs = 5 * kNsPerMs;
// In addition to the times of their orders, for workers that share a busy CPU. Each also closes its
// connections before it ends; a million of them take half a minute.
constexpr int64_t kMarginNs = 5 * kNsPerSecond;
constexpr int64_t kMarginPerConnectionNs = 100'000;

void SleepUntil(int64_t due_ns) {
  const int64_t left_ns = due_ns - MonotonicNs();
  if (left_ns <= 0) return;
  const timespec time = ToTimespec(left_ns);
  nanosleep(&time, nullptr);
}

class Team {
 public:
  Team(const RunOptions& options, uint32_t processes)
      : options_(options),
        processes_(processes),
        windows_a_worker_(static_cast<size_t>(options.windows) + 1),
        orders_(1),
        reports_(processes),
        windows_(processes * windows_a_worker_) {}

  ~Team() {
    for (const pid_t pid : pids_) {
      if (pid > 0) kill(pid, SIGKILL);
    }
    for (const pid_t pid : pids_) {
      if (pid > 0) waitpid(pid, nullptr, 0);
    }
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  RunResult Run() {
    RunResult result;
    if (orders_.size() == 0 || reports_.size() == 0 || windows_.size() == 0) {
      result.tally.SetError("mmap: no memory for the windows");
      return result;
    }
    Fork();
    if (error_.empty()) Conduct(&result);
    for (uint32_t i = 0; i < processes_; ++i) result.tally.Add(reports_[i].tally);
    if (result.tally.error[0] == '\0') result.tally.SetError(error_);
    return result;
  }

 private:
  void Fork() {
    const pid_t parent = getpid();
    for (uint32_t i = 0; i < processes_ && error_.empty(); ++i) {
      const Share share = ShareOfPart(options_, i, processes_);
      const pid_t pid = fork();
      if (pid == 0) RunWorker(options_, share, PlaceOf(i), parent);
      if (pid > 0) pids_.push_back(pid);
      if (pid < 0) error_ = Format("fork: %s", std::strerror(errno));
    }
  }

  void Conduct(RunResult* result) {
    Conductor conductor(options_, kLeadNs);
    Announcer announcer(options_, conductor, processes_);
    for (size_t stage = 0; stage < announcer.stages(); ++stage) {
      orders_[0].stage.store(static_cast<uint32_t>(stage + 1));
      const auto reached = [&] { return AllReached(stage + 1); };
      if (!WatchUntil(StageDeadline(), reached) || !Expect(reached())) return;
      announcer.Reached(stage);
    }
    orders_[0].stage.store(static_cast<uint32_t>(announcer.stages() + 1));
    if (options_.mode != LoadMode::kMemory && !Load(conductor)) return;
    const int64_t margin_ns = kMarginNs + options_.connections * kMarginPerConnectionNs;
    const int64_t end_ns = MonotonicNs() + options_.drain_timeout_ms * kNsPerMs + margin_ns;
    if (!WatchUntil(end_ns, [this] { return AllOver(); }) || !Expect(AllOver())) return;
    announcer.Windows(Merge(), result);
  }

  bool Load(Conductor& conductor) {
    const int64_t ready_by_ns = MonotonicNs() + options_.fill_timeout_ms * kNsPerMs + kMarginNs;
    const auto ready = [this] { return AllReady(); };
    if (!WatchUntil(ready_by_ns, ready) || !Expect(ready())) return false;
    int64_t begin_ns = MonotonicNs() + kLeadNs;
    if (options_.begin_on_command == 1) begin_ns = AwaitBegin();
    if (begin_ns == 0) {
      error_ = "standard input ended before the command to begin";
      return false;
    }
    orders_[0].begin_ns.store(begin_ns);
    Step step = conductor.Begin(begin_ns);
    while (step.phase != Step::Phase::kOver) {
      if (!WatchUntil(step.until_ns, [] { return false; })) return false;
      step = conductor.Next(Done());
      orders_[0].measure_from_ns.store(conductor.measure_from_ns());
    }
    return true;
  }

  /** Until then, or `done` is content. @returns false if a worker has ended early. */
  template <typename Done>
  bool WatchUntil(int64_t end_ns, Done done) {
    while (!done()) {
      if (!AllAlive()) return false;
      const int64_t now_ns = MonotonicNs();
      if (now_ns >= end_ns) return true;
      const int64_t look_ns = now_ns + kWatchWorkersNs * (processes_ > 8 ? 4 : 1);
      SleepUntil(std::min(end_ns, look_ns));
    }
    return true;
  }

  /** One that has ended without having reported it fails the run; its own reason comes first. */
  bool AllAlive() {
    int status = 0;
    for (;;) {
      const pid_t pid = waitpid(-1, &status, WNOHANG);
      if (pid <= 0) break;
      const auto at = std::find(pids_.begin(), pids_.end(), pid);
      if (at == pids_.end()) continue;
      *at = 0;
      const size_t index = static_cast<size_t>(at - pids_.begin());
      if (!reports_[index].over.load()) {
        error_ = WIFSIGNALED(status)
                     ? Format("process %zu was ended by signal %d", index, WTERMSIG(status))
                     : Format("process %zu ended with %d", index, WEXITSTATUS(status));
      }
    }
    for (size_t i = 0; i < reports_.size() && error_.empty(); ++i) {
      if (reports_[i].over.load()) error_ = reports_[i].tally.error;
    }
    return error_.empty();
  }

  bool Expect(bool done) {
    if (!done) error_ = "a process neither goes on nor ends";
    return done;
  }

  /** Adds all windows up, into those of the first worker. */
  const Window* Merge() {
    for (uint32_t i = 1; i < processes_; ++i) {
      for (size_t w = 0; w + 1 < windows_a_worker_; ++w) {
        windows_[w].Add(windows_[i * windows_a_worker_ + w]);
      }
    }
    return windows_.data();
  }

  bool AllReached(size_t stage) {
    return All([stage](const WorkerReport& report) { return report.stage.load() >= stage; });
  }
  bool AllReady() {
    return All([](const WorkerReport& report) { return report.ready.load(); });
  }
  bool AllOver() {
    return All([](const WorkerReport& report) { return report.over.load(); });
  }

  template <typename Is>
  bool All(Is is) {
    return std::all_of(reports_.data(), reports_.data() + reports_.size(), is);
  }

  Progress Done() {
    Progress done;
    for (size_t i = 0; i < reports_.size(); ++i) {
      done.completed += reports_[i].completed.load();
      done.intended += reports_[i].intended.load();
    }
    return done;
  }

  /** The workers keep the time-out; this only guards against one that hangs. */
  int64_t StageDeadline() const {
    return MonotonicNs() + options_.connect_timeout_ms * kNsPerMs * 2 + kMarginNs;
  }

  WorkerPlace PlaceOf(uint32_t index) {
    return WorkerPlace{orders_.data(), &reports_[index], &windows_[index * windows_a_worker_]};
  }

  const RunOptions& options_;
  uint32_t processes_;
  size_t windows_a_worker_;
  SharedArray<Orders> orders_;
  SharedArray<WorkerReport> reports_;
  SharedArray<Window> windows_;
  std::vector<pid_t> pids_;  // 0: ended
  std::string error_;
};

}  // namespace

RunResult RunTeam(const RunOptions& options, uint32_t processes) {
  return Team(options, processes).Run();
}

}  // namespace io_selectors
