// Schedule: when each message of an open loop is due, and to which target.
#pragma once

#include <cstdint>

#include "load_generator/options.h"
#include "load_generator/share.h"

namespace io_selectors {

/** xoshiro256** 1.0 (Blackman, Vigna 2018), seeded with splitmix64. */
class Random {
 public:
  explicit Random(uint64_t seed);

  uint64_t Next();

  /** Uniform over 0 … bound-1; `bound` is small against 2^32, so the bias is, too. */
  uint32_t Below(uint32_t bound) {
    return static_cast<uint32_t>((Next() >> 32) * uint64_t{bound} >> 32);
  }

  /** Exponentially distributed with mean 1. */
  double Exponential();

 private:
  uint64_t state_[4];
};

/**
 * An endless row of arrivals. Poisson: exponential gaps, a uniformly drawn target, which is what as
 * many independent Poisson sources make together. Fixed: equal gaps, targets in turn.
 * With ticks, what falls between two is due at the later one: bursts, for which the generator needs
 * to wake up less often.
 */
class Schedule {
 public:
  /** Starts at time 0: see Shift(). */
  Schedule(const RunOptions& options, const Share& share);

  int64_t due_ns() const { return due_ns_; }
  /** Which of the share's targets, from 0. */
  uint32_t target() const { return target_; }

  /** Goes on to the next arrival. */
  void Advance();

  /** Moves all that is to come: to the start, and past a stop of the generator itself. */
  void Shift(int64_t ns) {
    start_ns_ += ns;
    due_ns_ += ns;
  }

 private:
  Random random_;
  Arrivals arrivals_;
  uint32_t targets_;
  double gap_ns_;
  double tick_ns_;
  int64_t start_ns_ = 0;
  double offset_ns_ = 0;  // of the arrival from the start: sums of fractions, never rounded
  int64_t due_ns_ = 0;
  uint32_t target_ = 0;
};

}  // namespace io_selectors
