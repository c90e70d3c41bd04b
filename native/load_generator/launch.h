// `load-generator launch [--cpu N] [--parent PID] -- COMMAND ARGS…`: becomes the command, on one
// CPU, dying with its parent (PID closes the gap in which the parent may die before we look).
// sched_setaffinity(2), PR_SET_PDEATHSIG of prctl(2), setrlimit(2), execvp(3).
#pragma once

#include <string>
#include <vector>

namespace io_selectors {

/** Returns only if it fails: 2 on bad arguments, 127 if the command cannot run. */
int Launch(const std::vector<std::string>& arguments);

}  // namespace io_selectors
