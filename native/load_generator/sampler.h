// Sampler: what the server, this generator and the machine have used so far, read from outside, so
// that any server can be measured. proc(5)
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "load_generator/options.h"
#include "load_generator/proc_file.h"
#include "load_generator/process_tree.h"

namespace io_selectors {

/** Running totals; kUnknown if not available or the process has ended. */
struct Sample {
  int64_t at_ns = 0;  // CLOCK_MONOTONIC
  TreeSample server;
  TreeSample client;
  int64_t steal_ns = kUnknown;  // summed over all CPUs, in ticks of 10 ms
};

class Sampler {
 public:
  /** The server that the options name; without one only this process and the machine. */
  explicit Sampler(const RunOptions& options);

  /** The CPU clocks first, at one moment with `at_ns`; then what takes longer to find out. */
  Sample Take();

  /** The other way round: a window that begins at `at_ns` begins with load, not with this look. */
  Sample TakeBefore();

  ProcessTree& server() { return server_; }
  ProcessTree& client() { return client_; }

 private:
  ProcessTree server_;
  ProcessTree client_;
  ProcFile machine_stat_;
};

}  // namespace io_selectors
