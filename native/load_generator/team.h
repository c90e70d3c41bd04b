// Team: a run that is split over several processes, since none may hold that many descriptors or
// find that many ports. The parent forks them before anything is opened, samples, and merges; the
// workers make the load.
// Enters: options, how many. Leaves: the same lines that one process alone would print.
#pragma once

#include <cstdint>

#include "load_generator/options.h"
#include "load_generator/report.h"

namespace io_selectors {

RunResult RunTeam(const RunOptions& options, uint32_t processes);

}  // namespace io_selectors
