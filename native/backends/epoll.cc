// epoll(7): the kernel keeps the set and returns only the ready descriptors, so a wait costs
// O(ready).
#ifdef __linux__

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "backends/backends.h"
#include "core/owned_fd.h"
#include "core/system_call.h"
#include "core/timeout.h"

namespace io_selectors {

namespace {

constexpr int kEventsPerWait = 256;

/** A closed descriptor of which a dup or a child has a copy keeps reporting; after this number of
 * reports the set is rebuilt. */
constexpr int kStaleHitsBeforeRebuild = 64;

/** In an event's data, beside the generation, which is below 2^31: the entry is a oneshot's. */
constexpr uint64_t kOneshotMark = uint64_t{1} << 63;

/** What to ask epoll for. A write-only interest leaves RDHUP out: it is level-triggered and would
 * spin. */
uint32_t ToEpoll(const Registration& registration) {
  uint32_t events = 0;
  if ((registration.interest & kRead) != 0) events |= EPOLLIN | EPOLLRDHUP;
  if ((registration.interest & kWrite) != 0) events |= EPOLLOUT;
  if (registration.options.mode == Mode::kEdge) events |= EPOLLET;
  if (registration.options.mode == Mode::kOneshot) events |= EPOLLONESHOT;
  if (registration.options.priority && (registration.interest & kRead) != 0) events |= EPOLLPRI;
  // epoll_ctl(2): EPOLLEXCLUSIVE goes with EPOLLIN, EPOLLOUT and EPOLLET only.
  if (registration.options.exclusive) events = (events & ~EPOLLRDHUP) | EPOLLEXCLUSIVE;
  return events;
}

int32_t ReadyOf(uint32_t events) {
  return ((events & EPOLLIN) != 0 ? kRead : 0) | ((events & EPOLLOUT) != 0 ? kWrite : 0);
}

int32_t FlagsOf(uint32_t events) {
  if ((events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP | EPOLLPRI)) == 0) return 0;
  return ((events & EPOLLHUP) != 0 ? kFlagHangup : 0) |
         ((events & EPOLLERR) != 0 ? kFlagError : 0) |
         ((events & EPOLLRDHUP) != 0 ? kFlagReadClosed : 0) |
         ((events & EPOLLPRI) != 0 ? kFlagPriority : 0);
}

/** __kernel_timespec: the C library's timespec is shorter on some 32-bit systems. */
struct KernelTimespec {
  int64_t seconds;
  int64_t nanoseconds;
};

/** Linux 5.11 has epoll_pwait2(2), and a filter of system calls may refuse it. */
bool HasPwait2(int epoll) {
#ifdef SYS_epoll_pwait2
  epoll_event event;
  const KernelTimespec at_once{};
  const long count =
      syscall(SYS_epoll_pwait2, epoll, &event, 1, &at_once, nullptr, static_cast<size_t>(0));
  return count == 0;
#else
  static_cast<void>(epoll);
  return false;
#endif
}

class EpollSelector final : public Selector {
 public:
  EpollSelector(OwnedFd epoll, bool has_pwait2)
      : Selector({true, true, true, true, false, -1, has_pwait2 ? 1 : kNsPerMs}),
        epoll_(std::move(epoll)),
        has_pwait2_(has_pwait2) {}

  int fileno() const override { return epoll_.get(); }
  int32_t renewals() const override { return renewals_; }

  /** The set watches the file: if a dup keeps that open, it could no longer be removed. */
  void BeforeClose(int fd) override {
    if (!Inherited() && Interest(fd) != 0)
      (void)epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  }

 private:
  Result<void> Add(int fd, const Registration& registration) override {
    const Result<void> added = Control(EPOLL_CTL_ADD, fd, registration);
    if (added.ok() || added.error().errno_value != EEXIST) return added;
    // Closed without unregister, and the number was reused for a dup of what it named, which this
    // set still holds. Not MOD: either may be an EPOLLEXCLUSIVE entry, for which that is EINVAL.
    (void)Control(EPOLL_CTL_DEL, fd, registration).ok();
    return Control(EPOLL_CTL_ADD, fd, registration);
  }

  Result<void> Change(int fd, const Registration& before, const Registration& after) override {
    const Result<void> changed = Control(EPOLL_CTL_MOD, fd, after);
    // ENOENT: the descriptor was closed and its number reused; the kernel has forgotten it, the
    // table has not. EINVAL: epoll_ctl(2) does not modify an EPOLLEXCLUSIVE entry, be it ours or
    // one that an earlier owner of the number has left in a dup.
    const int error = changed.error().errno_value;
    if (error != ENOENT && error != EINVAL) return changed;
    Remove(fd, before);
    return Add(fd, after);
  }

  void Remove(int fd, const Registration& registration) override {
    // EBADF, ENOENT, EPERM: closed, or closed and reused. The kernel has forgotten it already.
    (void)Control(EPOLL_CTL_DEL, fd, registration).ok();
  }

  [[gnu::hot]] Result<void> Wait(Batch& batch, int64_t timeout_ns) override {
    const int capacity = std::min(batch.capacity(), kEventsPerWait);
    const int count = WaitForEvents(capacity, timeout_ns);
    if (count < 0) return LastError("epoll_pwait2");
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events_[static_cast<size_t>(i)];
      const int fd = static_cast<int32_t>(static_cast<uint32_t>(event.data.u64));
      const int32_t generation = static_cast<int32_t>((event.data.u64 & ~kOneshotMark) >> 32);
      if (Generation(fd) != generation) {
        ++stale_hits_;
        continue;
      }
      batch.Add(fd, generation, ReadyOf(event.events), FlagsOf(event.events));
      if ((event.data.u64 & kOneshotMark) != 0) spent_[static_cast<size_t>(fd)] = true;
    }
    if (stale_hits_ >= kStaleHitsBeforeRebuild) (void)Rebuild().ok();
    return {};
  }

  Result<void> Control(int operation, int fd, const Registration& registration) {
    const Result<void> done = ControlIn(epoll_.get(), operation, fd, registration);
    if (registration.options.mode == Mode::kOneshot) {
      const size_t index = static_cast<size_t>(fd);
      if (spent_.size() <= index) spent_.resize(std::max(index + 1, spent_.size() * 2));
      spent_[index] = false;
    }
    return done;
  }

  static Result<void> ControlIn(int epoll, int operation, int fd,
                                const Registration& registration) {
    epoll_event event{};
    event.events = ToEpoll(registration);
    event.data.u64 = static_cast<uint64_t>(static_cast<uint32_t>(registration.generation)) << 32 |
                     static_cast<uint32_t>(fd);
    if (registration.options.mode == Mode::kOneshot) event.data.u64 |= kOneshotMark;
    if (epoll_ctl(epoll, operation, fd, &event) < 0) return LastError("epoll_ctl");
    return {};
  }

  /** Without epoll_pwait2(2) in milliseconds, rounded up. */
  [[gnu::hot]] int WaitForEvents(int capacity, int64_t timeout_ns) {
#ifdef SYS_epoll_pwait2
    if (timeout_ns > 0 && has_pwait2_) {
      const KernelTimespec timeout{timeout_ns / kNsPerSecond, timeout_ns % kNsPerSecond};
      return static_cast<int>(syscall(SYS_epoll_pwait2, epoll_.get(), events_.data(), capacity,
                                      &timeout, nullptr, static_cast<size_t>(0)));
    }
#endif
    return EpollWaitCall(epoll_.get(), events_.data(), capacity, ToMilliseconds(timeout_ns));
  }

  /**
   * Replaces the set, under the same number, by one without the entries that no descriptor of this
   * process names any more. A failure (no descriptor, no memory, max_user_watches) changes nothing:
   * the old set goes on reporting, and the next stale hits try again.
   */
  Result<void> Rebuild() {
    stale_hits_ = 0;
    const OwnedFd fresh(epoll_create1(EPOLL_CLOEXEC));
    if (!fresh.valid()) return LastError("epoll_create1");
    Result<void> filled;
    ForEachRegistered([this, &fresh, &filled](int fd, const Registration& registration) {
      const bool oneshot = registration.options.mode == Mode::kOneshot;
      if (oneshot && spent_[static_cast<size_t>(fd)]) return;  // until modify, which adds it
      const Result<void> added = ControlIn(fresh.get(), EPOLL_CTL_ADD, fd, registration);
      const int error = added.error().errno_value;
      // EBADF, EPERM: closed before it was unregistered, and perhaps reused for a regular file.
      if (error != 0 && error != EBADF && error != EPERM) filled = added;
    });
    if (!filled.ok()) return filled;
    if (dup3(fresh.get(), epoll_.get(), O_CLOEXEC) < 0) return LastError("dup3");
    ++renewals_;
    return {};
  }

  OwnedFd epoll_;
  std::array<epoll_event, kEventsPerWait> events_{};
  std::vector<bool> spent_;  // by descriptor: a oneshot that has been reported
  bool has_pwait2_;
  int stale_hits_ = 0;
  int32_t renewals_ = 0;
};

}  // namespace

Result<std::unique_ptr<Selector>> MakeEpollSelector(const SelectorOptions& /*options*/) {
  OwnedFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return LastError("epoll_create1");
  const bool has_pwait2 = HasPwait2(epoll.get());
  return std::unique_ptr<Selector>(new EpollSelector(std::move(epoll), has_pwait2));
}

}  // namespace io_selectors

#endif  // __linux__
