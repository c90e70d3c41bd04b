// Load: the run of one process: a warm-up, the measured windows without gaps between them, then a
// drain that sends only overdue messages. The Timeline decides when each of them begins.
#pragma once

#include <string>

#include "load_generator/alarm.h"
#include "load_generator/options.h"
#include "load_generator/pace.h"
#include "load_generator/timeline.h"
#include "load_generator/traffic.h"
#include "load_generator/window.h"

namespace io_selectors {

class Load {
 public:
  Load(Traffic& traffic, Pace& pace, Alarm& alarm, const RunOptions& options);

  /**
   * Sends to the peers that never read until nothing more fits, with them, with the server or on
   * the way. Filling takes megabytes each and more of both CPUs than the others' messages do: only
   * from then on is it the server that is put to the test. @returns as Run.
   */
  std::string FillSlow();

  /** @param windows as many as the options say. @returns why it could not go on, or nothing. */
  std::string Run(Timeline& timeline, Window* windows);

  /**
   * Sends what was due before the load's end and receives until every message is back, or until the
   * drain timeout.
   */
  void Drain();

  /** Times that memory was asked for within the measured windows. */
  int64_t allocations() const { return allocations_; }

 private:
  bool RunUntil(int64_t end_ns);
  bool Turn(int64_t timeout_ns, bool send, int* events = nullptr);
  bool WaitFor(int64_t due_ns);
  bool Spin(int64_t due_ns);
  bool Gather(int64_t until_ns);

  Traffic& traffic_;
  Pace& pace_;
  Alarm& alarm_;
  const RunOptions& options_;
  int64_t allocations_ = 0;
  int64_t looked_at_ns_ = 0;  // for echoes, the last time
  Window* window_ = nullptr;  // that is measured; null before, between and after
  std::string error_;
};

}  // namespace io_selectors
