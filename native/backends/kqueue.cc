// kqueue(2), kevent(2): the kernel keeps the set and hands back only what is ready, so a wait costs
// O(ready). It knows reading and writing as two filters; here they are one entry. On Linux this
// builds over libkqueue. Enters: registrations from Selector. Leaves: ready events, both filters of
// a descriptor merged, each checked against its generation.

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
#include "core/owned_fd.h"
#include "core/timeout.h"

namespace io_selectors {

namespace {

constexpr int kEventsPerWait = 256;

/** Some kernels refuse longer ones (EINVAL), and libkqueue reckons in an int of milliseconds. */
constexpr int64_t kLongestWaitNs = 24 * 3600 * kNsPerSecond;

#ifdef EV_DISPATCH
constexpr int kOneshot = EV_DISPATCH;
#else
constexpr int kOneshot = EV_ONESHOT;
#endif

/** A list of changes: at most both filters taken out and put in anew. */
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
    uint32_t wait = 0;  // of which `merged` is an index
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
    // At its end a regular file would never be ready, though it always is for the others.
    struct stat status = {};
    if (fstat(fd, &status) < 0) return LastError("fstat");
    if (S_ISREG(status.st_mode)) return Error{EPERM, "kevent"};
    const size_t index = static_cast<size_t>(fd);
    if (slots_.size() <= index) slots_.resize(std::max(index + 1, slots_.size() * 2));
    slots_[index].mode = registration.options.mode;
    Changes changes;
    changes.Add(fd, registration.interest, FlagsToAdd(registration), registration.generation);
    const Result<void> added = changes.Apply(kqueue_.get());
    if (!added.ok()) Remove(fd, registration);  // the first filter, where the second was refused
    return added;
  }

  /** Taken out and put in anew in one call: reports what is ready now, arms a oneshot again. */
  Result<void> Change(int fd, const Registration& before, const Registration& after) override {
    Changes changes;
    changes.Add(fd, before.interest, EV_DELETE, before.generation);
    changes.Add(fd, after.interest, FlagsToAdd(after), after.generation);
    if (changes.Apply(kqueue_.get()).ok()) return {};
    // The descriptor was closed and its number reused: the kernel forgot it, we did not.
    Remove(fd, before);
    return Add(fd, after);
  }

  void Remove(int fd, const Registration& registration) override {
    // Each by itself, since the first that fails ends a list. ENOENT, EBADF: closed, or closed and
    // reused; the kernel has forgotten it already.
    for (const int32_t direction : {kRead, kWrite}) {
      Changes changes;
      changes.Add(fd, registration.interest & direction, EV_DELETE, registration.generation);
      if ((registration.interest & direction) != 0) (void)changes.Apply(kqueue_.get()).ok();
    }
  }

  Result<void> Wait(Batch& batch, int64_t timeout_ns) override {
    const timespec timeout = ToTimespec(std::clamp<int64_t>(timeout_ns, 0, kLongestWaitNs));
    // A descriptor can take two. No more than there is room for: an edge left over would be lost.
    const int count =
        kevent(kqueue_.get(), nullptr, 0, events_.data(),
               std::min(batch.capacity(), kEventsPerWait), timeout_ns < 0 ? nullptr : &timeout);
    if (count < 0) return LastError("kevent");
    ++waits_;
    merged_.clear();
    for (int i = 0; i < count; ++i) Merge(events_[static_cast<size_t>(i)]);
    for (const Merged& merged : merged_) Report(batch, merged);
    return {};
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
    // Hung up: no direction that is watched is open. The writing one alone may be our own shutdown.
    const bool hung_up = (merged.closed & kWrite) != 0 && merged.closed == interest;
    batch.Add(merged.fd, merged.generation, merged.ready,
              ((merged.closed & kRead) != 0 ? kFlagReadClosed : 0) | (hung_up ? kFlagHangup : 0) |
                  (merged.failed ? kFlagError : 0));
    // Each filter has a shot of its own; the first that fires takes the other's.
    const int32_t left = interest & ~merged.ready;
    if (slots_[static_cast<size_t>(merged.fd)].mode != Mode::kOneshot || left == 0) return;
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
  uint32_t waits_ = 0;
};

}  // namespace

Result<std::unique_ptr<Selector>> MakeKqueueSelector(const SelectorOptions& /*options*/) {
  OwnedFd queue(kqueue());
  if (!queue.valid()) return LastError("kqueue");
  if (fcntl(queue.get(), F_SETFD, FD_CLOEXEC) < 0) return LastError("fcntl");
  return std::unique_ptr<Selector>(new KqueueSelector(std::move(queue)));
}

}  // namespace io_selectors

#endif
