// Announcer: all lines of a run but the last, in the order in which they become known: the stages
// of connecting, then the warm-up and the windows.
#pragma once

#include "load_generator/conductor.h"
#include "load_generator/options.h"
#include "load_generator/report.h"
#include "load_generator/window.h"

namespace io_selectors {

class Announcer {
 public:
  Announcer(const RunOptions& options, Conductor& conductor, uint32_t processes);

  /** The number of stages of connecting: one, except with --mode memory. */
  size_t stages() const;

  /** Connections of this generator that are to be open in that stage. */
  int64_t Goal(size_t stage) const;

  /** That many are open and were served. Lets things settle if memory is measured. */
  void Reached(size_t stage);

  /** After the run: its windows, counted over all processes. */
  void Windows(const Window* windows, RunResult* result) const;

 private:
  const RunOptions& options_;
  Conductor& conductor_;
  uint32_t processes_;
  int64_t began_ns_;
};

}  // namespace io_selectors
