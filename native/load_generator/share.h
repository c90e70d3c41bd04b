// Share: what one process of a run does: a range of the connections, and the part of the load that
// falls on it.
#pragma once

#include <cstdint>

#include "load_generator/options.h"

namespace io_selectors {

struct Share {
  uint32_t index = 0;
  uint32_t processes = 1;
  uint32_t first_id = 0;     // ids are the run's, from 0 over all processes
  uint32_t connections = 0;  // held here: first_id … first_id + connections - 1
  uint32_t targets = 0;      // of them get messages by schedule or turn
  double rate = 0;           // messages per second, open loop
  int64_t in_flight = 0;
  uint64_t seed = 0;
};

/** The part of process `index` of `processes`. The only one gets the options as they are. */
Share ShareOf(const RunOptions& options, uint32_t index, uint32_t processes);

/** The share of process `index` of `processes` of this generator, one of options.parts. */
Share ShareOfPart(const RunOptions& options, uint32_t index, uint32_t processes);

/** How many of `total` fall on process `index`, as evenly as whole numbers allow. */
constexpr int64_t PartOf(int64_t total, uint32_t index, uint32_t processes) {
  return total * (index + 1) / processes - total * index / processes;
}

/** How many connections of a stage a share holds: never more than it has room for. */
constexpr int64_t PartOfStage(const RunOptions& options, const Share& share, int64_t stage) {
  const int64_t first = share.first_id;
  return stage * (first + share.connections) / options.connections -
         stage * first / options.connections;
}

}  // namespace io_selectors
