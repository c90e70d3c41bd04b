// `load-generator hold`: connects once, then measures windows on command, so that several servers
// can stay connected while the load turns from one to the next within a fraction of a second.
#pragma once

#include <string>
#include <vector>

namespace io_selectors {

/**
 * Reads commands from standard input until `end` or its end: see docs/load-generator.md.
 * @returns the exit code, as Run()
 */
int Hold(const std::vector<std::string>& arguments);

}  // namespace io_selectors
