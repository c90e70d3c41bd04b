#include "load_generator/limits.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <limits>

#include "load_generator/share.h"
#include "load_generator/sources.h"
#include "load_generator/text.h"

namespace io_selectors {

namespace {

constexpr int64_t kOtherDescriptors = 80;  // our own: standard streams, epoll, /proc files
constexpr int64_t kProcessesAtMost = 1'000;

/** How many local ports the kernel hands out by itself. ip(7), ip_local_port_range */
int64_t EphemeralPorts() {
  unsigned low = 49'152;  // RFC 6335, if there is no such file
  unsigned high = 65'535;
  if (FILE* file = std::fopen("/proc/sys/net/ipv4/ip_local_port_range", "r")) {
    if (std::fscanf(file, "%u %u", &low, &high) != 2 || high < low) {
      low = 49'152;
      high = 65'535;
    }
    std::fclose(file);
  }
  return high - low + 1;
}

/** Descriptors that carry the load: connections, or the cycles of churn. */
int64_t SocketsOf(const RunOptions& options) {
  const int64_t whole = options.mode == LoadMode::kChurn ? options.in_flight : options.connections;
  return PartOf(whole, static_cast<uint32_t>(options.part), static_cast<uint32_t>(options.parts));
}

}  // namespace

int64_t RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  // macOS refuses an unlimited soft limit: what was there stays.
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) limit.rlim_cur = before;
  constexpr rlim_t kMost = std::numeric_limits<int>::max();
  return static_cast<int64_t>(std::min(limit.rlim_cur, kMost));
}

// A quarter: half of one parity's ports. A connect costs 40 us of CPU with 5,000 connections an
// address, 76 us with 16,700, and 530 us with 25,000 (Linux 6.18, 28,232 ports).
int64_t ConnectionsOfOneSource() { return std::max<int64_t>(1, EphemeralPorts() / 4); }

ProcessPlan PlanProcesses(const RunOptions& options) {
  ProcessPlan plan;
  const int64_t sockets = SocketsOf(options);
  const int64_t allowed = RaiseDescriptorLimit();
  const int64_t a_process = allowed - kOtherDescriptors;
  const int64_t least = a_process > 0 ? (sockets + a_process - 1) / a_process : 1;
  const int64_t most = std::min(kProcessesAtMost, sockets);
  const int64_t chosen = std::min(options.processes > 0 ? options.processes : least, most);
  if (a_process <= 0 || chosen < least) {
    const int64_t needed = (sockets + chosen - 1) / chosen + kOtherDescriptors;
    plan.error = Format(
        "%lld connections need %lld descriptors, RLIMIT_NOFILE allows %lld (in each of %lld "
        "processes)",
        static_cast<long long>(sockets), static_cast<long long>(needed),
        static_cast<long long>(allowed), static_cast<long long>(chosen));
    return plan;
  }
  const int64_t ports = EphemeralPorts() * SourcesFor(options);
  if (sockets > ports) {
    plan.error = Format("%lld connections from %lld address(es), ip_local_port_range allows %lld",
                        static_cast<long long>(sockets),
                        static_cast<long long>(SourcesFor(options)), static_cast<long long>(ports));
    return plan;
  }
  plan.processes = static_cast<uint32_t>(std::max<int64_t>(chosen, 1));
  return plan;
}

}  // namespace io_selectors
