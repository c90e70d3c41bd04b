// `load-generator supervise [--kill-rest] -- COMMAND ARGS…`: runs a command and ends after the last
// process that it started, daemons included, so that none outlives a benchmark. With --kill-rest
// the processes that the command leaves running are killed when it ends. On Linux orphans become
// our children (PR_SET_CHILD_SUBREAPER of prctl(2)); elsewhere only the command's process group is
// reached. Standard input is the lifeline: at its end, as when its writer is killed, every process
// is killed. Once the command has ended, a process that cannot be killed is left after 5 s.
#pragma once

#include <string>
#include <vector>

namespace io_selectors {

/**
 * SIGTERM and SIGINT are passed on to the processes that were started.
 * @returns the command's exit code; 2 on bad arguments, 127 if the command cannot run. A command
 * that a signal ended ends this process by the same signal.
 */
int Supervise(const std::vector<std::string>& arguments);

}  // namespace io_selectors
