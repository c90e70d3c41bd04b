// Sources: the source address of each connection. Linux's connect(2) tries the ports of one parity
// first, one after the other, so with half of an address's ports taken every connect walks past all
// of them: many addresses with few connections each keep that walk short. ip(7)
#pragma once

#include <cstdint>
#include <vector>

#include "load_generator/options.h"
#include "net/address.h"

namespace io_selectors {

/** How many source addresses the connections are spread over; 1: whatever the kernel chooses. */
int64_t SourcesFor(const RunOptions& options);

/** Whether a numeric host is in 127.0.0.0/8, all of which Linux lets a program connect from. */
bool IsIpv4Loopback(const std::string& host);

class Sources {
 public:
  explicit Sources(const RunOptions& options);

  /** The address for that id; nullptr: the kernel's choice. */
  const Address* For(uint32_t id) const {
    return addresses_.empty() ? nullptr : &addresses_[id % addresses_.size()];
  }

 private:
  std::vector<Address> addresses_;
};

}  // namespace io_selectors
