// Worker: one of several processes of a run, directed by its parent over the Board.
#pragma once

#include <sys/types.h>

#include "load_generator/board.h"
#include "load_generator/options.h"
#include "load_generator/share.h"
#include "load_generator/window.h"

namespace io_selectors {

/** How often a worker looks for an order; the parent gives each at least so long before its time.
 */
constexpr int64_t kLookForOrdersNs = 20'000'000;

struct WorkerPlace {
  const Orders* orders;
  WorkerReport* report;
  Window* windows;  // as RunPart() wants them
};

/** Runs in the child, and ends it. @param parent which must not have ended meanwhile */
[[noreturn]] void RunWorker(const RunOptions& options, const Share& share, WorkerPlace place,
                            pid_t parent);

}  // namespace io_selectors
