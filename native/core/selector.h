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

/** What a backend can do, from its row in the table of backends. */
struct Capabilities {
  bool edge = false;
  bool oneshot = false;
  bool exclusive = false;
  bool priority = false;
  bool regular_files = false;
  int64_t max_fd = -1;  // the largest descriptor it takes; -1: whatever the process may open
  int64_t timeout_resolution_ns = 1;
  bool hangups_of_writers = true;  // reports POLLHUP to those that only write, as poll(2) does
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
   * @returns the registration's generation (1 … 2^31-1); EEXIST if `fd` is registered, EINVAL
   * if this backend does not support the interest, the descriptor or an option, or the kernel's
   * errno. A failure changes nothing.
   */
  Result<int32_t> Register(int fd, int32_t interest, RegisterOptions options = {});

  /** Replaces the interest of `fd` under a new generation: what is ready is reported again. ENOENT
   * if it is not registered. A failure unregisters it. */
  Result<void> Modify(int fd, int32_t interest);

  /** Stops watching `fd`, also if the descriptor has been closed meanwhile. ENOENT if it is not
   * registered. */
  Result<void> Unregister(int fd);

  /**
   * Waits until something is ready or the timeout passes.
   * @param timeout_ns nanoseconds; 0 only looks, kForever does not end by itself.
   * @returns the number of events written to `ring` (0 … capacity); EINTR if a signal came
   * first.
   */
  [[gnu::hot]] Result<int> Select(ReadyEvent* ring, int capacity, int64_t timeout_ns);

  /**
   * Sets the descriptor that ends a wait from outside when it is readable: it is not an event, and
   * counts neither in size() nor in the ring. Called once, before the first wait. The owner drains
   * the descriptor when Woken() is true.
   */
  Result<void> SetWakeFd(int fd);

  /** Whether the last Select() saw the wake descriptor ready. */
  bool Woken() const { return woken_; }

  /** The generation under which `fd` is registered now, 0 if it is not. An event with another
   * generation is stale and must not be dispatched. */
  int32_t Generation(int fd) const { return InTable(fd) ? At(fd).generation : 0; }
  int32_t Interest(int fd) const { return InTable(fd) ? At(fd).interest : 0; }
  int size() const { return size_; }
  const Capabilities& capabilities() const { return capabilities_; }

  /** The descriptor that another event loop can watch: readable while this selector has events. -1
   * if the backend has none. */
  virtual int fileno() const { return -1; }

  /** Changes whenever fileno() has become another file under the same number. */
  virtual int32_t renewals() const { return 0; }

  /** The descriptors and events that poll(2) has to watch to return when a wait would. */
  std::vector<pollfd> Watched() const;

  /**
   * Called before the owner of a registered descriptor closes it: no longer watches its file, which
   * that could hold open (io_uring(7)), or which a dup may keep open (epoll(7)).
   */
  virtual void BeforeClose(int /*fd*/) {}

  /** Called before another loop waits for fileno(): does what this backend defers to its wait. */
  virtual void PrepareToBeWatched() {}

 protected:
  explicit Selector(Capabilities capabilities) : capabilities_(capabilities) {}

  /** Collects one wait's events into the caller's ring, limited to the registered interest. */
  class Batch {
   public:
    Batch(const Selector& selector, ReadyEvent* ring, int capacity)
        : selector_(selector), ring_(ring), capacity_(capacity) {}

    bool full() const { return count_ == capacity_; }
    bool empty() const { return count_ == 0; }
    bool woken() const { return woken_; }
    int count() const { return count_; }
    int capacity() const { return capacity_; }

    /** Adds an event of a registered descriptor. Hang-up and error count as both directions,
     * limited to the registered interest. */
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

  // What a backend provides: translation only. The caller has checked `fd` and `interest`, and
  // keeps the table.
  virtual Result<void> Add(int fd, const Registration& registration) = 0;
  virtual Result<void> Change(int fd, const Registration& before, const Registration& after) = 0;
  virtual void Remove(int fd, const Registration& registration) = 0;
  virtual Result<void> Wait(Batch& batch, int64_t timeout_ns) = 0;
  /** Whether a registered descriptor is watched; false once it was found closed. */
  virtual bool IsArmed(int /*fd*/) const { return true; }

  template <typename Visitor>
  void ForEachRegistered(Visitor visit) const {
    for (size_t fd = 0; fd < table_.size(); ++fd) {
      if (table_[fd].interest != 0) visit(static_cast<int>(fd), table_[fd]);
    }
  }

  /** Whether this is a child of the process that made it: they share what the kernel holds. */
  bool Inherited() const { return forks_ != CountForks(); }

 private:
  bool InTable(int fd) const { return fd >= 0 && static_cast<size_t>(fd) < table_.size(); }
  const Registration& At(int fd) const { return table_[static_cast<size_t>(fd)]; }
  Registration& At(int fd) { return table_[static_cast<size_t>(fd)]; }
  int32_t NextGeneration();
  Capabilities capabilities_;
  std::vector<Registration> table_;  // by descriptor
  int32_t last_generation_ = 0;
  int size_ = 0;
  int wake_fd_ = -1;
  bool woken_ = false;
  int forks_ = CountForks();  // when it was made
};

}  // namespace io_selectors
