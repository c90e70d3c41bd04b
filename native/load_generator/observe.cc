#include "load_generator/observe.h"

#include <cstdio>
#include <memory>

#include "core/timeout.h"
#include "load_generator/command_reader.h"
#include "load_generator/instant.h"
#include "load_generator/options.h"
#include "load_generator/report.h"
#include "load_generator/run.h"
#include "load_generator/sampler.h"
#include "load_generator/team.h"
#include "load_generator/text.h"
#include "load_generator/window_command.h"

namespace io_selectors {

namespace {

class Observer {
 public:
  explicit Observer(const RunOptions& options)
      : options_(options), sampler_(options), nothing_(std::make_unique<Window>()) {
    (void)sampler_.Take();  // opens and lists what the first edge would have to
  }

  void Run() {
    PrintLine(ConnectedLine(0, 0, 1));
    std::string line;
    while (!over_ && commands_.Next(&line) && line != "end") Obey(line);
    PrintLine(ResultLine(RunResult(), options_));
  }

 private:
  void Obey(const std::string& line) {
    constexpr char kWindow[] = "window ";
    if (line.rfind(kWindow, 0) == 0) return Measure(line.substr(sizeof(kWindow) - 1));
    const int64_t begin_ns = InstantOf(line);
    if (begin_ns > 0) return FollowRun(begin_ns);
    PrintLine(RefusedLine(line, "unknown command; one of: window, begin, end"));
  }

  void Measure(const std::string& words) {
    const WindowCommand command = ParseWindowCommand(words, options_);
    std::string error = command.error;
    const int64_t lead_ns = command.settle_ms * kNsPerMs;
    const int64_t late_ns = error.empty() ? AwaitInstant(command.at_ns, lead_ns) : 0;
    if (late_ns > 0) error = LateReason(late_ns);
    if (!error.empty()) return PrintLine(RefusedLine("window", error));
    const int64_t at_ns = command.at_ns > 0 ? command.at_ns : MonotonicNs() + lead_ns;
    HeldWindow held;
    held.index = index_++;
    held.settle_ns = lead_ns;
    held.begin = SampleAt(at_ns, true);
    held.end = SampleAt(held.begin.at_ns + command.length_ms * kNsPerMs, false);
    PrintLine(HeldWindowLine(held, *nothing_));
  }

  /** The grid of edges that every generator of the run follows. */
  void FollowRun(int64_t begin_ns) {
    const int64_t from_ns = begin_ns + options_.warmup_ms * kNsPerMs + kLeadNs;
    std::vector<Sample> samples;
    for (int64_t edge = 0; edge <= options_.windows; ++edge) {
      samples.push_back(SampleAt(from_ns + edge * options_.window_ms * kNsPerMs, false));
    }
    for (size_t i = 0; i + 1 < samples.size(); ++i) {
      PrintLine(WindowLine(i, *nothing_, samples[i], samples[i + 1]));
    }
    over_ = true;
  }

  Sample SampleAt(int64_t at_ns, bool before) {
    (void)AwaitInstant(at_ns, 0);
    return before ? sampler_.TakeBefore() : sampler_.Take();
  }

  const RunOptions& options_;
  Sampler sampler_;
  CommandReader commands_;
  std::unique_ptr<Window> nothing_;
  size_t index_ = 0;
  bool over_ = false;
};

}  // namespace

int Observe(const std::vector<std::string>& arguments) {
  const ParsedOptions parsed = ParseObserveOptions(arguments);
  if (!parsed.error.empty()) {
    std::fprintf(stderr, "load-generator observe: %s\n", parsed.error.c_str());
    return 2;
  }
  PrepareProcess();
  Observer(parsed.options).Run();
  return 0;
}

}  // namespace io_selectors
