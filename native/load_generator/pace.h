// Pace: decides when messages are sent and on which connection. An open loop sends by the clock,
// whatever comes back (Schroeder, Wierman, Harchol-Balter 2006, "Open versus closed"). A closed
// loop keeps a fixed number in flight. A third pace sends nothing.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>

#include "load_generator/schedule.h"
#include "load_generator/traffic.h"

namespace io_selectors {

class Pace {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  virtual ~Pace() = default;
  Pace() = default;
  Pace(const Pace&) = delete;
  Pace& operator=(const Pace&) = delete;

  /** CLOCK_MONOTONIC ns at which Send() has something to do even if nothing comes back. */
  virtual int64_t NextDueNs() const = 0;

  /** Posts what may be sent now: a bounded number, so that replies are not left lying. */
  virtual void Send(Traffic& traffic) = 0;

  /** Moves what is due: from time 0 to the start, and past a stop of the generator itself. */
  virtual void Shift(int64_t ns) = 0;

  /** The load ends: Send() posts only what was due before `at_ns`, and a closed loop nothing. */
  virtual void End(int64_t at_ns) = 0;

  /** After End(): counts as intended what was due before and is not going to be sent. */
  virtual void Skip(Traffic& /*traffic*/) {}
};

/** What the options ask for; a pace that never sends if the share has no targets. */
std::unique_ptr<Pace> MakePace(const RunOptions& options, const Share& share);

}  // namespace io_selectors
