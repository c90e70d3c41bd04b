// kqueue(2), kevent(2): the kernel keeps the set and returns only what is ready, so a wait costs
// O(ready). Reading and writing are two filters there and one entry here: both filters of a
// descriptor are merged, each checked against its generation. On Linux this builds over libkqueue.

#if defined(IO_SELECTORS_LIBKQUEUE) || (!defined(__linux__) && __has_include(<sys/event.h>))

#include <fcntl.h>
#include <sys/types.h>
// Needs the types above on some systems.
#include <sys/event.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <algorithm>
#include <array>

#include "backends/backends.h"
#include "core/memory.h"
#include "core/owned_fd.h"
#include "core/timeout.h"

namespace io_selectors {

namespace {

constexpr int kEventsPerWait = 256;

/** Some kernels refuse longer ones (EINVAL), and libkqueue reckons in an int of milliseconds. */
constexpr int64_t kLongestWaitNs = 24 * 3600 * kNsPerSecond;

#ifdef IO_SELECTORS_LIBKQUEUE
/** A kernel's queue forgets a descriptor when it is closed (knote_fdclose of XNU's and FreeBSD's
 * kern_event.c). libkqueue's is an epoll set, which keeps the descriptor while a dup exists: it
 * reports without end, also for the next file of the same number, and adding that same file fails
 * with EEXIST. */
constexpr bool kOutlivesClose = true;
#else
constexpr bool kOutlivesClose = false;
#endif

#ifdef EV_DISPATCH
constexpr int kOneshot = EV_DISPATCH;
#else
constexpr int kOneshot = EV_ONESHOT;
#endif

/** A list of changes: at most both filters taken out and put in again. */
class Changes {
 public:
  /** Adds one for each direction in `interest`. */
  void Add(int fd, int32_t interest, int flags, int32_t generation) {
    if ((interest & kRead) != 0) AddOne(fd, EVFILT_READ, flags, generation);
    if ((interest & kWrite) != 0) AddOne(fd, EVFILT_WRITE, flags, generation);
  }

  /** The first that fails ends the list; those before it are done. */
  Result<void> Apply(int kqueue) const {
    // Without room for receipts, which libkqueue does not send for all.
    const timespec now{0, 0};
    if (kevent(kqueue, changes_.data(), count_, nullptr, 0, &now) < 0) return LastError("kevent");
    return {};
  }

 private:
  void AddOne(int fd, int filter, int flags, int32_t generation) {
    struct kevent& change = changes_[static_cast<size_t>(count_++)];
    // The fields' types differ from system to system; udata is a pointer or an integer.
    change.ident = static_cast<decltype(change.ident)>(fd);
    change.filter = static_cast<decltype(change.filter)>(filter);
    change.flags = static_cast<decltype(change.flags)>(flags);
    change.udata = (decltype(change.udata))(intptr_t{generation});
  }

  std::array<struct kevent, 4> changes_{};
  int count_ = 0;
};

Result<OwnedFd> OpenQueue() {
  OwnedFd queue(kqueue());
  if (!queue.valid()) return LastError("kqueue");
  if (fcntl(queue.get(), F_SETFD, FD_CLOEXEC) < 0) return LastError("fcntl");
  return queue;
}

class KqueueSelector final : public Selector {
 public:
  explicit KqueueSelector(OwnedFd kqueue) : Selector(kCapabilities), kqueue_(std::move(kqueue)) {}

#ifndef IO_SELECTORS_LIBKQUEUE  // where it is the writing end of a pipe, by which closing is seen
  int fileno() const override { return kqueue_.get(); }
#endif

 private:
  static constexpr Capabilities kCapabilities{true, true, false, false, false, -1, 1};

  /** One descriptor, and where its two filters meet in the events of a wait. */
  struct Slot {
    Mode mode = Mode::kLevel;
    bool is_socket = false;
    bool spent = false;  // a oneshot that has been reported
    dev_t device = 0;    // with `inode`: which file it was when it was added
    ino_t inode = 0;
    uint64_t wait = 0;  // of which `merged` is an index; 32 bits would wrap within two days
    size_t merged = 0;
  };

  struct Merged {
    int fd;
    int32_t generation;
    int32_t ready;   // kRead | kWrite: which filters fired
    int32_t closed;  // kRead | kWrite: which of them saw the end of the stream
    bool failed;
  };

  Result<void> Add(int fd, const Registration& registration) override {
    const size_t index = static_cast<size_t>(fd);
    if (!GrowTo(slots_, index)) return Error{ENOMEM, "register"};
    slots_[index].mode = registration.options.mode;
    slots_[index].spent = false;
    Result<void> added = outlived_ ? Renew(fd) : Result<void>();
    if (added.ok()) added = AddTo(kqueue_.get(), fd, registration);
    if (!added.ok()) Remove(fd, registration);  // the first filter, if the second was refused
    return added;
  }

  Result<void> AddTo(int kqueue, int fd, const Registration& registration) {
    // At its end a regular file would never be ready, though it always is for the others.
    struct stat status = {};
    if (fstat(fd, &status) < 0) return LastError("fstat");
    if (S_ISREG(status.st_mode)) return Error{EPERM, "kevent"};
    Slot& slot = slots_[static_cast<size_t>(fd)];
    slot.is_socket = S_ISSOCK(status.st_mode);
    slot.device = status.st_dev;
    slot.inode = status.st_ino;
    Changes changes;
    changes.Add(fd, registration.interest, FlagsToAdd(registration), registration.generation);
    return changes.Apply(kqueue);
  }

  /** Taken out and put in again in one call: reports what is ready now, arms a oneshot again. */
  Result<void> Change(int fd, const Registration& before, const Registration& after) override {
    Changes changes;
    changes.Add(fd, before.interest, EV_DELETE, before.generation);
    changes.Add(fd, after.interest, FlagsToAdd(after), after.generation);
    if (changes.Apply(kqueue_.get()).ok()) {
      slots_[static_cast<size_t>(fd)].spent = false;
      return {};
    }
    // The descriptor was closed and its number reused: the kernel has forgotten it, the table has
    // not.
    Remove(fd, before);
    return Add(fd, after);
  }

  void Remove(int fd, const Registration& registration) override {
    // One call per change, because the first change that fails ends a list. ENOENT, EBADF: closed,
    // or closed and reused; the kernel has forgotten it already.
    for (const int32_t direction : {kRead, kWrite}) {
      Changes changes;
      changes.Add(fd, registration.interest & direction, EV_DELETE, registration.generation);
      if ((registration.interest & direction) != 0) (void)changes.Apply(kqueue_.get()).ok();
    }
    outlived_ = outlived_ || (kOutlivesClose && !IsAsAdded(fd));
  }

  /** Whether the number still names the file that was added. */
  bool IsAsAdded(int fd) const {
    const Slot& slot = slots_[static_cast<size_t>(fd)];
    struct stat status = {};
    return fstat(fd, &status) == 0 && status.st_dev == slot.device && status.st_ino == slot.inode;
  }

  Result<void> Wait(Batch& batch, int64_t timeout_ns) override {
    if (outlived_) {
      const Result<void> renewed = Renew();
      if (!renewed.ok()) return renewed;
    }
    const timespec timeout = ToTimespec(std::clamp<int64_t>(timeout_ns, 0, kLongestWaitNs));
    // A descriptor can take two. No more than there is room for: an edge left over would be lost.
    const int count =
        kevent(kqueue_.get(), nullptr, 0, events_.data(),
               std::min(batch.capacity(), kEventsPerWait), timeout_ns < 0 ? nullptr : &timeout);
    if (count < 0) {
      const Error error = LastError("kevent");
      // libkqueue asks a descriptor that is ready for more, and fails if it has been closed.
      return kOutlivesClose && error.errno_value == EBADF ? Renew() : error;
    }
    ++waits_;
    merged_.clear();
    for (int i = 0; i < count; ++i) Merge(events_[static_cast<size_t>(i)]);
    for (const Merged& merged : merged_) Report(batch, merged);
    return {};
  }

  /**
   * Replaces the queue by one without the entries that no descriptor of this process names any
   * more. A failure changes nothing. @param except left out: it is added next.
   */
  Result<void> Renew(int except = -1) {
    Result<OwnedFd> fresh = OpenQueue();
    if (!fresh.ok()) return fresh.error();
    Result<void> filled;
    ForEachRegistered([&](int fd, const Registration& registration) {
      if (fd == except || slots_[static_cast<size_t>(fd)].spent) return;  // spent: until modify
      if (!IsAsAdded(fd)) return;  // closed before it was unregistered, and perhaps reused
      const Result<void> added = AddTo(fresh.value().get(), fd, registration);
      if (!added.ok()) filled = added;
    });
    if (!filled.ok()) return filled;
    kqueue_ = std::move(fresh.value());
    outlived_ = false;
    return filled;
  }

  void Merge(const struct kevent& event) {
    const int fd = static_cast<int>(event.ident);
    const auto generation = static_cast<int32_t>((intptr_t)event.udata);
    if (Generation(fd) != generation) return;
    Slot& slot = slots_[static_cast<size_t>(fd)];
    if (slot.wait != waits_) {
      slot.wait = waits_;
      slot.merged = merged_.size();
      merged_.push_back(Merged{fd, generation, 0, 0, false});
    }
    Merged& merged = merged_[slot.merged];
    const int32_t direction = event.filter == EVFILT_WRITE ? kWrite : kRead;
    merged.ready |= direction;
    if ((event.flags & EV_EOF) != 0) merged.closed |= direction;
    // With EV_EOF, fflags holds the socket's error.
    const bool failed = (event.flags & EV_EOF) != 0 && event.fflags != 0;
    merged.failed = merged.failed || failed || (event.flags & EV_ERROR) != 0;
  }

  void Report(Batch& batch, const Merged& merged) {
    const int32_t interest = Interest(merged.fd);
    Slot& slot = slots_[static_cast<size_t>(merged.fd)];
    // A pipe or terminal has one direction to read: its end is that the other side is gone, and
    // poll(2) reports no more than POLLHUP. A socket's peer may have shut down writing only. A
    // socket is hung up if no watched direction is open; the end of writing alone may be our own
    // shutdown.
    const bool ended = (merged.closed & kRead) != 0;
    const bool hung_up = slot.is_socket ? (merged.closed & kWrite) != 0 && merged.closed == interest
                                        : merged.closed != 0;
    batch.Add(merged.fd, merged.generation, merged.ready,
              (ended && slot.is_socket ? kFlagReadClosed : 0) | (hung_up ? kFlagHangup : 0) |
                  (merged.failed ? kFlagError : 0));
    // Each filter has a shot of its own; the first that fires takes the other's.
    const int32_t left = interest & ~merged.ready;
    slot.spent = slot.mode == Mode::kOneshot;
    if (!slot.spent || left == 0) return;
    Changes changes;
    changes.Add(merged.fd, left, EV_DISABLE, merged.generation);
    (void)changes.Apply(kqueue_.get()).ok();  // ENOENT: closed meanwhile
  }

  static int FlagsToAdd(const Registration& registration) {
    return EV_ADD | EV_ENABLE | (registration.options.mode == Mode::kEdge ? EV_CLEAR : 0) |
           (registration.options.mode == Mode::kOneshot ? kOneshot : 0);
  }

  OwnedFd kqueue_;
  std::array<struct kevent, kEventsPerWait> events_{};
  std::vector<Slot> slots_;  // by descriptor
  std::vector<Merged> merged_;
  uint64_t waits_ = 0;
  bool outlived_ = false;  // the queue holds what no descriptor of ours names any more
};

}  // namespace

Result<std::unique_ptr<Selector>> MakeKqueueSelector(const SelectorOptions& /*options*/) {
  Result<OwnedFd> queue = OpenQueue();
  if (!queue.ok()) return queue.error();
  return std::unique_ptr<Selector>(new KqueueSelector(std::move(queue.value())));
}

}  // namespace io_selectors

#endif
