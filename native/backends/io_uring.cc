// io_uring(7) as poll operations: changes are submitted together with the wait, in one system call.
// A poll completes once. For level-triggered semantics it is armed again at the next wait, which
// also checks earlier completions, because the data may have been read meanwhile.

#include "core/io_uring.h"

#include "core/memory.h"

#ifdef IO_SELECTORS_HAS_IO_URING

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "backends/backends.h"

namespace io_selectors {

namespace {

/** Polls armed at a time: as many as one wait can report; more would be useless. */
constexpr uint32_t kSubmissions = 256;
constexpr uint32_t kCompletions = 4096;

/** The token of operations that belong to no descriptor. */
constexpr uint64_t kNobody = ~uint64_t{0};

constexpr uint32_t kAlwaysReported = POLLERR | POLLHUP | POLLNVAL;

/** What to ask poll for. A write-only interest leaves RDHUP out, though the kernel reports it
 * regardless: see Settle(). */
uint32_t ToPoll(const Registration& registration) {
  uint32_t events = 0;
  if ((registration.interest & kRead) != 0) events |= POLLIN | POLLRDHUP;
  if ((registration.interest & kWrite) != 0) events |= POLLOUT;
  if (registration.options.priority && (registration.interest & kRead) != 0) events |= POLLPRI;
  if (registration.options.exclusive) events |= EPOLLEXCLUSIVE;
  return events;
}

int32_t ReadyOf(uint32_t events) {
  return ((events & POLLIN) != 0 ? kRead : 0) | ((events & POLLOUT) != 0 ? kWrite : 0);
}

int32_t FlagsOf(uint32_t events) {
  return ((events & POLLHUP) != 0 ? kFlagHangup : 0) |
         ((events & (POLLERR | POLLNVAL)) != 0 ? kFlagError : 0) |
         ((events & POLLRDHUP) != 0 ? kFlagReadClosed : 0) |
         ((events & POLLPRI) != 0 ? kFlagPriority : 0);
}

/** `struct io_uring_sqe` keeps poll's 32 bits as two words, the low one first. */
uint32_t ToEntry(uint32_t events) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  return events << 16 | events >> 16;
#else
  return events;
#endif
}

class IoUringSelector final : public Selector {
 public:
  explicit IoUringSelector(std::unique_ptr<IoUring> ring)
      : Selector(kCapabilities), ring_(std::move(ring)) {}

  /** Closing the ring would release the polled files some time later; this releases them at once.
   */
  ~IoUringSelector() override {
    for (Slot& slot : slots_) Disarm(slot);
    (void)ring_->Enter(0, 0).ok();
  }

  int fileno() const override { return ring_->fd(); }

  void BeforeClose(int fd) override {
    if (static_cast<size_t>(fd) < slots_.size()) LetGo(At(fd));
  }

  /** The ring's descriptor is readable only for polls that are armed. */
  void PrepareToBeWatched() override {
    bool entered = ring_->unsubmitted() == 0 || ring_->Enter(0, 0).ok();
    entered = entered && CatchUp().ok();
    QueueReported();
    while (entered && IsAnyQueued()) {
      ArmQueued();
      entered = ring_->Enter(0, 0).ok();
    }
    if (edges_.empty()) return;
    if (io_uring_sqe* entry = NextEntry(IORING_OP_NOP)) entry->user_data = kNobody;
    (void)ring_->Enter(0, 0).ok();
  }

 private:
  static constexpr Capabilities kCapabilities{true, true, true, true, true, -1, 1};

  /** One descriptor's poll. */
  struct Slot {
    uint32_t events = 0;    // to poll for; 0: not registered
    uint32_t sequence = 0;  // of the poll that is armed, by which its completion is known; 0: none
    uint32_t edges = 0;     // Mode::kEdge: what has happened and is not reported
    Mode mode = Mode::kLevel;
    bool queued = false;     // in queue_ or reported_
    bool multishot = false;  // armed once, completing at each edge
    bool continued = false;  // that poll has completed before, and went on
  };

  Result<void> Add(int fd, const Registration& registration) override {
    const size_t index = static_cast<size_t>(fd);
    if (!GrowTo(slots_, index)) return Error{ENOMEM, "register"};
    Slot& slot = At(fd);
    slot.events = ToPoll(registration);
    slot.mode = registration.options.mode;
    slot.multishot = slot.mode == Mode::kEdge;
    slot.edges = 0;
    Enqueue(fd);
    return {};
  }

  Result<void> Change(int fd, const Registration& /*before*/, const Registration& after) override {
    Disarm(At(fd));
    return Add(fd, after);
  }

  /** At once: a pending poll holds the file, so that a close after this would not reach the peer.
   */
  void Remove(int fd, const Registration& /*registration*/) override { LetGo(At(fd)); }

  void LetGo(Slot& slot) {
    Disarm(slot);
    slot.events = 0;
    slot.edges = 0;
    if (ring_->unsubmitted() == 0) return;
    // EBUSY, before Linux 5.19: too many completions wait. Taking them submits, too.
    (void)ring_->Enter(0, 0).ok();
    (void)CatchUp().ok();
  }

  Result<void> Wait(Batch& batch, int64_t timeout_ns) override {
    Result<void> done = CatchUp();
    QueueReported();
    edges_first_ = !edges_first_;  // so that neither kind starves the other
    if (edges_first_) HandOutEdges(batch);
    bool waited = false;
    while (done.ok()) {
      ArmQueued();
      const bool waits = timeout_ns != 0 && !waited && !IsAnyQueued() && edges_.empty() &&
                         batch.empty() && !batch.woken();
      done = ring_->Enter(waits ? 1 : 0, timeout_ns);
      waited = waited || waits;
      overflown_ = overflown_ || ring_->overflown();
      Completion completion;
      while (!batch.full() && ring_->Next(&completion)) Settle(completion, &batch);
      if (!IsAnyQueued() || batch.full()) break;
    }
    overflown_ = ring_->overflown();
    HandOutEdges(batch);
    if (!done.ok() && done.error().errno_value == EBADR) {
      RearmAll();
      return {};
    }
    return batch.empty() && !batch.woken() ? done : Result<void>();
  }

  bool IsArmed(int fd) const override {
    const Slot& slot = slots_[static_cast<size_t>(fd)];
    return slot.sequence != 0 || slot.queued;
  }

  /** Takes what completed before this wait. */
  Result<void> CatchUp() {
    for (;;) {
      Completion completion;
      while (ring_->Next(&completion)) Settle(completion, nullptr);
      if (!ring_->overflown()) return {};
      overflown_ = true;
      const Result<void> flushed = ring_->Enter(0, 0);
      if (!flushed.ok()) return flushed;
    }
  }

  /** @param batch takes the event; nullptr: it may be outdated by now, and is asked for again. */
  void Settle(const Completion& completion, Batch* batch) {
    const int fd = static_cast<int32_t>(static_cast<uint32_t>(completion.token));
    if (completion.token == kNobody || At(fd).sequence != completion.token >> 32) return;
    Slot& slot = At(fd);
    if (!completion.more()) slot.sequence = 0;
    if (completion.result == -ECANCELED) return Enqueue(fd);  // the thread that armed it has ended
    const bool refused = completion.result < 0;  // closed, or nothing that can be polled
    const uint32_t happened =
        (refused ? POLLNVAL : Verified(fd, static_cast<uint32_t>(completion.result))) &
        (slot.events | kAlwaysReported);
    if (slot.mode == Mode::kEdge) {
      NoteEdge(fd, happened);
      // A poll that ends at its first edge: the queue of completions was full, or the file has
      // nothing to wait for (a regular one, /dev/null), is ready always and has no second edge.
      const bool ended_for_room = slot.continued || overflown_;
      slot.continued = completion.more();
      if (!refused && !completion.more() && ended_for_room) Enqueue(fd);
      return;
    }
    if (happened == 0) {
      // An RDHUP that was not requested would complete every poll at once: by edges from now on.
      slot.multishot = true;
      if (slot.sequence == 0) Enqueue(fd);
      return;
    }
    slot.multishot = false;
    Disarm(slot);
    if (batch == nullptr) return Enqueue(fd);
    batch->Add(fd, Generation(fd), ReadyOf(happened), FlagsOf(happened));
    if (slot.mode == Mode::kOneshot || refused) return;
    reported_.push_back(fd);
    slot.queued = true;
  }

  /** A wake-up reports "priority" for plain data, too (sock_def_readable): asks poll(2). */
  uint32_t Verified(int fd, uint32_t happened) const {
    const uint32_t events = slots_[static_cast<size_t>(fd)].events;
    if ((events & happened & POLLPRI) == 0) return happened;
    pollfd now{fd, static_cast<short>(events), 0};
    if (poll(&now, 1, 0) < 0) return happened;
    return static_cast<uint32_t>(now.revents);
  }

  void NoteEdge(int fd, uint32_t happened) {
    Slot& slot = At(fd);
    if (happened != 0 && slot.edges == 0) edges_.push_back(fd);
    slot.edges |= happened;
  }

  void HandOutEdges(Batch& batch) {
    size_t taken = 0;
    for (; taken < edges_.size() && !batch.full(); ++taken) {
      const int fd = edges_[taken];
      const uint32_t happened = std::exchange(At(fd).edges, 0);
      if (happened != 0) batch.Add(fd, Generation(fd), ReadyOf(happened), FlagsOf(happened));
    }
    edges_.erase(edges_.begin(), edges_.begin() + static_cast<std::ptrdiff_t>(taken));
  }

  void Enqueue(int fd) {
    if (std::exchange(At(fd).queued, true)) return;
    queue_.push_back(fd);
  }

  /** After the events that this batch had no room for, so that a full ring starves none. */
  void QueueReported() {
    if (next_ > queue_.size() / 2) {
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(next_));
      next_ = 0;
    }
    queue_.insert(queue_.end(), reported_.begin(), reported_.end());
    reported_.clear();
  }

  bool IsAnyQueued() const { return next_ < queue_.size(); }

  /** Prepares as many of the queue's polls as the ring has entries. */
  void ArmQueued() {
    for (; next_ < queue_.size(); ++next_) {
      const int fd = queue_[next_];
      Slot& slot = At(fd);
      if (slot.events != 0 && slot.sequence == 0 && !Arm(fd, slot)) return;
      slot.queued = false;
    }
    queue_.clear();
    next_ = 0;
  }

  bool Arm(int fd, Slot& slot) {
    io_uring_sqe* entry = ring_->NextEntry();
    if (entry == nullptr) return false;
    if (++last_sequence_ == 0) ++last_sequence_;
    slot.sequence = last_sequence_;
    slot.continued = false;
    entry->opcode = IORING_OP_POLL_ADD;
    entry->fd = fd;
    entry->sync_range_flags = ToEntry(slot.events);  // poll32_events, by its older neighbour
    entry->len = slot.multishot ? kPollAddMultishot : 0;
    entry->user_data = Token(fd, slot.sequence);
    return true;
  }

  static uint64_t Token(int fd, uint32_t sequence) {
    return uint64_t{sequence} << 32 | static_cast<uint32_t>(fd);
  }

  /** Prepares the cancellation of the slot's poll; its earlier completions are ignored from now on.
   */
  void Disarm(Slot& slot) {
    const uint32_t sequence = std::exchange(slot.sequence, 0);
    if (sequence == 0) return;
    const auto fd = static_cast<int>(&slot - slots_.data());
    io_uring_sqe* entry = NextEntry(IORING_OP_POLL_REMOVE);
    if (entry == nullptr) return;
    entry->fd = -1;
    entry->addr = Token(fd, sequence);
    entry->user_data = kNobody;
  }

  /** An entry for this operation; submits if all are taken. nullptr if the kernel refuses. */
  io_uring_sqe* NextEntry(uint8_t operation) {
    io_uring_sqe* entry = ring_->NextEntry();
    if (entry == nullptr && ring_->Enter(0, 0).ok()) entry = ring_->NextEntry();
    if (entry != nullptr) entry->opcode = operation;
    return entry;
  }

  /** The kernel lost a completion, and which one is unknown. */
  void RearmAll() {
    ForEachRegistered([this](int fd, const Registration& /*registration*/) {
      if (At(fd).sequence == 0) return;
      Disarm(At(fd));
      Enqueue(fd);
    });
  }

  Slot& At(int fd) { return slots_[static_cast<size_t>(fd)]; }

  std::unique_ptr<IoUring> ring_;
  std::vector<Slot> slots_;    // by descriptor
  std::vector<int> queue_;     // to be armed, from next_ on
  std::vector<int> reported_;  // by the last wait, to be armed at the next
  std::vector<int> edges_;     // with edges to report, the oldest first
  size_t next_ = 0;
  uint32_t last_sequence_ = 0;
  bool edges_first_ = false;
  bool overflown_ = false;  // completions had no room, in this wait
};

}  // namespace

Result<std::unique_ptr<Selector>> MakeIoUringSelector(const SelectorOptions& /*options*/) {
  Result<std::unique_ptr<IoUring>> ring = IoUring::Open(kSubmissions, kCompletions);
  if (!ring.ok()) return ring.error();
  return std::unique_ptr<Selector>(new IoUringSelector(std::move(ring.value())));
}

}  // namespace io_selectors

#endif  // IO_SELECTORS_HAS_IO_URING
