#include "load_generator/solo.h"

#include <unistd.h>

#include <cstring>
#include <memory>

#include "backends/backends.h"
#include "core/timeout.h"
#include "load_generator/conductor.h"
#include "load_generator/connector.h"
#include "load_generator/load.h"
#include "load_generator/shared_array.h"
#include "load_generator/text.h"

namespace io_selectors {

namespace {

// What closes, frees and wakes after the last echo is over by then.
constexpr int64_t kSettleNs = 300 * kNsPerMs;

Result<std::unique_ptr<Selector>> MakeSelector() {
  const Backend* epoll = FindBackend("epoll");
  return (epoll != nullptr ? *epoll : Backends().front()).make(SelectorOptions{});
}

/** Waits for nothing in particular; what arrives stays for the next wait. */
void Settle() {
  const timespec time = ToTimespec(kSettleNs);
  nanosleep(&time, nullptr);
}

std::string RunMemory(Connector& connector, const RunOptions& options) {
  ProcessTree server(static_cast<pid_t>(options.server_pid));
  ProcessTree client(getpid());
  for (const int64_t stage : options.stages) {
    const std::string error = connector.Run(static_cast<uint32_t>(stage));
    if (!error.empty()) return error;
    Settle();
    PrintLine(MemoryLine(stage, TakeMemorySample(server, client)));
  }
  return "";
}

/** Warm-up and windows over connections that are open. */
std::string RunLoad(Selector& selector, Traffic& traffic, const RunOptions& options,
                    RunResult* result) {
  SharedArray<Window> windows(static_cast<size_t>(options.windows));
  if (windows.size() == 0) return "mmap: no memory for the windows";
  const std::unique_ptr<Pace> pace = MakePace(options, ShareOf(options, 0, 1));
  Alarm alarm(selector);
  Conductor conductor(options, 0);
  const std::string error = Load(traffic, *pace, alarm, options).Run(conductor, windows.data());
  traffic.CloseAll();
  const std::vector<Sample>& samples = conductor.samples();
  result->warmup =
      WarmupReport{conductor.warmup_ns(), options.steady_within_ms > 0, conductor.steady()};
  if (!samples.empty()) PrintLine(WarmupLine(result->warmup));
  for (size_t i = 0; i + 1 < samples.size(); ++i) {
    PrintLine(WindowLine(i, windows[i], samples[i], samples[i + 1]));
    result->messages += windows[i].completed;
  }
  return error;
}

RunResult RunWith(Selector& selector, const RunOptions& options) {
  RunResult result;
  const Share share = ShareOf(options, 0, 1);
  SharedArray<Window> unmeasured(1);
  if (unmeasured.size() == 0) {
    result.tally.SetError("mmap: no memory for a window");
    return result;
  }
  Traffic traffic(selector, options, share, unmeasured.data());
  Connector connector(traffic, options, share);
  std::string error;
  if (options.mode == LoadMode::kMemory) {
    error = RunMemory(connector, options);
  } else {
    const int64_t start = MonotonicNs();
    error = connector.Run(share.connections);
    if (error.empty()) {
      PrintLine(ConnectedLine(options.connections, MonotonicNs() - start, 1));
      error = RunLoad(selector, traffic, options, &result);
    }
  }
  result.tally = traffic.Sum();
  result.tally.SetError(error);
  return result;
}

}  // namespace

RunResult RunSolo(const RunOptions& options) {
  const Result<std::unique_ptr<Selector>> selector = MakeSelector();
  if (selector.ok()) return RunWith(*selector.value(), options);
  RunResult result;
  result.tally.SetError(
      Format("%s: %s", selector.error().syscall, std::strerror(selector.error().errno_value)));
  return result;
}

}  // namespace io_selectors
