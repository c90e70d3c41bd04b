// Engine: connections as a Proactor serves them. A turn takes what the program has submitted,
// waits, and reports what has completed; the program calls it once per turn, never per message. How
// bytes move is left to the engines over readiness and over io_uring; this class keeps what they
// share: slots, queues, joined writes, idle timeouts, pauses of accepting, and one close per open.
// A slot is free, serving or leaving; each time it serves is another life, which names everything
// that is under way for it, so that nothing of one connection reaches the next of that number.
// Schmidt et al., Pattern-Oriented Software Architecture 2: Proactor, Acceptor.
// What every message passes through is [[gnu::hot]]: compilers place it together, so that a process
// as large as Node's, which has run other code meanwhile, misses fewer cache lines and pages.
#pragma once

#include <poll.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/selector.h"
#include "proactor/idle_timers.h"
#include "proactor/rings.h"
#include "proactor/send_queue.h"

namespace io_selectors {

/** What a descriptor that an engine takes over can do, and how it begins. */
struct SlotOptions {
  bool reads = true;
  bool writes = true;
  bool socket = true;   // recv(2), send(2) and shutdown(2) rather than read(2) and write(2)
  bool paused = false;  // receives nothing until kResume
  int32_t idle_ms = 0;  // 0: no idle timeout
};

struct ListenerOptions {
  int32_t room = -1;    // connections that it may accept until kMoreAccepts; below 0: any number
  bool paused = false;  // of what it accepts: receives nothing until kResume
  int32_t idle_ms = 0;  // of what it accepts
};

/** Exact system calls and bytes. Over io_uring the waits are the only calls. */
struct EngineCounters {
  uint64_t wait_calls = 0;
  uint64_t events_returned = 0;
  uint64_t receive_calls = 0;
  uint64_t send_calls = 0;
  uint64_t accept_calls = 0;
  uint64_t control_calls = 0;  // that change what a set in the kernel watches: epoll_ctl(2)
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;
};

/** Belongs to one thread. A slot is the number of the descriptor that it owns. */
class Engine {
 public:
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /**
   * Takes over a listening, non-blocking socket.
   * @returns its life; EEXIST if the engine has that descriptor already.
   */
  Result<int32_t> Listen(int fd, const ListenerOptions& options);

  /**
   * Takes over a connected, non-blocking descriptor; if it fails the caller keeps it.
   * @returns its life; EEXIST if the engine has that descriptor already.
   */
  Result<int32_t> Adopt(int fd, const SlotOptions& options);

  /**
   * Releases a connection without closing it: the caller owns the descriptor again.
   * @param unread gets what was received and not reported.
   * @returns EBADF if it is not one of this engine's, EBUSY while bytes of it are not sent.
   */
  virtual Result<void> Detach(int slot, std::string* unread) = 0;

  /**
   * Sends, after all that was submitted before, bytes that are too many for `outbound`; what the
   * peer does not take is copied.
   * @returns the bytes of this slot that are queued now; 0 also for a slot that is closing.
   */
  size_t Write(int slot, const uint8_t* data, size_t length);

  /**
   * Whether the descriptor still belongs to that life. After a wait, and before its completions are
   * dispatched, the program may know a connection whose number is another's by now.
   */
  bool IsServing(int slot, int32_t life) {
    const Slot* found = Find(slot);
    return found != nullptr && found->life == life;
  }

  /** Takes all submissions: sends, and does what else they ask for. */
  void Flush();

  /**
   * One turn: Flush(), then wait, receive and accept.
   * @param timeout_ns nanoseconds, UntilDueNs() at most; below 0 without a deadline.
   * @returns how many completions lie in the ring; EINTR if a signal came first.
   */
  [[gnu::hot]] Result<int> Turn(int64_t timeout_ns);

  /** Sets the descriptor that ends a wait from outside when it is readable. Called once. */
  virtual Result<void> SetWakeFd(int fd) = 0;
  /** Whether the last turn saw the wake descriptor ready. */
  bool Woken() const { return woken_; }

  // As those of Selector.
  virtual int fileno() const = 0;
  virtual int32_t renewals() const { return 0; }
  virtual std::vector<pollfd> Watched() const { return {}; }
  /** Of those of Watched() that are for writing only. */
  virtual bool ReportsHangupsOfWriters() const { return true; }
  virtual void PrepareToBeWatched() {}
  /** Whether Watched() has changed since the last call. */
  virtual bool TakeChanged() { return false; }

  /** Whether a turn would do something without waiting, which fileno() may not show. */
  bool HasWork() const {
    return count_ > delivered_ || !backlog_.empty() || HasMore() || HasPutOff() || times_anew_;
  }

  /** For a wait beside this engine: nanoseconds until a turn has something to do by itself, below
   * 0: never. */
  [[gnu::hot]] int64_t UntilDueNs();

  /** Closes every descriptor of its own, without a completion. */
  virtual void CloseAll() = 0;

  const EngineCounters& counters() const { return counters_; }

 protected:
  enum class Phase : uint8_t {
    kFree,     // the number is not the engine's
    kServing,  // the program may submit, and is reported to
    kLeaving,  // closed, and reported as closed, once the kernel holds nothing of it
  };

  enum Flag : uint16_t {
    kListening = 1 << 0,
    kSocket = 1 << 1,
    kReads = 1 << 2,        // more may arrive
    kWrites = 1 << 3,       // the sending direction is open
    kPaused = 1 << 4,       // by the program
    kEnding = 1 << 5,       // the sending direction ends once the queue is empty
    kSendRefused = 1 << 6,  // which is why it is leaving, or is about to
    // Operations under way, in the engine over io_uring only.
    kReceiving = 1 << 7,
    kCancelling = 1 << 8,
    kSending = 1 << 9,
    kStarved = 1 << 10,      // its receive found no buffer
    kSendsAtOnce = 1 << 11,  // in the flush that has not entered the kernel
    kReports = 1 << 12,      // its queue is to be reported after that
    kCutOff = 1 << 13,       // a receive of 0 bytes is not the peer's end
  };

  struct Slot {
    std::unique_ptr<SendQueue> queue;
    int32_t life = 0;
    int16_t first_write = -1;  // of the submissions that a flush is taking
    int16_t last_write = -1;
    uint16_t flags = 0;
    int16_t error = 0;  // errno: why it is leaving
    Phase phase = Phase::kFree;
    int8_t interest = 0;  // of the engine over readiness

    bool Has(int flag) const { return (flags & flag) != 0; }
    void Add(int flag) { flags = static_cast<uint16_t>(flags | flag); }
    void Drop(int flag) { flags = static_cast<uint16_t>(flags & ~flag); }
    size_t queued() const { return queue == nullptr ? 0 : queue->size(); }
  };

  struct Listener {
    int32_t slot = -1;
    ListenerOptions options;
    bool accepting = false;
    int64_t again_at_ns = 0;  // accepting pauses until then; 0: it does not
  };

  explicit Engine(const Rings& rings);

  // What an engine provides.
  /** Begins to serve a slot that was just taken over. */
  virtual Result<void> Start(int32_t slot) = 0;
  virtual Result<void> StartAccepting(Listener& listener) = 0;
  virtual void StopAccepting(Listener& listener) = 0;
  /** The slot's kReads, kPaused or queue has changed: begins or ends receiving and sending. */
  virtual void Settle(int32_t slot) = 0;
  /** Sends these parts, `length` bytes in all; nothing of the slot is queued. */
  virtual void Send(int32_t slot, const iovec* parts, int count, size_t length) = 0;
  /** The slot is leaving: ends everything under way, closes, and then calls Closed(). */
  virtual void Leave(int32_t slot) = 0;
  /** Waits and reports. */
  virtual Result<void> WaitAndReceive(int64_t timeout_ns) = 0;
  /** Whether events are left from the last wait. */
  virtual bool HasMore() const { return false; }
  /** Whether something waits for the next turn only, for which no event will come. */
  virtual bool HasPutOff() const { return false; }
  /** What was flushed must leave now, since no turn is under way. */
  virtual void Flushed() {}
  /** A slot ends that kSendsAtOnce: EndIfSent() is called once that is known to be complete. */
  virtual void EndsLater() {}
  /** Frees the queue of a slot that is over. */
  virtual void DropQueue(Slot& slot) { slot.queue.reset(); }

  Slot& At(int32_t slot) { return slots_[static_cast<size_t>(slot)]; }
  /** A slot that is serving; nullptr otherwise. */
  Slot* Find(int32_t slot) {
    if (slot < 0 || static_cast<size_t>(slot) >= slots_.size()) return nullptr;
    Slot& found = At(slot);
    return found.phase == Phase::kServing ? &found : nullptr;
  }
  /** Begins a life. @returns EEXIST, ENOMEM */
  Result<Slot*> Open(int32_t slot, const SlotOptions& options);
  Listener* FindListener(int32_t slot) {
    for (Listener& listener : listeners_) {
      if (listener.slot == slot) return &listener;
    }
    return nullptr;
  }

  /** Whether that many completions fit into the ring. */
  bool HasRoom(int count = 1) const {
    return backlog_.empty() && count_ + count <= rings_.completion_capacity;
  }
  [[gnu::hot]] void Emit(int32_t slot, CompletionKind kind, int32_t offset, int32_t length);
  void EmitQueued(int32_t slot);

  /** A connection was accepted. */
  void Accepted(Listener& listener, int fd);
  /** accept(2) was refused: pauses for lack of descriptors or memory, else ends the listener. */
  void AcceptRefused(Listener& listener, int error);
  /** The peer has sent everything. */
  void PeerEnded(int32_t slot);
  /** Bytes of the queue were sent. */
  void QueueShrank(int32_t slot);
  /** Its sending direction ends if that is asked for and everything was sent. */
  void EndIfSent(int32_t slot);
  /**
   * The slot leaves.
   * @param error errno, or 0
   * @param sending whether a send was refused, and not a receive
   */
  void Fail(int32_t slot, int error, bool sending = false);
  /** Whether this turn has something to report. */
  bool HasReported() const { return count_ > 0; }
  /** The slot's descriptor is closed: reports that, and the number is free. */
  void Closed(int32_t slot);
  /** Reports nothing: the number is free. */
  void Forget(int32_t slot);
  void Queue(int32_t slot, const iovec* parts, int count, size_t skipped);
  /** After the wait of a turn: the time that Touch() gives to what this turn moves. */
  void MarkTime() {
    if (!idle_.empty()) now_ms_ = IdleTimers::NowMs();
  }
  void Touch(int32_t slot) {
    if (!idle_.empty()) idle_.Touch(slot, now_ms_);
  }

  const Rings rings_;
  bool woken_ = false;  // by the wake descriptor, in the last turn
  EngineCounters counters_;
  std::vector<Slot> slots_;
  std::vector<Listener> listeners_;

 private:
  static constexpr int kMostParts = 64;

  [[gnu::hot]] void TakeSubmissions();
  [[gnu::hot]] void EmptySubmissions();
  [[gnu::hot]] void Link(int32_t index);
  [[gnu::hot]] void SendLinked(int32_t slot);
  /** Whether its bytes lie where a program may write; what is in shared memory is not trusted. */
  bool IsInside(const RingSubmission& submission) const;
  const uint8_t* BytesOf(const RingSubmission& submission) const;
  [[gnu::hot]] void SendOrQueue(int32_t slot, const iovec* parts, int count, size_t length);
  /** Whether it belongs to the life that the slot has now. */
  bool IsCurrent(const RingSubmission& submission) {
    const Slot* slot = Find(submission.slot);
    return slot != nullptr && slot->life == submission.label.life();
  }
  void Control(const RingSubmission& submission);
  void EndSending(int32_t slot);
  void AcceptMore(int32_t slot, int32_t count);
  void CloseIfBothEnded(int32_t slot);
  bool TimeIdle(int32_t slot, int32_t idle_ms) {
    times_anew_ = true;
    return idle_.Set(slot, idle_ms, idle_ms > 0 ? IdleTimers::NowMs() : 0);
  }
  [[gnu::hot]] void BeginTurn();
  void ResumeAccepting(bool freed);
  void ExpireIdle();
  int32_t NextLife();

  int count_ = 0;                        // completions in the ring
  int delivered_ = 0;                    // of these, what the last turn reported
  std::vector<RingCompletion> backlog_;  // for which the ring had no room
  std::vector<int32_t> next_write_;      // by submission
  std::vector<int32_t> writers_;
  std::vector<int32_t> controls_;
  std::array<iovec, kMostParts> parts_{};
  IdleTimers idle_;
  int64_t now_ms_ = 0;
  int32_t last_life_ = 0;
  bool paused_listener_ = false;
  bool times_anew_ = false;  // a time to wake up was set since UntilDueNs() was asked
  bool freed_ = false;       // a descriptor, since accepting was last looked at
};

}  // namespace io_selectors
