#include "load_generator/sources.h"

#include <arpa/inet.h>

#include <algorithm>

#include "load_generator/limits.h"
#include "load_generator/text.h"

namespace io_selectors {

namespace {

std::string SourceAddress(uint32_t index) {
  return Format("127.%u.%u.%u", index / 65'025, index / 255 % 255, index % 255 + 1);
}

}  // namespace

bool IsIpv4Loopback(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

int64_t SourcesFor(const RunOptions& options) {
  if (!IsIpv4Loopback(options.host)) return 1;
  if (options.sources > 0) return options.sources;
#ifdef __linux__
  const int64_t a_source = ConnectionsOfOneSource();
  const bool churn = options.mode == LoadMode::kChurn;
  const int64_t sockets = churn ? options.in_flight : options.connections;
  return (sockets + a_source - 1) / a_source;
#else
  return 1;  // elsewhere only 127.0.0.1 can be connected from, unless there are aliases
#endif
}

Sources::Sources(const RunOptions& options) {
  const int64_t count = SourcesFor(options);
  if (count <= 1) return;
  for (uint32_t index = 0; index < count; ++index) {
    const Result<Address> address = InetAddress(SourceAddress(index), 0);
    if (address.ok()) addresses_.push_back(address.value());
  }
}

}  // namespace io_selectors
