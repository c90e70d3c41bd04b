#include "load_generator/sampler.h"

#include <unistd.h>

#include "core/timeout.h"

namespace io_selectors {

namespace {

constexpr int kMachineSteal = 8;  // of /proc/stat's first line, its label counted

}  // namespace

Sampler::Sampler(const RunOptions& options)
    : server_(static_cast<pid_t>(options.server_pid), options.server_cgroup),
      client_(getpid()),
      machine_stat_("/proc/stat") {}

Sample Sampler::Take() {
  Sample sample;
  sample.at_ns = MonotonicNs();
  server_.LookAtClocks();
  client_.LookAtClocks();
  sample.server = server_.Look();
  sample.client = client_.Look();
  ProcText text;
  if (machine_stat_.Read(&text)) {
    const int64_t ticks = FieldAfter(text.data(), kMachineSteal);
    if (ticks != kUnknown) sample.steal_ns = TicksToNs(ticks);
  }
  return sample;
}

Sample Sampler::TakeBefore() {
  Sample sample = Take();
  sample.server.cpu_ns = server_.CpuNow();
  sample.client.cpu_ns = client_.CpuNow();
  // Nothing is sent while the clocks of ten thousand threads are read: 1.3 ms.
  sample.at_ns = MonotonicNs();
  return sample;
}

}  // namespace io_selectors
