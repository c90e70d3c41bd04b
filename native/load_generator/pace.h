// Pace: decides when messages are sent and on which connection; the two ways to put load on a
// server. Open loop: by the clock, whatever comes back (Schroeder, Wierman, Harchol-Balter 2006,
// "Open versus closed"). Closed loop: a fixed number under way.
// Enters: the time, or a reply. Leaves: posts to Traffic.
#pragma once

#include <cstdint>
#include <limits>

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
};

class OpenPace final : public Pace {
 public:
  explicit OpenPace(const RunOptions& options) : schedule_(options) {}

  int64_t NextDueNs() const override { return schedule_.due_ns(); }
  void Send(Traffic& traffic) override;
  void Shift(int64_t ns) override { schedule_.Shift(ns); }

 private:
  Schedule schedule_;
};

class ClosedPace final : public Pace {
 public:
  explicit ClosedPace(const RunOptions& options) : in_flight_(options.in_flight) {}

  int64_t NextDueNs() const override { return kNever; }
  void Send(Traffic& traffic) override;
  void Shift(int64_t /*ns*/) override {}

 private:
  int64_t in_flight_;
  uint32_t turn_ = 0;  // the connection that is next
};

}  // namespace io_selectors
