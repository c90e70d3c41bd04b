// Allocations: how often this program has asked for memory, so that a test can check that the loop
// does not allocate. Replaces operator new, at no cost to code that does not allocate.
#pragma once

#include <cstdint>

namespace io_selectors {

int64_t AllocationsSoFar();

}  // namespace io_selectors
