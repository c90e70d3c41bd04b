// Report: the JSON lines on standard output, all but the first written after the last window, so
// that writing disturbs none of them.
#pragma once

#include <string>

#include "load_generator/load.h"
#include "load_generator/traffic.h"

namespace io_selectors {

/** @param elapsed_ns from the first connect(2) to the last first echo */
std::string ConnectedLine(int64_t connections, int64_t elapsed_ns);

/** The window between two samples: totals become differences, kUnknown becomes null. */
std::string WindowLine(size_t index, const Measurement& measurement);

/** What the last line says. An empty text is null there. */
struct RunResult {
  int64_t messages = 0;  // completed in the measured windows
  Totals totals;
  CallCounts calls;
  std::string mismatch_detail;
  std::string error;
};

std::string ResultLine(const RunResult& result);

}  // namespace io_selectors
