#include "load_generator/run.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

#include "backends/backends.h"
#include "core/timeout.h"
#include "load_generator/connector.h"
#include "load_generator/limits.h"
#include "load_generator/load.h"
#include "load_generator/options.h"
#include "load_generator/report.h"
#include "load_generator/text.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace io_selectors {

namespace {

/** The kernel closes every socket, each with a reset, and nothing half-finished is printed. */
void ExitOnSignal(int signal) { _exit(128 + signal); }

void HandleSignals() {
  struct sigaction action = {};
  action.sa_handler = ExitOnSignal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
}

/** Timers of this process fire when they are due, not up to 50 us later. prctl(2) */
void AskForExactTimers() {
#ifdef __linux__
  prctl(PR_SET_TIMERSLACK, 1UL);
#endif
}

Result<std::unique_ptr<Selector>> MakeSelector() {
  const Backend* epoll = FindBackend("epoll");
  return (epoll != nullptr ? *epoll : Backends().front()).make(SelectorOptions{});
}

void PrintLine(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

std::unique_ptr<Pace> MakePace(const RunOptions& options) {
  if (options.open_loop) return std::make_unique<OpenPace>(options);
  return std::make_unique<ClosedPace>(options);
}

/** Connects, loads, and prints all lines but the last. */
RunResult RunWith(Selector& selector, const RunOptions& options) {
  RunResult result;
  Traffic traffic(selector, options);
  const int64_t start = MonotonicNs();
  result.error = Connector(traffic, options).Run();
  if (result.error.empty()) {
    PrintLine(ConnectedLine(options.connections, MonotonicNs() - start));
    const std::unique_ptr<Pace> pace = MakePace(options);
    Alarm alarm(selector);
    const Measurement measurement = Load(traffic, *pace, alarm, options).Run();
    traffic.CloseAll();
    for (size_t i = 0; i + 1 < measurement.samples.size(); ++i) {
      PrintLine(WindowLine(i, measurement));
      result.messages += measurement.windows[i].completed;
    }
    result.error = measurement.error;
  }
  result.totals = traffic.Sum();
  result.calls = traffic.calls();
  result.mismatch_detail = traffic.mismatch_detail();
  return result;
}

RunResult RunUnlessLimited(const RunOptions& options) {
  RunResult result;
  result.error = ConnectionLimit(options);
  if (!result.error.empty()) return result;
  const Result<std::unique_ptr<Selector>> selector = MakeSelector();
  if (selector.ok()) return RunWith(*selector.value(), options);
  result.error =
      Format("%s: %s", selector.error().syscall, std::strerror(selector.error().errno_value));
  return result;
}

}  // namespace

int Run(const std::vector<std::string>& arguments) {
  const ParsedOptions parsed = ParseRunOptions(arguments);
  if (!parsed.error.empty()) {
    std::fprintf(stderr, "load-generator run: %s\n", parsed.error.c_str());
    return 2;
  }
  HandleSignals();
  AskForExactTimers();
  const RunResult result = RunUnlessLimited(parsed.options);
  PrintLine(ResultLine(result));
  if (result.error.empty()) return 0;
  std::fprintf(stderr, "load-generator run: %s\n", result.error.c_str());
  return 1;
}

}  // namespace io_selectors
