// Traffic: sends requests and receives their answers, on all connections through one Selector. When
// to send is decided elsewhere, what to send and what to expect by a Protocol. Nothing is allocated
// after the constructor but the description of the first fault of each kind.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/owned_fd.h"
#include "core/selector.h"
#include "load_generator/connection_table.h"
#include "load_generator/dialer.h"
#include "load_generator/options.h"
#include "load_generator/protocol.h"
#include "load_generator/share.h"
#include "load_generator/tally.h"
#include "load_generator/tls.h"
#include "load_generator/window.h"

namespace io_selectors {

class Traffic {
 public:
  /** @param unmeasured counts what falls outside of the measured windows */
  Traffic(Selector& selector, const RunOptions& options, const Share& share, Window* unmeasured);
  ~Traffic();
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  ConnectionTable& table() { return table_; }
  /** Those that messages are meant for, by schedule or turn. */
  const std::vector<uint32_t>& targets() const { return targets_; }

  /** `missing` is final once nothing more is received. */
  Tally Sum() const;

  /** Messages posted and not back yet, those on slow and lost connections left out. */
  int64_t outstanding() const { return outstanding_; }
  /** The same without those of a connection that floods, a closed loop of its own. */
  int64_t OutstandingByTurn() const;
  int64_t alive() const { return alive_; }
  const SlowPeers& slow() const { return tally_.slow; }
  int64_t connections_lost() const { return tally_.connections_lost; }
  int64_t completed() const { return tally_.completed; }
  /**
   * Counts the faults of the connections that were not served in time.
   * @returns the first one's description; empty if no server has received a request.
   */
  std::string GiveUp();
  /** Why TLS failed the first time; empty: it did not. */
  std::string TlsFailure() const { return tls_ == nullptr ? "" : tls_->failure(); }
  int64_t intended() const { return intended_; }

  /** Counts into `window` from `edge_ns` on; nullptr: outside of the measured windows. */
  void CountInto(Window* window, int64_t edge_ns);

  /**
   * From now on `window` has the messages that are due from `from_ns` on, whenever they are sent
   * and come back, in all its counts and histograms but `completed`; others go to no window.
   */
  void MeasureByDue(Window* window, int64_t from_ns);
  /**
   * Messages due from `until_ns` on belong to no window. Earlier ones belong to the window that has
   * ended, although the generator gets to them only now, or they come back later.
   */
  void EndByDue(int64_t until_ns) { by_due_until_ns_ = OwnNs(until_ns); }

  /** The generator itself has done nothing for so long, which is no latency of the server's. */
  void Shift(int64_t ns) { stood_still_ns_ += stamped_ ? 0 : ns; }

  /** From now on until EndFairness() each measured connection's completions are compared. */
  void BeginFairness(int64_t now_ns);
  void EndFairness(int64_t now_ns);

  /** Takes a new socket in under that id; anything the id had before is forgotten. */
  Result<void> Open(uint32_t id, OwnedFd fd);

  /** The socket is connected: from now on it may be posted to. */
  Result<void> Start(uint32_t id);

  /** Its first message is back: from now on it plays its role. */
  void Serve(uint32_t id);

  /** Closes a connection and keeps `state` as the reason. */
  void Retire(uint32_t id, ConnectionState state);

  /** Closes all that are open, as they are. */
  void CloseAll();

  /**
   * Ends every connection by a FIN and waits for the peers' FINs, up to a second; then CloseAll().
   * Closing at once would reset the connection while bytes are still under way.
   */
  void FinishAll();

  /**
   * Sends a message now, or as soon as the socket and `depth` allow it.
   * @param intended_ns when it was due, or kWhenSent
   * @returns false if it cannot be taken: the connection is gone or its ring is full.
   */
  bool Post(uint32_t id, int64_t intended_ns);

  /** Messages that wait for their turn are not sent any more. */
  void DropQueued();

  /** Sends to each of those that never read what it takes now, until it has had so much. */
  void PostToSlow(int64_t most_bytes);

  /** Counts a message as meant to be sent, taken or not. */
  void Intend(uint32_t id);
  /** The same for one that was due at `due_ns`, which the generator got to at `now_ns`. */
  void Intend(uint32_t id, int64_t due_ns, int64_t now_ns);

  /** Keeps `messages` under way on that connection, each echo answered by the next message. */
  void Flood(uint32_t id, uint32_t messages);
  /** Sends nothing more but what was posted. */
  void EndFloods() { flooding_ = false; }

  /** Waits; the events are in event(0) … event(n-1). EINTR counts as no event. */
  Result<int> Wait(int64_t timeout_ns);
  const ReadyEvent& event(int i) const { return ring_[static_cast<size_t>(i)]; }

  /** Whether the event's descriptor is still what it was when the event was made. */
  bool IsCurrent(const ReadyEvent& event) const {
    return selector_.Generation(event.fd) == event.generation;
  }

  /**
   * Whether the kernel records when an echo arrives, so that it may be read late. Used if sending
   * does not depend on answers: open loop without a depth.
   */
  bool stamped() const { return stamped_; }

  /** Whether to ask for it from now on; has no effect if the kernel does not note it. */
  void UseStamps(bool on) { stamped_ = on && stamps_; }

  /** Before echoes are read that may have come a while ago: compares the kernel's clocks. */
  void CompareClocks();

  /** Will be needed soon: one that is written to, one that an event is about. */
  void Prefetch(uint32_t id) const { __builtin_prefetch(&table_[id], 1); }
  void Prefetch(const ReadyEvent& event) const {
    if (table_.IsBound(event.fd)) Prefetch(table_.IdOf(event.fd));
  }

  /** Reads and writes what an alive connection is ready for. */
  void Handle(uint32_t id, const ReadyEvent& event);

 private:
  /** The clock of all that is noted here: if the kernel notes no arrivals, it stands still
   * while the generator does. */
  int64_t OwnNs(int64_t monotonic_ns) const { return monotonic_ns - stood_still_ns_; }
  /** The window in which a message came back. */
  Window& WindowAt(int64_t back_ns) { return back_ns < edge_ns_ ? *before_ : *window_; }
  /** The window that a message due at `due_ns` is counted in. */
  Window& WindowOf(int64_t due_ns) { return by_due_ == nullptr ? *window_ : DueWindow(due_ns); }
  Window& DueWindow(int64_t due_ns) {
    return due_ns >= by_due_from_ns_ && due_ns < by_due_until_ns_ ? *by_due_ : *unmeasured_;
  }
  /** Messages in flight, integrated from the begin of time to `now_ns`, modulo 2^64. */
  uint64_t InFlightArea(int64_t now_ns) const {
    return static_cast<uint64_t>(in_flight_) * static_cast<uint64_t>(now_ns) + in_flight_stamps_;
  }
  void EnterFlight(int64_t sent_ns) {
    ++in_flight_;
    in_flight_stamps_ -= static_cast<uint64_t>(sent_ns);
  }
  void LeaveFlight(int64_t back_ns) {
    --in_flight_;
    in_flight_stamps_ += static_cast<uint64_t>(back_ns);
    if (back_ns >= edge_ns_) return;
    // It came before the last edge and was read after it: until then it had counted as in flight.
    before_->in_flight_ns -= edge_ns_ - back_ns;
    in_flight_edge_ -= static_cast<uint64_t>(edge_ns_ - back_ns);
  }
  bool Farewell(uint32_t id);
  void SendQueued(uint32_t id);
  uint32_t MaySend(const Connection& connection) const;
  bool SendSome(uint32_t id);
  void CountSent(uint32_t id, size_t bytes, int64_t sent_ns);
  void ReceiveReady(uint32_t id);
  bool Shake(uint32_t id);
  void NoteTlsFailure();
  ssize_t Transmit(uint32_t id, size_t length);
  bool TakeWhatCame(uint32_t id);
  ssize_t ReceiveSome(uint32_t id, int64_t* arrived_ns);
  bool Take(uint32_t id, const unsigned char* data, size_t length, int64_t now_ns);
  bool BlocksServer(uint32_t id) const;
  void Complete(uint32_t id, int64_t now_ns);
  bool EndsWith(uint32_t id, const Exchange& answered, bool server_closes);
  bool WasIdle(uint32_t id);
  void OnPeerEnd(uint32_t id, int error);
  void Reopen(uint32_t id);
  void Requeue(uint32_t id);
  void SetBlocked(uint32_t id, bool blocked);
  Result<void> Watch(const Connection& connection, int32_t interest);
  /** The oldest message that has not come back; `after`: that many after it. */
  Exchange ExchangeOf(uint32_t id, uint32_t after = 0) const {
    return Exchange{first_id_ + id, table_[id].next_expected + after};
  }
  ExchangeProgress ProgressOf(uint32_t id) const;
  /** Counts faulty answers of a connection, and describes the first of their kind. */
  void NoteFault(Tally* tally, uint32_t id, const Faulty& found) const;

  Selector& selector_;
  Roles roles_;
  uint32_t first_id_;
  ConnectionTable table_;
  std::vector<uint32_t> targets_;
  std::unique_ptr<Protocol> protocol_;
  std::unique_ptr<Tls> tls_;  // nullptr: plain TCP
  Dialer dialer_;
  uint64_t seed_;
  uint64_t reopen_percent_;
  int64_t answer_within_ns_;  // 0: whenever
  bool open_loop_;
  uint32_t depth_;
  unsigned block_below_;  // 0: no message blocks the server
  uint32_t slow_burst_;   // messages
  std::vector<ReadyEvent> ring_;
  std::vector<unsigned char> send_buffer_;
  std::vector<unsigned char> receive_buffer_;
  Window* unmeasured_;
  Window* window_;
  Window* before_;       // the current one until the last edge
  int64_t edge_ns_ = 0;  // when that was, on our clock
  int64_t outstanding_ = 0;
  int64_t alive_ = 0;
  int64_t intended_ = 0;
  Window* by_due_ = nullptr;
  int64_t by_due_from_ns_ = 0;
  int64_t by_due_until_ns_ = 0;    // the load's end; 0: not yet, where no window is measured by due
  int64_t in_flight_ = 0;          // timed messages sent and not back
  uint64_t in_flight_stamps_ = 0;  // when messages came back, minus when they were sent, summed
  uint64_t in_flight_edge_ = 0;    // the area at the last edge
  bool stamps_;                    // the kernel can note arrivals
  bool stamped_;
  int64_t stood_still_ns_ = 0;
  int64_t clocks_apart_ns_ = 0;  // our own clock minus CLOCK_REALTIME
  bool flooding_ = true;
  bool comparing_ = false;                 // between BeginFairness() and EndFairness()
  std::vector<uint64_t> expected_before_;  // by id, when the comparison began
  Tally unserved_;                         // faults before a connection was served
  Tally tally_;                            // all but `missing`, which is counted at the end
};

}  // namespace io_selectors
