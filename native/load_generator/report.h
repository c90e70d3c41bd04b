// Report: the JSON lines on standard output, all but the first two written after the last window,
// so that writing disturbs none of them.
#pragma once

#include <string>

#include "load_generator/memory_sample.h"
#include "load_generator/options.h"
#include "load_generator/sampler.h"
#include "load_generator/tally.h"
#include "load_generator/window.h"

namespace io_selectors {

/** @param elapsed_ns from the first connect(2) to the last first echo */
std::string ConnectedLine(int64_t connections, int64_t elapsed_ns, int64_t processes);

/** Peers that never read have been filled. */
std::string FilledLine(const SlowPeers& slow, int64_t elapsed_ns);

struct WarmupReport {
  int64_t ns = 0;
  bool watched = false;  // otherwise steadiness was not requested
  bool steady = false;
};

std::string WarmupLine(const WarmupReport& warmup);

/** The window between two samples: totals become differences, kUnknown becomes null. */
std::string WindowLine(size_t index, const Window& window, const Sample& begin, const Sample& end);

/** A window of held connections: what was asked for, and what happened to its messages. */
struct HeldWindow {
  size_t index = 0;
  int64_t rate = 0;  // 0: closed loop
  int64_t in_flight = 0;
  int64_t settle_ns = 0;
  Sample begin;
  Sample end;
  int64_t mismatches = 0;
  int64_t connections_lost = 0;
  int64_t allocations = 0;
};

std::string HeldWindowLine(const HeldWindow& held, const Window& window);

/** A command that was not carried out. */
std::string RefusedLine(const std::string& command, const std::string& reason);

/** A command that came `late_ns` after its instant; the process had waited for a CPU meanwhile. */
std::string LateLine(const std::string& command, const std::string& reason, int64_t late_ns,
                     int64_t waited_ns);

std::string MemoryLine(int64_t connections, const MemorySample& sample);

/** What the last line says. */
struct RunResult {
  int64_t messages = 0;  // completed in the measured windows
  Tally tally;
  WarmupReport warmup;
};

/** Fields that do not apply to these options are null. */
std::string ResultLine(const RunResult& result, const RunOptions& options,
                       const char* event = "result");

}  // namespace io_selectors
