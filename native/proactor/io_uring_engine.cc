#include "proactor/io_uring_engine.h"

#include "core/io_uring.h"

#ifdef IO_SELECTORS_HAS_IO_URING

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/timeout.h"
#include "net/descriptor.h"
#include "net/socket.h"
#include "proactor/io_uring_operations.h"
#include "proactor/io_uring_sender.h"
#include "proactor/provided_buffers.h"

namespace io_selectors {

namespace {

constexpr uint32_t kSubmissions = 1024;
constexpr uint32_t kCompletions = 4096;
constexpr uint16_t kBufferGroup = 0;
constexpr uint16_t kBuffers = static_cast<uint16_t>(kInboundBytes / kReceiveBytes);

// The kernel's interface by number, because the headers may be older than the kernel.
constexpr uint32_t kRegisterEventfd = 4;    // IORING_REGISTER_EVENTFD
constexpr uint32_t kUnregisterEventfd = 5;  // IORING_UNREGISTER_EVENTFD

/** How long the kernel may take to let go of everything at the end. */
constexpr int64_t kEndingNs = kNsPerSecond;
constexpr int64_t kEndingStepNs = 100 * kNsPerMs;

class IoUringEngine final : public IoUringSender {
 public:
  IoUringEngine(const Rings& rings, std::unique_ptr<IoUring> ring, const IoUringFeatures& features)
      : IoUringSender(rings, std::move(ring), features.skip_success), features_(features) {}

  ~IoUringEngine() override { CloseAll(); }

  Result<void> Open() {
    arrivals_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!arrivals_.valid()) return LastError("eventfd");
    const BufferGroup group{kBufferGroup, kBuffers, kReceiveBytes, rings_.inbound};
    const Result<void> registered = buffers_.Register(*ring_, group, features_.incremental);
    // Before Linux 6.12.
    const bool unknown = !registered.ok() && registered.error().errno_value == EINVAL;
    return features_.incremental && unknown ? buffers_.Register(*ring_, group, false) : registered;
  }

  Result<void> SetWakeFd(int fd) override {
    wake_fd_ = fd;
    submit_.WatchWake(fd);
    return {};
  }
  int fileno() const override { return arrivals_.get(); }

  /** A ring of deferred completions never becomes readable, but it writes to an eventfd(2). */
  void PrepareToBeWatched() override {
    SetWatched(true);
    (void)Enter(0, 0).ok();  // what came before is found now
  }

  Result<void> Detach(int slot, std::string* unread) override {
    const Slot* found = Find(slot);
    // If a send was refused, a turn reports why.
    if (found == nullptr || found->Has(kListening | kSendRefused)) return Error{EBADF, "detach"};
    if (found->queued() > 0) return Error{EBUSY, "detach"};
    const bool was_paused = found->Has(kPaused);
    At(slot).Add(kPaused);
    DropStarved(slot);
    bool failed = NoteReceives(slot);
    Settle(slot);
    const int64_t deadline = MonotonicNs() + kEndingNs;
    while (At(slot).Has(kReceiving)) {
      const Result<void> entered = Enter(1, kEndingStepNs);
      const bool refused = !entered.ok() && entered.error().errno_value != EINTR;
      if (refused || MonotonicNs() > deadline) {
        if (!was_paused) At(slot).Drop(kPaused);
        Settle(slot);
        return refused ? entered : Result<void>(Error{EBUSY, "detach"});
      }
      failed = NoteReceives(slot);
    }
    // The kernel has told the error once: the next turn reports it, after what came before.
    if (failed) return Error{EBADF, "detach"};
    CopyUnread(slot, unread);
    Forget(slot);
    return {};
  }

  void CloseAll() override {
    submit_.CancelAll();
    const int64_t deadline = MonotonicNs() + kEndingNs;
    while (submit_.outstanding() > 0 && MonotonicNs() < deadline) {
      const Result<void> entered = ring_->Enter(1, kEndingStepNs);
      if (!entered.ok() && entered.error().errno_value != EINTR) break;
      for (Completion one; ring_->Next(&one);) {
        submit_.OnCompletion(one);
        arrived_.push_back(Arrived{one, {}});
      }
    }
    while (HasMore()) {
      const Completion& one = arrived_[next_++].completion;
      if (OperationOf(one) == Operation::kAccept && one.result >= 0) OwnedFd(one.result).Reset();
    }
    for (size_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].phase != Phase::kFree) OwnedFd(static_cast<int>(slot)).Reset();
      slots_[slot] = Slot();
    }
  }

 private:
  /** What came out of the ring, and where its bytes are. */
  struct Arrived {
    Completion completion;
    ProvidedBuffers::Part part;
  };

  Result<void> Start(int32_t slot) override {
    if (!At(slot).Has(kSocket)) return Error{ENOTSOCK, "recv"};
    Settle(slot);
    return {};
  }

  Result<void> StartAccepting(Listener& listener) override {
    listener.accepting = true;
    Slot& at = At(listener.slot);
    if (at.Has(kReceiving)) return {};  // the last one is being cancelled, and starts it again
    // Those that are accepted inherit it; a Unix socket has none.
    (void)SetNoDelay(listener.slot).ok();
    at.Add(kReceiving);
    submit_.Accept(OwnerOf(listener.slot), listener.options.room < 0);
    return {};
  }

  void StopAccepting(Listener& listener) override {
    listener.accepting = false;
    Slot& at = At(listener.slot);
    if (!at.Has(kReceiving) || at.Has(kCancelling)) return;
    at.Add(kCancelling);
    submit_.Cancel(Operation::kAccept, OwnerOf(listener.slot));
  }

  /** Submits what this slot's state asks for next. */
  void Settle(int32_t slot) override {
    Slot& at = At(slot);
    if (at.Has(kListening)) return;
    // What is left of a peer that refused a send is not waited for.
    const bool refused = at.phase == Phase::kServing && at.Has(kSendRefused);
    if (refused && at.Has(kPaused)) return Fail(slot, at.error, true);
    const bool receives = at.phase == Phase::kServing && at.Has(kReads) && !at.Has(kPaused);
    if (receives && !at.Has(kReceiving)) {
      at.Add(kReceiving);
      submit_.Receive(OwnerOf(slot), kBufferGroup);
    } else if (!receives && at.Has(kReceiving) && !at.Has(kCancelling) && !at.Has(kStarved)) {
      at.Add(kCancelling);
      submit_.Cancel(Operation::kReceive, OwnerOf(slot));
    }
    SettleSending(slot);
  }

  void Leave(int32_t slot) override {
    if (At(slot).Has(kSendsAtOnce)) EndsLater();
    DropStarved(slot);
    Settle(slot);
    CloseIfDone(slot);
  }

  void CloseIfDone(int32_t slot) override {
    const Slot& at = At(slot);
    if (at.phase != Phase::kLeaving || at.Has(kReceiving | kSending | kSendsAtOnce)) return;
    submit_.Close(slot);
    closes_ = true;
    Closed(slot);
  }

  /** Its receive has ended, and waits for buffers no longer. */
  void DropStarved(int32_t slot) {
    if (!At(slot).Has(kStarved)) return;
    starved_.erase(std::remove(starved_.begin(), starved_.end(), slot), starved_.end());
    At(slot).Drop(kReceiving | kStarved);
  }

  /** A refusal comes again with the next wait. */
  void Flushed() override { (void)Enter(0, 0).ok(); }

  bool HasMore() const override { return next_ < arrived_.size(); }
  /** A receive that found no buffer is submitted again once those of this turn are returned. */
  bool HasPutOff() const override { return !starved_.empty(); }

  void SetWatched(bool watched) {
    if (watched == watched_) return;
    watched_ = watched;
    int fd = arrivals_.get();
    const uint32_t operation = watched ? kRegisterEventfd : kUnregisterEventfd;
    (void)ring_->RegisterWithKernel(operation, watched ? &fd : nullptr, watched ? 1 : 0).ok();
  }

  /** Submits everything, waits, and takes all completions out of the ring. */
  Result<void> Enter(uint32_t least, int64_t timeout_ns) {
    closes_ = false;
    const uint32_t at_once = submit_.TakeAtOnce();
    const uint32_t more = least > 0 && features_.counts_sends ? at_once : 0;
    const Result<void> entered = Submit(least + more, timeout_ns);
    counters_.wait_calls = ring_->enter_calls();
    MarkTime();
    do {  // once more if results of sends waited in the kernel's memory, behind a full ring
      for (Completion one; ring_->Next(&one);) {
        submit_.OnCompletion(one);
        const bool sent = OperationOf(one) == Operation::kSendAtOnce;
        if (sent) OnSentAtOnce(one);
        if (!sent) arrived_.push_back(Arrived{one, PartOf(one)});
      }
    } while (ring_->overflown() && ring_->Enter(0, 0).ok());
    FinishSends();
    return entered;
  }

  Result<void> WaitAndReceive(int64_t timeout_ns) override {
    woken_ = false;
    uint64_t count = 0;
    if (watched_) (void)Read(arrivals_.get(), &count, sizeof(count));
    if (timeout_ns != 0) SetWatched(false);  // each arrival would write for no reader
    // Before a wait: what ends a connection once its sends are complete, and buffers for what
    // arrives meanwhile.
    if (ends() || !starved_.empty() || spent_.size() >= kBuffers / 2) {
      if (Enter(0, 0).ok()) ReturnBuffers();
    }
    const bool waits = !HasMore() && !HasReported() && timeout_ns != 0;
    const Result<void> entered = Enter(waits ? 1 : 0, timeout_ns);
    if (!entered.ok() && entered.error().errno_value != EINTR) return entered;
    ReturnBuffers();
    constexpr int kCompletionsPerEvent = 4;
    while (HasMore() && HasRoom(kCompletionsPerEvent)) OnCompletion(arrived_[next_++]);
    if (!HasMore()) {
      arrived_.clear();
      next_ = 0;
    }
    if (closes_) (void)Enter(0, 0).ok();  // before the program knows of it
    if (!submit_.failure().ok()) return submit_.failure();
    return entered;
  }

  /** What the last turn received has been sent, or copied. */
  void ReturnBuffers() {
    for (const uint16_t buffer : spent_) buffers_.Return(buffer);
    spent_.clear();
    for (const int32_t slot : std::exchange(starved_, {})) {
      At(slot).Drop(kReceiving | kStarved);
      Settle(slot);
    }
  }

  /** Buffers fill up in the order of the completions, whichever of these is handled first. */
  ProvidedBuffers::Part PartOf(const Completion& completion) {
    return completion.buffer() < 0 ? ProvidedBuffers::Part{} : buffers_.Take(completion);
  }

  void OnCompletion(const Arrived& arrived) {
    const Completion& completion = arrived.completion;
    ++counters_.events_returned;
    switch (OperationOf(completion)) {
      case Operation::kAccept:
        return OnAccepted(completion);
      case Operation::kReceive:
        return OnReceived(arrived);
      case Operation::kSendQueued:
        return OnSentQueued(completion);
      case Operation::kWake:
        woken_ = true;
        return submit_.WatchWake(wake_fd_);
      case Operation::kSendAtOnce:
      case Operation::kUnwatched:
        return;
    }
  }

  void OnAccepted(const Completion& completion) {
    if (!IsCurrent(completion)) return OwnedFd(completion.result).Reset();
    const int32_t listening = DescriptorOf(completion);
    if (!completion.more()) At(listening).Drop(kReceiving | kCancelling);
    Listener* listener = FindListener(listening);
    const bool open = Find(listening) != nullptr && listener != nullptr;
    if (completion.result >= 0 && open) {
      Accepted(*listener, completion.result);
    } else if (completion.result >= 0) {
      OwnedFd(completion.result).Reset();
    } else if (open && completion.result != -ECANCELED &&
               !ConcernsOnlyThatConnection(-completion.result)) {
      AcceptRefused(*listener, -completion.result);
    }
    listener = FindListener(listening);
    if (listener != nullptr && listener->accepting && Find(listening) != nullptr) {
      (void)StartAccepting(*listener).ok();
    }
    CloseIfDone(listening);
  }

  void OnReceived(const Arrived& arrived) {
    const auto& [completion, part] = arrived;
    const int32_t slot = DescriptorOf(completion);
    const bool has_buffer = completion.buffer() >= 0;
    if (has_buffer && part.spent) spent_.push_back(static_cast<uint16_t>(completion.buffer()));
    if (!IsCurrent(completion)) return;
    if (!completion.more()) At(slot).Drop(kReceiving | kCancelling);
    if (Find(slot) == nullptr) return CloseIfDone(slot);
    if (At(slot).Has(kReads)) OnReceivedBy(slot, arrived);
    if (Find(slot) != nullptr) Settle(slot);
  }

  void OnReceivedBy(int32_t slot, const Arrived& arrived) {
    const int32_t result = arrived.completion.result;
    if (result == 0) return PeerEnded(slot);
    if (result > 0) {
      counters_.bytes_received += static_cast<uint64_t>(result);
      Touch(slot);
      Emit(slot, CompletionKind::kData, static_cast<int32_t>(arrived.part.offset), result);
    } else if (result == -ENOBUFS) {
      At(slot).Add(kReceiving | kStarved);  // until there are buffers again
      starved_.push_back(slot);
    } else if (result != -ECANCELED) {
      Fail(slot, -result);
    }
  }

  bool IsReceiveOf(int32_t slot, const Completion& completion) {
    return OperationOf(completion) == Operation::kReceive && DescriptorOf(completion) == slot &&
           IsCurrent(completion);
  }

  /** Checks what arrived and was not handled. @returns whether a receive of this slot failed. */
  bool NoteReceives(int32_t slot) {
    bool failed = false;
    for (size_t i = next_; i < arrived_.size(); ++i) {
      const Completion& completion = arrived_[i].completion;
      if (!IsReceiveOf(slot, completion)) continue;
      if (!completion.more()) At(slot).Drop(kReceiving | kCancelling);
      const int32_t result = completion.result;
      failed = failed || (result < 0 && result != -ECANCELED && result != -ENOBUFS);
    }
    return failed;
  }

  /** The buffers are returned in their turn: they may hold bytes of others that are unread, too. */
  void CopyUnread(int32_t slot, std::string* unread) {
    for (size_t i = next_; i < arrived_.size(); ++i) {
      const auto& [completion, part] = arrived_[i];
      if (!IsReceiveOf(slot, completion) || completion.buffer() < 0) continue;
      const auto* bytes = reinterpret_cast<const char*>(rings_.inbound + part.offset);
      unread->append(bytes, static_cast<size_t>(std::max(0, completion.result)));
    }
  }

  const IoUringFeatures features_;
  ProvidedBuffers buffers_;
  std::vector<Arrived> arrived_;
  size_t next_ = 0;               // of these, the first that is not handled
  std::vector<uint16_t> spent_;   // buffers that this turn has used up
  std::vector<int32_t> starved_;  // whose receive found no buffer
  OwnedFd arrivals_;              // readable when something may have arrived, while it is watched
  bool closes_ = false;           // an entry that closes has not entered the kernel
  bool watched_ = false;
  int wake_fd_ = -1;
};

}  // namespace

Result<std::unique_ptr<Engine>> MakeIoUringEngine(const Rings& rings,
                                                  const IoUringFeatures& features) {
  const RingUse use = features.deferred ? RingUse::kOneThread : RingUse::kWatched;
  RingOptions options;
  options.registered = features.registered_ring;
  options.order_array = !features.no_order_array;
  Result<std::unique_ptr<IoUring>> ring = IoUring::Open(kSubmissions, kCompletions, use, options);
  if (!ring.ok()) return ring.error();
  if (const auto able = CheckMultishotReceive(*ring.value()); !able.ok()) return able.error();
  auto engine = std::make_unique<IoUringEngine>(rings, std::move(ring.value()), features);
  if (const Result<void> opened = engine->Open(); !opened.ok()) return opened.error();
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace io_selectors

#else

namespace io_selectors {

Result<std::unique_ptr<Engine>> MakeIoUringEngine(const Rings& /*rings*/,
                                                  const IoUringFeatures& /*features*/) {
  return Error{ENOSYS, "io_uring_setup"};
}

}  // namespace io_selectors

#endif  // IO_SELECTORS_HAS_IO_URING
