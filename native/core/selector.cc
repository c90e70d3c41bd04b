#include "core/selector.h"

#include <fcntl.h>

#include <cerrno>
#include <limits>

#include "core/memory.h"
#include "core/timeout.h"

namespace io_selectors {

namespace {

/** Few processes may open descriptors from here on. */
constexpr int kUsualDescriptors = 1 << 20;

bool IsInterest(int32_t interest) { return interest != 0 && (interest & ~(kRead | kWrite)) == 0; }

bool Supports(const Capabilities& has, const RegisterOptions& wanted) {
  return (wanted.mode != Mode::kEdge || has.edge) &&
         (wanted.mode != Mode::kOneshot || has.oneshot) && (!wanted.exclusive || has.exclusive) &&
         (!wanted.priority || has.priority);
}

}  // namespace

Result<int32_t> Selector::Register(int fd, int32_t interest, RegisterOptions options) {
  if (Inherited()) return Error{EPERM, "register"};
  if (fd < 0) return Error{EBADF, "register"};
  if (!IsInterest(interest) || !Supports(capabilities_, options)) return Error{EINVAL, "register"};
  if (capabilities_.max_fd >= 0 && fd > capabilities_.max_fd) return Error{EINVAL, "register"};
  if (Interest(fd) != 0) return Error{EEXIST, "register"};
  if (!InTable(fd)) {
    // The tables by descriptor would take gigabytes for a large number that is not open.
    if (fd >= kUsualDescriptors && fcntl(fd, F_GETFD) < 0) return LastError("fcntl");
    if (!GrowTo(table_, static_cast<size_t>(fd))) return Error{ENOMEM, "register"};
  }
  const Registration registration{interest, NextGeneration(), options};
  const Result<void> added = Add(fd, registration);
  if (!added.ok()) return added.error();
  At(fd) = registration;
  ++size_;
  return registration.generation;
}

Result<void> Selector::Modify(int fd, int32_t interest) {
  if (Inherited()) return Error{EPERM, "modify"};
  if (!IsInterest(interest)) return Error{EINVAL, "modify"};
  if (Interest(fd) == 0) return Error{ENOENT, "modify"};
  const Registration before = At(fd);
  // Not the old generation: if the number was closed and reused, what it was may live on in a
  // dup and report under that.
  const Registration after{interest, NextGeneration(), before.options};
  const Result<void> changed = Change(fd, before, after);
  if (changed.ok()) {
    At(fd) = after;
    return changed;
  }
  Remove(fd, before);
  At(fd) = Registration{};
  --size_;
  return changed;
}

Result<void> Selector::Unregister(int fd) {
  if (Inherited()) return Error{EPERM, "unregister"};
  if (Interest(fd) == 0) return Error{ENOENT, "unregister"};
  Remove(fd, At(fd));
  At(fd) = Registration{};
  --size_;
  return {};
}

Result<int> Selector::Select(ReadyEvent* ring, int capacity, int64_t timeout_ns) {
  if (Inherited()) return Error{EPERM, "select"};
  Batch batch(*this, ring, capacity);
  const int64_t deadline = timeout_ns > 0 ? DeadlineAfter(timeout_ns) : 0;
  int64_t remaining = timeout_ns;
  for (;;) {
    const Result<void> waited = Wait(batch, remaining);
    if (!waited.ok()) return waited.error();
    woken_ = batch.woken();
    if (!batch.empty() || woken_ || timeout_ns == 0) return batch.count();
    // Nothing of use: the time is up, or the kernel woke us for a descriptor that is gone.
    if (timeout_ns > 0) {
      remaining = deadline - MonotonicNs();
      if (remaining <= 0) return 0;
    }
  }
}

Result<void> Selector::SetWakeFd(int fd) {
  const Result<int32_t> registered = Register(fd, kRead);
  if (!registered.ok()) return registered.error();
  wake_fd_ = fd;
  --size_;
  return {};
}

std::vector<pollfd> Selector::Watched() const {
  std::vector<pollfd> watched;
  ForEachRegistered([this, &watched](int fd, const Registration& registration) {
    if (!IsArmed(fd)) return;
    const bool reads = (registration.interest & kRead) != 0;
    const bool writes = (registration.interest & kWrite) != 0;
    const int events = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0) |
                       (reads && registration.options.priority ? POLLPRI : 0);
    watched.push_back(pollfd{fd, static_cast<short>(events), 0});
  });
  return watched;
}

int32_t Selector::NextGeneration() {
  last_generation_ =
      last_generation_ == std::numeric_limits<int32_t>::max() ? 1 : last_generation_ + 1;
  return last_generation_;
}

}  // namespace io_selectors
