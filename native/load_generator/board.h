// Board: what the processes of a run write for each other, in memory that they share. Orders come
// from the parent; each worker has a place of its own for what it reports.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "load_generator/tally.h"

namespace io_selectors {

/** Written by the parent only. CLOCK_MONOTONIC ns; 0: not known yet. */
struct Orders {
  std::atomic<uint32_t> stage;  // connect up to this one's goal, counted from 1
  std::atomic<int64_t> begin_ns;
  std::atomic<int64_t> measure_from_ns;
};

/** Written by one worker only. */
struct alignas(64) WorkerReport {
  std::atomic<uint32_t> stage;  // the last one that was reached
  std::atomic<bool> ready;      // for the load
  std::atomic<int64_t> completed;
  std::atomic<int64_t> intended;
  std::atomic<bool> over;  // the tally is complete
  Tally tally;
};

static_assert(std::atomic<int64_t>::is_always_lock_free, "a lock would be each process's own");

}  // namespace io_selectors
