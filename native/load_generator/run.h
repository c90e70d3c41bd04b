// `load-generator run`: connect, load, report, in this order.
#pragma once

#include <string>
#include <vector>

namespace io_selectors {

/** Signals end the process at once, and its timers are exact. */
void PrepareProcess();

/** @returns the exit code: 0 it ran (whatever was found), 1 it could not, 2 bad arguments. */
int Run(const std::vector<std::string>& arguments);

/** Reads the options of a run and sends nothing. @returns the exit code: 0, or 2 with the reason.
 */
int Check(const std::vector<std::string>& arguments);

}  // namespace io_selectors
