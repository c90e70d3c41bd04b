#include "load_generator/part.h"

#include <cstring>
#include <memory>

#include "backends/backends.h"
#include "core/timeout.h"
#include "load_generator/churn.h"
#include "load_generator/connector.h"
#include "load_generator/load.h"
#include "load_generator/report.h"
#include "load_generator/text.h"

namespace io_selectors {

namespace {

/** Opens connections as directed, stage by stage. @returns why that failed, or nothing. */
std::string Connect(Connector& connector, Direction& direction) {
  for (uint32_t goal = 0; direction.NextGoal(&goal);) {
    std::string error = connector.Run(goal);
    if (!error.empty()) return error;
    direction.Reached();
  }
  return "";
}

/** @returns as Connect. */
std::string Fill(Load& load, const Traffic& traffic) {
  const int64_t began_ns = MonotonicNs();
  std::string error = load.FillSlow();
  if (error.empty()) PrintLine(FilledLine(traffic.slow(), MonotonicNs() - began_ns));
  return error;
}

void RunChurn(Selector& selector, const RunOptions& options, const Share& share,
              Direction& direction, Window* windows, Tally* tally) {
  Churn churn(selector, options, share, &windows[options.windows]);
  std::string error;
  for (uint32_t goal = 0; error.empty() && direction.NextGoal(&goal);) {
    error = churn.Prepare();
    if (error.empty()) direction.Reached();
  }
  if (error.empty()) direction.Ready();
  if (error.empty()) error = churn.Run(direction.timeline(), windows);
  *tally = churn.Sum();
  tally->SetError(error);
}

void RunConnections(Selector& selector, const RunOptions& options, const Share& share,
                    Direction& direction, Window* windows, Tally* tally) {
  Traffic traffic(selector, options, share, &windows[options.windows]);
  Connector connector(traffic, options, share);
  int64_t allocations = 0;
  std::string error = Connect(connector, direction);
  if (error.empty() && options.mode != LoadMode::kMemory) {
    const std::unique_ptr<Pace> pace = MakePace(options, share);
    Alarm alarm(selector);
    Load load(traffic, *pace, alarm, options);
    // An agent's part may have none of them: the fleet waits for the line of each agent.
    const bool tells = options.slow > 0 && share.processes == options.parts;
    if (tells || traffic.slow().connections > 0) error = Fill(load, traffic);
    if (error.empty()) direction.Ready();
    if (error.empty()) error = load.Run(direction.timeline(), windows);
    allocations = load.allocations();
  }
  if (!options.Resets()) traffic.FinishAll();
  traffic.CloseAll();
  *tally = traffic.Sum();
  tally->allocations = allocations;
  tally->SetError(error);
}

}  // namespace

Result<std::unique_ptr<Selector>> MakeSelector() {
  const Backend* epoll = FindBackend("epoll");
  return (epoll != nullptr ? *epoll : Backends().front()).make(SelectorOptions{});
}

void RunPart(const RunOptions& options, const Share& share, Direction& direction, Window* windows,
             Tally* tally) {
  const Result<std::unique_ptr<Selector>> selector = MakeSelector();
  if (!selector.ok()) {
    const Error& error = selector.error();
    return tally->SetError(Format("%s: %s", error.syscall, std::strerror(error.errno_value)));
  }
  const auto run = options.mode == LoadMode::kChurn ? RunChurn : RunConnections;
  run(*selector.value(), options, share, direction, windows, tally);
}

}  // namespace io_selectors
