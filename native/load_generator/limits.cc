#include "load_generator/limits.h"

#include <arpa/inet.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <limits>

#include "load_generator/text.h"

namespace io_selectors {

namespace {

constexpr int64_t kOtherDescriptors = 80;  // our own: standard streams, epoll, /proc files

bool IsIpv4Loopback(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/** How many local ports the kernel hands out by itself. ip(7), ip_local_port_range */
uint32_t EphemeralPorts() {
  unsigned low = 49'152;  // RFC 6335, where there is no such file
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

// Nine tenths: the last free ports of a range are found slowly, and others need some.
uint32_t ConnectionsOfOneSource() { return std::max(1u, EphemeralPorts() / 10 * 9); }

std::string ConnectionLimit(const RunOptions& options) {
  const long long needed = options.connections + kOtherDescriptors;
  const long long allowed = RaiseDescriptorLimit();
  if (allowed < needed) {
    return Format("%lld connections need %lld descriptors, RLIMIT_NOFILE allows %lld",
                  static_cast<long long>(options.connections), needed, allowed);
  }
  const long long ports = EphemeralPorts();
  if (!IsIpv4Loopback(options.host) && options.connections > ports) {
    return Format("%lld connections from one address, ip_local_port_range allows %lld",
                  static_cast<long long>(options.connections), ports);
  }
  return "";
}

}  // namespace io_selectors
