// Limits: what this machine allows one process, and how many processes a run needs for it.
// getrlimit(2), ip_local_port_range of ip(7).
#pragma once

#include <cstdint>
#include <string>

#include "load_generator/options.h"

namespace io_selectors {

/** Raises the soft limit of descriptors to the hard one. @returns how many are allowed now. */
int64_t RaiseDescriptorLimit();

/** How many connections to one destination go out from one source address without a long search
 * for a free port. */
int64_t ConnectionsOfOneSource();

struct ProcessPlan {
  uint32_t processes = 1;
  std::string error;  // what stands in the way: the figure needed and the one allowed
};

/** Into how many processes the run is split. */
ProcessPlan PlanProcesses(const RunOptions& options);

}  // namespace io_selectors
