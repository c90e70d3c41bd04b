// Limits: what this machine allows one process, and whether a run fits in.
// getrlimit(2), ip_local_port_range of ip(7).
// Enters: options. Leaves: figures, and a refusal in words.
#pragma once

#include <cstdint>
#include <string>

#include "load_generator/options.h"

namespace io_selectors {

/** Raises the soft limit of descriptors to the hard one. @returns how many are allowed now. */
int64_t RaiseDescriptorLimit();

/** How many connections to one destination go out from one source address. */
uint32_t ConnectionsOfOneSource();

/** What stands in the way of that many connections: the figure needed and the one allowed. */
std::string ConnectionLimit(const RunOptions& options);

}  // namespace io_selectors
