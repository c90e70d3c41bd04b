// Selector: one contract over the system's event demultiplexers. It checks arguments and keeps the
// registrations; a backend below it only translates, and writes ready events straight into the
// caller's ring.
#pragma once

#include <poll.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/forks.h"
#include "core/ready_event.h"
#include "core/result.h"

namespace io_selectors {

/** How a registration reports. Not every backend has each: see Capabilities. */
enum class Mode : uint8_t { kLevel, kEdge, kOneshot };

struct RegisterOptions {
  Mode mode = Mode::kLevel;
  bool exclusive = false;  // EPOLLEXCLUSIVE: wake one of several waiters
  bool priority = false;   // also report urgent data, as kFlagPriority
};

/** What one descriptor is registered for. `interest` 0 means: not registered. */
struct Registration {
  int32_t interest = 0;
  int32_t generation = 0;
  RegisterOptions options;
};

/** What a backend can do, as its row in the table of backends says. */
struct Capabilities {
  bool edge = false;
  bool oneshot = false;
  bool exclusive = false;
  bool priority = false;
  bool regular_files = false;
  int64_t max_fd = -1;  // the largest descriptor it takes; -1: whatever the process may open
  int64_t timeout_resolution_ns = 1;
};

/** Waits without a deadline. */
constexpr int64_t kForever = -1;

/**
 * A set of registered descriptors and a way to wait for them. Belongs to one thread.
 * The caller owns the ring; Select() fills it and keeps no pointer to it.
 */
class Selector {
 public:
  virtual ~Selector() = default;
  Selector(const Selector&) = delete;
  Selector& operator=(const Selector&) = delete;

  /**
   * Starts watching `fd` for `interest` (kRead | kWrite, not 0).
   * @returns the registration's generation (1 … 2^31-1); EEXIST where `fd` is registered, EINVAL
   * where the interest, the descriptor or an option is not for this backend, or what the kernel
   * said. A failure leaves nothing behind.
   */
  Result<int32_t> Register(int fd, int32_t interest, RegisterOptions options = {});

  /** Replaces the interest of `fd` under a new generation: what is ready is reported again. ENOENT
   * if it is not registered. A failure unregisters it. */
  Result<void> Modify(int fd, int32_t interest);

  /** Stops watching `fd`; silent where the descriptor has been closed meanwhile. ENOENT where it is
   * not registered. */
  Result<void> Unregister(int fd);

  /**
   * Waits until something is ready or the timeout passes.
   * @param timeout_ns nanoseconds; 0 only looks, kForever does not end by itself.
   * @returns the number of events written to `ring` (0 … capacity); EINTR where a signal came
   * first.
   */
  [[gnu::hot]] Result<int> Select(ReadyEvent* ring, int capacity, int64_t timeout_ns);

  /**
   * Watches `fd` for reading as that which ends a wait from outside: it is no event, and counts in
   * neither size() nor ring. Set once, before the first wait. The owner drains it when Woken() says
   * so.
   */
  Result<void> SetWakeFd(int fd);

  /** Whether the last Select() saw the wake descriptor ready. */
  bool Woken() const { return woken_; }

  /** The generation under which `fd` is registered now, 0 if it is not: what an event's must
   * equal to be dispatched. */
  int32_t Generation(int fd) const { return InTable(fd) ? At(fd).generation : 0; }
  int32_t Interest(int fd) const { return InTable(fd) ? At(fd).interest : 0; }
  int size() const { return size_; }
  const Capabilities& capabilities() const { return capabilities_; }

  /** The descriptor that another event loop can watch to learn that this selector has something; -1
   * without one. */
  virtual int fileno() const { return -1; }

  /** Changes whenever fileno() has become another file under the same number. */
  virtual int32_t renewals() const { return 0; }

  /** What poll(2) would have to watch to learn that a wait has something. */
  std::vector<pollfd> Watched() const;

  /**
   * Before a registered descriptor is closed by its owner: lets go of the file where waiting for it
   * holds it open (io_uring(7)), so that the peer learns of the close at once.
   */
  virtual void BeforeClose(int /*fd*/) {}

  /** Before another loop waits for fileno(): whatever this backend puts off until its own wait. */
  virtual void PrepareToBeWatched() {}

 protected:
  explicit Selector(Capabilities capabilities) : capabilities_(capabilities) {}

  /** Collects one wait's events into the caller's ring, with what was asked for only. */
  class Batch {
   public:
    Batch(const Selector& selector, ReadyEvent* ring, int capacity)
        : selector_(selector), ring_(ring), capacity_(capacity) {}

    bool full() const { return count_ == capacity_; }
    bool empty() const { return count_ == 0; }
    bool woken() const { return woken_; }
    int count() const { return count_; }
    int capacity() const { return capacity_; }

    /** Adds an event of a registered descriptor; hang-up and error count as both directions, as far
     * as asked for. */
    void Add(int fd, int32_t generation, int32_t ready, int32_t flags) {
      if (fd == selector_.wake_fd_) {
        woken_ = true;
        return;
      }
      if ((flags & (kFlagHangup | kFlagError)) != 0) ready |= kRead | kWrite;
      if ((flags & (kFlagReadClosed | kFlagPriority)) != 0) ready |= kRead;
      ready &= selector_.Interest(fd);
      if (ready != 0) ring_[count_++] = ReadyEvent{fd, ready, generation, flags};
    }

   private:
    const Selector& selector_;
    ReadyEvent* ring_;
    int capacity_;
    int count_ = 0;
    bool woken_ = false;
  };

  // What a backend provides: translation only. `fd` and `interest` have been checked, the table is
  // kept by the caller.
  virtual Result<void> Add(int fd, const Registration& registration) = 0;
  virtual Result<void> Change(int fd, const Registration& before, const Registration& after) = 0;
  virtual void Remove(int fd, const Registration& registration) = 0;
  virtual Result<void> Wait(Batch& batch, int64_t timeout_ns) = 0;
  /** Whether a registered descriptor is watched: not so where it was found closed. */
  virtual bool IsArmed(int /*fd*/) const { return true; }

  template <typename Visitor>
  void ForEachRegistered(Visitor visit) const {
    for (size_t fd = 0; fd < table_.size(); ++fd) {
      if (table_[fd].interest != 0) visit(static_cast<int>(fd), table_[fd]);
    }
  }

 private:
  bool InTable(int fd) const { return fd >= 0 && static_cast<size_t>(fd) < table_.size(); }
  const Registration& At(int fd) const { return table_[static_cast<size_t>(fd)]; }
  Registration& At(int fd) { return table_[static_cast<size_t>(fd)]; }
  int32_t NextGeneration();
  /** Whether fork(2) has brought us here: what the kernel holds is the parent's, too. */
  bool Inherited() const { return forks_ != CountForks(); }

  Capabilities capabilities_;
  std::vector<Registration> table_;  // by descriptor
  int32_t last_generation_ = 0;
  int size_ = 0;
  int wake_fd_ = -1;
  bool woken_ = false;
  int forks_ = CountForks();  // when it was made
};

}  // namespace io_selectors
