// Connector: opens all connections and sees each of them served. A connect(2) succeeds as soon as
// the kernel has queued it, so a connection counts when its first message has come back: the server
// has accepted it then and has run its whole path once.
#pragma once

#include <string>
#include <vector>

#include "load_generator/dialer.h"
#include "load_generator/options.h"
#include "load_generator/share.h"
#include "load_generator/traffic.h"

namespace io_selectors {

class Connector {
 public:
  Connector(Traffic& traffic, const RunOptions& options, const Share& share);

  /**
   * Opens those up to id `wanted` (of this share) that are not open yet. Ends when all are served,
   * none was served for a while, or the time is over. @returns what went wrong, or nothing.
   */
  std::string Run(uint32_t wanted);

  uint32_t served() const { return served_; }

 private:
  std::string StartSome(uint32_t wanted);
  std::string StartOne(uint32_t id);
  void OnEvent(uint32_t id, const ReadyEvent& event);
  int Greet(uint32_t id);
  void TryAgainLater(uint32_t id, int error);
  int64_t DeadlineNs() const;
  int64_t WaitNs() const;
  std::string TimeIsOver(uint32_t wanted);

  Traffic& traffic_;
  const RunOptions& options_;
  uint32_t first_id_;
  uint32_t under_way_at_most_;
  Dialer dialer_;
  uint32_t next_ = 0;  // the first that was never tried
  std::vector<uint32_t> again_;
  uint32_t under_way_ = 0;
  uint32_t served_ = 0;
  int64_t end_ns_ = 0;
  int64_t last_served_ns_ = 0;
  int64_t not_before_ns_ = 0;
  int last_error_ = 0;
};

}  // namespace io_selectors
