// `load-generator observe`: samples a server on its own host while generators on other hosts load
// it. It takes the commands of `hold`, or of `run --begin-on-command 1`, and prints windows that
// hold nothing but the server's figures.
#pragma once

#include <string>
#include <vector>

namespace io_selectors {

/** @returns 0; 2 on bad arguments. Ends at `end`, after the windows of a run, or with its input. */
int Observe(const std::vector<std::string>& arguments);

}  // namespace io_selectors
