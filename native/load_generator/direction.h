// Direction: the orders that one process of a run receives, and the reports that it makes. A
// process on its own directs itself; a worker is directed by its parent.
#pragma once

#include <cstdint>

#include "load_generator/timeline.h"

namespace io_selectors {

class Direction {
 public:
  virtual ~Direction() = default;
  Direction() = default;
  Direction(const Direction&) = delete;
  Direction& operator=(const Direction&) = delete;

  /**
   * Writes how many of this process's connections are to be open next.
   * @returns false: there is no such stage any more
   */
  virtual bool NextGoal(uint32_t* connections) = 0;

  /** They are, and each of them was served. */
  virtual void Reached() = 0;

  /** Peers that never read are full, too. Returns when all processes are ready for the load. */
  virtual void Ready() = 0;

  /** The timeline of the load that follows. */
  virtual Timeline& timeline() = 0;
};

}  // namespace io_selectors
