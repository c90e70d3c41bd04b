// Direction: what one process of a run is told, and what it tells. A process on its own directs
// itself; a worker is directed by its parent.
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

  /** They are, and each of them was served. Returns when those of all processes are. */
  virtual void Reached() = 0;

  /** Of the load that follows the last goal. */
  virtual Timeline& timeline() = 0;
};

}  // namespace io_selectors
