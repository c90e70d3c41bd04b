#include "load_generator/run.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "load_generator/limits.h"
#include "load_generator/options.h"
#include "load_generator/solo.h"
#include "load_generator/team.h"
#include "load_generator/text.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace io_selectors {

namespace {

/** The kernel closes every socket, and nothing half-finished is printed. */
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

RunResult RunAsPlanned(const RunOptions& options) {
  const ProcessPlan plan = PlanProcesses(options);
  if (plan.error.empty()) {
    return plan.processes > 1 ? RunTeam(options, plan.processes) : RunSolo(options);
  }
  RunResult result;
  result.tally.SetError(plan.error);
  return result;
}

}  // namespace

void PrepareProcess() {
  HandleSignals();
  AskForExactTimers();
}

int Check(const std::vector<std::string>& arguments) {
  const ParsedOptions parsed = ParseRunOptions(arguments);
  if (parsed.error.empty()) return 0;
  std::fprintf(stderr, "%s\n", parsed.error.c_str());
  return 2;
}

int Run(const std::vector<std::string>& arguments) {
  const ParsedOptions parsed = ParseRunOptions(arguments);
  if (!parsed.error.empty()) {
    std::fprintf(stderr, "load-generator run: %s\n", parsed.error.c_str());
    return 2;
  }
  PrepareProcess();
  const RunResult result = RunAsPlanned(parsed.options);
  PrintLine(ResultLine(result, parsed.options));
  if (result.tally.error[0] == '\0') return 0;
  std::fprintf(stderr, "load-generator run: %s\n", result.tally.error);
  return 1;
}

}  // namespace io_selectors
