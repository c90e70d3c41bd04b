// poll(2): the whole list is copied to the kernel and back at each wait, so a wait costs
// O(registered).

#include <poll.h>

#include <algorithm>

#include "backends/backends.h"
#include "core/memory.h"
#include "core/timeout.h"

namespace io_selectors {

namespace {

#ifdef POLLRDHUP
constexpr short kPollReadClosed = POLLRDHUP;
#else
constexpr short kPollReadClosed = 0;
#endif

short ToPoll(const Registration& registration) {
  int events = 0;
  if ((registration.interest & kRead) != 0) events |= POLLIN | kPollReadClosed;
  if ((registration.interest & kWrite) != 0) events |= POLLOUT;
  if (registration.options.priority && (registration.interest & kRead) != 0) events |= POLLPRI;
  return static_cast<short>(events);
}

int32_t ReadyOf(short events) {
  return ((events & POLLIN) != 0 ? kRead : 0) | ((events & POLLOUT) != 0 ? kWrite : 0);
}

int32_t FlagsOf(short events) {
  return ((events & POLLHUP) != 0 ? kFlagHangup : 0) |
         ((events & (POLLERR | POLLNVAL)) != 0 ? kFlagError : 0) |
         ((events & kPollReadClosed) != 0 ? kFlagReadClosed : 0) |
         ((events & POLLPRI) != 0 ? kFlagPriority : 0);
}

class PollSelector final : public Selector {
 public:
  PollSelector() : Selector(kCapabilities) {}

 private:
#ifdef __APPLE__
  static constexpr int64_t kTimeoutResolutionNs = kNsPerMs;
#else
  static constexpr int64_t kTimeoutResolutionNs = 1;
#endif
  static constexpr Capabilities kCapabilities{
      false, false, false, true, true, -1, kTimeoutResolutionNs};

  Result<void> Add(int fd, const Registration& registration) override {
    const size_t index = static_cast<size_t>(fd);
    if (!GrowTo(slot_of_, index) || !Reserve(list_, list_.size() + 1)) {
      return Error{ENOMEM, "register"};
    }
    slot_of_[index] = list_.size();
    list_.push_back(pollfd{fd, ToPoll(registration), 0});
    return {};
  }

  Result<void> Change(int fd, const Registration& /*before*/, const Registration& after) override {
    list_[slot_of_[static_cast<size_t>(fd)]] = pollfd{fd, ToPoll(after), 0};
    return {};
  }

  void Remove(int fd, const Registration& /*registration*/) override {
    const size_t slot = slot_of_[static_cast<size_t>(fd)];
    list_[slot] = list_.back();
    slot_of_[DescriptorOf(list_[slot])] = slot;
    list_.pop_back();
  }

  Result<void> Wait(Batch& batch, int64_t timeout_ns) override {
    int pending = WaitForEvents(timeout_ns);
    if (pending < 0) return LastError("ppoll");
    const size_t size = list_.size();
    if (next_ >= size) next_ = 0;
    for (size_t scanned = 0; scanned < size && pending > 0 && !batch.full(); ++scanned) {
      pollfd& entry = list_[next_];
      if (++next_ == size) next_ = 0;
      if (entry.revents == 0) continue;
      --pending;
      batch.Add(entry.fd, Generation(entry.fd), ReadyOf(entry.revents), FlagsOf(entry.revents));
      // Closed without unregister: reported once, then left out by its negative number (poll(2))
      // until it is modified.
      if ((entry.revents & POLLNVAL) != 0) entry.fd = ~entry.fd;
    }
    return {};
  }

  bool IsArmed(int fd) const override { return list_[slot_of_[static_cast<size_t>(fd)]].fd == fd; }

  /** A disarmed entry holds the complement of its descriptor. */
  static size_t DescriptorOf(const pollfd& entry) {
    return static_cast<size_t>(entry.fd < 0 ? ~entry.fd : entry.fd);
  }

  int WaitForEvents(int64_t timeout_ns) {
    const auto count = static_cast<nfds_t>(list_.size());
#ifdef __APPLE__
    return poll(list_.data(), count, ToMilliseconds(timeout_ns));
#else
    const timespec timeout = ToTimespec(timeout_ns < 0 ? 0 : timeout_ns);
    return ppoll(list_.data(), count, timeout_ns < 0 ? nullptr : &timeout, nullptr);
#endif
  }

  std::vector<pollfd> list_;
  std::vector<size_t> slot_of_;  // by descriptor: its place in list_
  size_t next_ = 0;              // where the next scan starts
};

}  // namespace

Result<std::unique_ptr<Selector>> MakePollSelector(const SelectorOptions& /*options*/) {
  return std::unique_ptr<Selector>(new PollSelector());
}

}  // namespace io_selectors
