// Solo: the whole run in one process: connect, load, sample, and all lines but the last.
#pragma once

#include "load_generator/options.h"
#include "load_generator/report.h"

namespace io_selectors {

RunResult RunSolo(const RunOptions& options);

}  // namespace io_selectors
