#include "load_generator/instant.h"

#include <unistd.h>

#include <ctime>

#include "core/timeout.h"
#include "load_generator/command_reader.h"
#include "load_generator/options.h"
#include "load_generator/proc_file.h"
#include "load_generator/report.h"
#include "load_generator/text.h"

namespace io_selectors {

int64_t AwaitInstant(int64_t at_ns, int64_t lead_ns) {
  if (at_ns == 0) return 0;
  const int64_t until_ns = at_ns - lead_ns;
  const int64_t late_ns = MonotonicNs() - until_ns;
  if (late_ns > 0) return late_ns;
  for (int64_t left_ns = -late_ns; left_ns > 0; left_ns = until_ns - MonotonicNs()) {
    const timespec left = ToTimespec(left_ns);
    nanosleep(&left, nullptr);
  }
  return 0;
}

std::string LateReason(int64_t late_ns) {
  return Format("late by %.1f ms: the command came after its instant",
                static_cast<double>(late_ns) / 1e6);
}

int64_t WaitedForCpuNs() {
  ProcText text;
  const bool read = ProcFile::OfProcess(getpid(), "schedstat").Read(&text);
  return read ? FieldAfter(text.data(), 1) : kUnknown;
}

int64_t AwaitBegin() {
  CommandReader commands;
  const int64_t waited_ns = WaitedForCpuNs();
  for (std::string line; commands.Next(&line);) {
    const int64_t at_ns = InstantOf(line);
    if (at_ns == 0) {
      PrintLine(RefusedLine(line, "unknown command; it must be: begin at-ns=T"));
      continue;
    }
    const int64_t late_ns = AwaitInstant(at_ns, 0);
    if (late_ns == 0) return at_ns;
    const int64_t waited = WaitedForCpuNs() - waited_ns;
    PrintLine(LateLine("begin", LateReason(late_ns), late_ns, waited));
  }
  return 0;
}

int64_t InstantOf(const std::string& line) {
  constexpr char kBegin[] = "begin at-ns=";
  constexpr size_t kLength = sizeof(kBegin) - 1;
  int64_t at_ns = 0;
  if (line.compare(0, kLength, kBegin) != 0) return 0;
  return ParseNumber(line.substr(kLength), 1, INT64_MAX, &at_ns) ? at_ns : 0;
}

}  // namespace io_selectors
