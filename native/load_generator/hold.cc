#include "load_generator/hold.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "core/shared_array.h"
#include "core/timeout.h"
#include "load_generator/command_reader.h"
#include "load_generator/connector.h"
#include "load_generator/instant.h"
#include "load_generator/limits.h"
#include "load_generator/load.h"
#include "load_generator/part.h"
#include "load_generator/report.h"
#include "load_generator/run.h"
#include "load_generator/text.h"
#include "load_generator/window_command.h"

namespace io_selectors {

namespace {

// How often a window checks whether a command stops it.
constexpr int64_t kLookForCommandsNs = 5 * kNsPerMs;

// A closed loop settles until as many messages as it has in flight are back, or for this long.
constexpr int64_t kLongestSettleNs = 2000 * kNsPerMs;

// An open loop settles for this many times the time of the first answer: by then as many answers
// come back as requests are sent, however long an answer takes.
constexpr int64_t kAnswerTimes = 2;

// If a closed loop took longer to settle than the command says, the window lasts this many times
// as long. Otherwise a server that reads all requests before it answers the first one would be
// measured in only one of these phases.
constexpr int64_t kRoundTrips = 4;

/** Settling, then one window, which a command may end early. */
class OneWindow final : public Timeline {
 public:
  OneWindow(const WindowCommand& command, Sampler& sampler, Traffic& traffic, Window* window,
            CommandReader& commands)
      : command_(command),
        sampler_(sampler),
        traffic_(traffic),
        window_(window),
        commands_(commands) {}

  Step Begin(int64_t now_ns) override {
    began_ns_ = now_ns;
    Step step;
    step.until_ns = command_.at_ns > 0 ? command_.at_ns : now_ns + command_.settle_ms * kNsPerMs;
    return step;
  }

  Step Next(const Progress& progress) override {
    Step step;
    if (until_ns_ == 0 && !HasSettled(progress)) {
      step.until_ns = MonotonicNs() + kNsPerMs;
      return step;
    }
    step.phase = Step::Phase::kWindow;
    if (until_ns_ == 0) {
      const int64_t before_ns = MonotonicNs();
      held_.begin = sampler_.TakeBefore();
      step.edge_ns = held_.begin.at_ns;
      until_ns_ = step.edge_ns + LengthNs(step.edge_ns - began_ns_);
      held_.settle_ns = step.edge_ns - began_ns_;
      // Without the kernel's stamps the clock of the messages stands still while samples are taken.
      traffic_.MeasureByDue(window_, traffic_.stamped() ? step.edge_ns : before_ns);
    } else if (MonotonicNs() >= until_ns_ || commands_.NextIs("stop")) {
      held_.end = sampler_.Take();
      step.phase = Step::Phase::kOver;
      step.edge_ns = held_.end.at_ns;
    }
    step.until_ns = std::min(until_ns_, MonotonicNs() + kLookForCommandsNs);
    return step;
  }

  HeldWindow& held() { return held_; }
  /** Whether it came to its end, stopped or not. */
  bool measured() const { return held_.end.at_ns > 0; }

 private:
  /** Windows that begin at an instant are those of other machines, too, and do not wait. */
  bool HasSettled(const Progress& progress) {
    if (command_.at_ns > 0 || IsAnswered(progress)) return true;
    return MonotonicNs() >= began_ns_ + kLongestSettleNs || commands_.NextIs("stop");
  }

  bool IsAnswered(const Progress& progress) {
    if (IsClosed()) return progress.completed >= command_.options.in_flight;
    const bool looks_first = !std::exchange(looked_, true);
    // Every message is to be counted, or none was due yet.
    if (command_.settle_ms == 0 || progress.intended == 0) return true;
    if (progress.completed == 0) return false;
    if (looks_first) return true;
    if (answered_ns_ == 0) answered_ns_ = MonotonicNs();
    return MonotonicNs() >= began_ns_ + kAnswerTimes * (answered_ns_ - began_ns_);
  }

  bool IsClosed() const { return command_.options.mode == LoadMode::kClosed; }

  int64_t LengthNs(int64_t settled_ns) const {
    const int64_t length_ns = command_.length_ms * kNsPerMs;
    const bool waited = settled_ns > (command_.settle_ms + 1) * kNsPerMs;
    if (command_.at_ns > 0 || !waited) return length_ns;
    const int64_t times = IsClosed() ? kRoundTrips : 1;
    return std::max(length_ns, times * std::min(settled_ns, kLongestSettleNs));
  }

  const WindowCommand& command_;
  Sampler& sampler_;
  Traffic& traffic_;
  Window* window_;
  CommandReader& commands_;
  HeldWindow held_;
  int64_t began_ns_ = 0;
  int64_t answered_ns_ = 0;  // when the first answer was seen to be back
  int64_t until_ns_ = 0;
  bool looked_ = false;
};

class Holder {
 public:
  Holder(const RunOptions& options, Selector& selector, Window* windows)
      : options_(options),
        share_(ShareOfPart(options, 0, 1)),
        traffic_(selector, options, share_, &windows[1]),
        alarm_(selector),
        sampler_(options),
        window_(windows) {}

  /** @returns why it could not go on, or nothing. */
  std::string Run() {
    const int64_t began_ns = MonotonicNs();
    Connector connector(traffic_, options_, share_);
    std::string error = connector.Run(share_.connections);
    if (!error.empty()) return error;
    PrintLine(ConnectedLine(share_.connections, MonotonicNs() - began_ns, 1));
    waited_before_ns_ = WaitedForCpuNs();
    std::string line;
    while (error.empty() && commands_.Next(&line) && line != "end") error = Obey(line);
    if (error.empty()) Finish();
    return error;
  }

  RunResult Sum(const std::string& error) {
    RunResult result;
    result.messages = messages_;
    result.tally = traffic_.Sum();
    result.tally.allocations = allocations_;
    result.tally.SetError(error);
    return result;
  }

  void Close() {
    if (!options_.Resets()) traffic_.FinishAll();
    traffic_.CloseAll();
  }

 private:
  std::string Obey(const std::string& line) {
    constexpr char kWindow[] = "window ";
    if (line == "report") {
      PrintLine(ResultLine(Sum(""), options_, "report"));
    } else if (line.rfind(kWindow, 0) == 0) {
      const WindowCommand command = ParseWindowCommand(line.substr(sizeof(kWindow) - 1), options_);
      if (command.error.empty()) return Measure(command);
      PrintLine(RefusedLine(line, command.error));
    } else if (line != "stop") {  // which came when its window was over: nothing to do
      PrintLine(RefusedLine(line, "unknown command; one of: window, stop, report, end"));
    }
    return "";
  }

  /** What a saturated server has not sent after the last window, and bytes that answer no request.
   */
  void Finish() {
    RunOptions options = options_;
    options.held = false;
    options.mode = LoadMode::kIdle;  // nothing more is sent
    const std::unique_ptr<Pace> pace = MakePace(options, ShareOf(options, 0, 1));
    Load(traffic_, *pace, alarm_, options).Drain();
  }

  std::string Measure(const WindowCommand& command) {
    const int64_t late_ns = AwaitInstant(command.at_ns, command.settle_ms * kNsPerMs);
    if (late_ns > 0) {
      const int64_t waited_ns = WaitedForCpuNs() - waited_before_ns_;
      PrintLine(LateLine("window", LateReason(late_ns), late_ns, waited_ns));
      waited_before_ns_ = WaitedForCpuNs();
      return "";
    }
    // What was due in the window before, and comes only now, belongs to no window.
    traffic_.MeasureByDue(nullptr, 0);
    std::memset(static_cast<void*>(window_), 0, sizeof(Window));
    const Tally before = traffic_.Sum();
    RunOptions options = command.options;
    options.seed += command.schedule < 0 ? static_cast<int64_t>(index_) : command.schedule;
    traffic_.UseStamps(options.mode == LoadMode::kOpen);
    const std::unique_ptr<Pace> pace = MakePace(options, ShareOfPart(options, 0, 1));
    Load load(traffic_, *pace, alarm_, options);
    OneWindow timeline(command, sampler_, traffic_, window_, commands_);
    const std::string error = load.Run(timeline, window_);
    if (!timeline.measured()) return error;
    messages_ += window_->completed;
    allocations_ += load.allocations();
    const Tally after = traffic_.Sum();
    HeldWindow& held = timeline.held();
    held.index = index_++;
    held.rate = options.mode == LoadMode::kOpen ? options.rate : 0;
    held.in_flight = options.in_flight;
    held.mismatches = after.mismatches - before.mismatches;
    held.connections_lost = after.connections_lost - before.connections_lost;
    held.allocations = load.allocations();
    PrintLine(HeldWindowLine(held, *window_));
    waited_before_ns_ = WaitedForCpuNs();
    return error;
  }

  const RunOptions& options_;
  Share share_;
  Traffic traffic_;
  Alarm alarm_;
  Sampler sampler_;
  CommandReader commands_;
  Window* window_;
  size_t index_ = 0;
  int64_t messages_ = 0;
  int64_t allocations_ = 0;
  int64_t waited_before_ns_ = 0;  // for a CPU, until the last command was carried out
};

RunResult HoldConnections(const RunOptions& options) {
  RunResult failed;
  const ProcessPlan plan = PlanProcesses(options);
  SharedArray<Window> windows(2);
  const Result<std::unique_ptr<Selector>> selector = MakeSelector();
  if (!plan.error.empty()) {
    failed.tally.SetError(plan.error);
  } else if (plan.processes > 1) {
    failed.tally.SetError("hold keeps all connections in one process: raise RLIMIT_NOFILE");
  } else if (windows.size() == 0) {
    failed.tally.SetError("mmap: no memory for the windows");
  } else if (!selector.ok()) {
    failed.tally.SetError(
        Format("%s: %s", selector.error().syscall, std::strerror(selector.error().errno_value)));
  }
  if (failed.tally.error[0] != '\0') return failed;
  Holder holder(options, *selector.value(), windows.data());
  const std::string error = holder.Run();
  const RunResult result = holder.Sum(error);
  holder.Close();
  return result;
}

}  // namespace

int Hold(const std::vector<std::string>& arguments) {
  const ParsedOptions parsed = ParseHoldOptions(arguments);
  if (!parsed.error.empty()) {
    std::fprintf(stderr, "load-generator hold: %s\n", parsed.error.c_str());
    return 2;
  }
  PrepareProcess();
  const RunResult result = HoldConnections(parsed.options);
  PrintLine(ResultLine(result, parsed.options));
  if (result.tally.error[0] == '\0') return 0;
  std::fprintf(stderr, "load-generator hold: %s\n", result.tally.error);
  return 1;
}

}  // namespace io_selectors
