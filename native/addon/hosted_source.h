// HostedSource: what a HostedRun or a Watch waits for: a selector, or an engine with its
// connections. It has a descriptor that Node's loop can watch, and a wait of its own.
#pragma once

#include <poll.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "addon/wake_set.h"
#include "core/result.h"

namespace io_selectors {

class HostedRun;
class Watch;

/** Bits of HostedSource::wish. */
constexpr int32_t kWishesTurn = 1;  // a turn at once: there is something new to wait for
constexpr int32_t kWishesEnd = 2;

class HostedSource {
 public:
  HostedSource() = default;
  HostedSource(const HostedSource&) = delete;
  HostedSource& operator=(const HostedSource&) = delete;
  virtual ~HostedSource() = default;

  /** The descriptor that is readable while a Wait() has something to report; -1 without one. */
  virtual int fileno() const = 0;

  /** Changes whenever fileno() has become another file under the same number. */
  virtual int32_t renewals() const { return 0; }

  /** Submits whatever this source puts off until its own wait, so that fileno() reports it. Called
   * before Node's loop sleeps, after each turn and after each change of a registration. */
  virtual void PrepareToBeWatched() {}

  /** What a thread polls instead if there is no fileno(); contains wake_set.fd(). */
  virtual std::vector<pollfd> Watched() const = 0;

  /** Whether a Wait() reports the hang-up of what is watched for writing only, as poll(2) does. */
  virtual bool ReportsHangupsOfWriters() const { return true; }

  /**
   * Waits, and keeps what is ready for the turn that follows.
   * @param timeout_ns nanoseconds; 0 only looks, kForever does not end by itself.
   * @returns the argument of that turn: the number of ready events; EINTR after a signal.
   */
  virtual Result<int> Wait(int64_t timeout_ns) = 0;

  /** Whether a Wait() would do something at once that fileno() does not show. */
  virtual bool HasWork() const { return false; }

  /** Nanoseconds until a Wait() has something to do by itself; below 0: never. */
  virtual int64_t UntilDueNs() { return -1; }

  /** Whether the last Wait() saw wake_set.fd() readable. */
  virtual bool Woken() const = 0;

  /** Takes what ended the last Wait() from outside. */
  WakeSet::Ready TakeWake(bool interrupted) {
    WakeSet::Ready ready = !interrupted && Woken() ? wake_set.Drain() : WakeSet::Ready{};
    // After a signal Node's loop has something to do: its handler has written to a descriptor.
    ready.host = ready.host || interrupted;
    ready.waker = std::exchange(kept_wake, false) || ready.waker;
    return ready;
  }

  /** Closes its watch; its run ends with -EBADF. The destructor of a source calls this first, while
   * its descriptors are open. */
  void Detach();

  /** The source watches wake_set.fd() for reading, level-triggered. */
  WakeSet wake_set;
  /** Shared with TypeScript, which sets bits and then calls run->Nudge(). */
  int32_t* wish = nullptr;
  /** Its turns have neither argument nor answer, and there is none without events: the count lies
   * in shared memory, and UntilDueNs() limits the next wait. */
  bool plain_turns = false;
  bool kept_wake = false;   // taken by a run although a promise waits for it, too
  bool keeps_alive = true;  // whether its watch keeps the process alive
  Watch* watch = nullptr;   // frees itself
  HostedRun* run = nullptr;
};

}  // namespace io_selectors
