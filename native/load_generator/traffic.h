// Traffic: sends messages, receives and checks their echoes, on all connections through one
// Selector. When to send is decided elsewhere. Nothing is allocated after the constructor but the
// description of the first wrong byte.
// Enters: posted messages and ready events. Leaves: counts and latencies in the current Window.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/owned_fd.h"
#include "core/selector.h"
#include "load_generator/connection_table.h"
#include "load_generator/options.h"
#include "load_generator/window.h"

namespace io_selectors {

struct CallCounts {
  int64_t wait = 0;
  int64_t recv = 0;
  int64_t send = 0;
};

/** What the run came to, over all connections. */
struct Totals {
  int64_t completed = 0;
  int64_t mismatches = 0;  // messages that came back different, or bytes nobody had sent
  int64_t missing = 0;     // messages that were sent and never came back
  int64_t connections_lost = 0;
};

class Traffic {
 public:
  Traffic(Selector& selector, const RunOptions& options);
  ~Traffic();
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  ConnectionTable& table() { return table_; }
  const CallCounts& calls() const { return calls_; }
  const std::string& mismatch_detail() const { return mismatch_detail_; }

  /** `missing` is final once nothing more is received. */
  Totals Sum() const;

  /** Messages posted and not back yet, those on lost connections left out. */
  int64_t outstanding() const { return outstanding_; }
  int64_t alive() const { return alive_; }
  int64_t connections_lost() const { return totals_.connections_lost; }

  /** Counts into `window` from now on; nullptr: outside of the measured windows. */
  void CountInto(Window* window) { window_ = window != nullptr ? window : &unmeasured_; }
  Window& window() { return *window_; }

  /** Takes a new socket in under that id; anything the id had before is forgotten. */
  Result<void> Open(uint32_t id, OwnedFd fd);

  /** The socket is connected: from now on it may be posted to. */
  Result<void> Start(uint32_t id);

  /** Closes a connection and keeps `state` as the reason. */
  void Retire(uint32_t id, ConnectionState state);

  /** Closes all that are open, as they are. */
  void CloseAll();

  /**
   * Sends a message now, or as soon as the socket and `depth` allow it.
   * @param intended_ns when it was due, or kWhenSent
   * @returns false where it cannot be taken: the connection is gone or its ring is full.
   */
  bool Post(uint32_t id, int64_t intended_ns);

  /** Waits; the events are in event(0) … event(n-1). EINTR counts as no event. */
  Result<int> Wait(int64_t timeout_ns);
  const ReadyEvent& event(int i) const { return ring_[static_cast<size_t>(i)]; }

  /** Whether the event's descriptor is still what it was when the event was made. */
  bool IsCurrent(const ReadyEvent& event) const {
    return selector_.Generation(event.fd) == event.generation;
  }

  /** Reads and writes what an alive connection is ready for. */
  void Handle(uint32_t id, const ReadyEvent& event);

 private:
  void SendQueued(uint32_t id);
  bool SendSome(uint32_t id);
  void ReceiveReady(uint32_t id);
  bool Check(uint32_t id, const unsigned char* data, size_t length, int64_t now_ns);
  void Complete(uint32_t id, int64_t now_ns);
  void SetBlocked(uint32_t id, bool blocked);
  void ReportWrongByte(uint32_t id, unsigned char got);

  Selector& selector_;
  ConnectionTable table_;
  size_t payload_bytes_;
  uint32_t depth_;
  std::vector<ReadyEvent> ring_;
  std::vector<unsigned char> send_buffer_;
  std::vector<unsigned char> receive_buffer_;
  Window unmeasured_;
  Window* window_ = &unmeasured_;
  CallCounts calls_;
  int64_t outstanding_ = 0;
  int64_t alive_ = 0;
  Totals totals_;  // all but `missing`, which is counted at the end
  std::string mismatch_detail_;
};

}  // namespace io_selectors
