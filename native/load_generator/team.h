// Team: a run that is split over several processes, because one process may not open that many
// descriptors or find that many ports. The parent forks them before anything is opened, samples,
// and merges; the workers make the load.
#pragma once

#include <cstdint>

#include "load_generator/options.h"
#include "load_generator/report.h"
#include "load_generator/worker.h"

namespace io_selectors {

/**
 * How long before the first window its begin is known, with several processes or several machines:
 * an order must reach every worker before its time comes.
 */
constexpr int64_t kLeadNs = 3 * kLookForOrdersNs;

RunResult RunTeam(const RunOptions& options, uint32_t processes);

}  // namespace io_selectors
