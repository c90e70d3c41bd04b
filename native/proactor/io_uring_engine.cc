#include "proactor/io_uring_engine.h"

#include "core/io_uring.h"

#ifdef IO_SELECTORS_HAS_IO_URING

#include <algorithm>
#include <cerrno>
#include <deque>
#include <utility>

#include "core/timeout.h"
#include "net/socket.h"
#include "proactor/io_uring_operations.h"
#include "proactor/provided_buffers.h"

namespace io_selectors {

namespace {

constexpr uint32_t kSubmissions = 1024;
constexpr uint32_t kCompletions = 4096;
constexpr uint16_t kBufferGroup = 0;
constexpr uint16_t kBuffers = static_cast<uint16_t>(kInboundBytes / kReceiveBytes);

/** How long the kernel may take to let go of everything at the end. */
constexpr int64_t kEndingNs = kNsPerSecond;
constexpr int64_t kEndingStepNs = 100 * kNsPerMs;

class IoUringEngine final : public Engine {
 public:
  IoUringEngine(const Rings& rings, std::unique_ptr<IoUring> ring, const IoUringFeatures& features)
      : Engine(rings),
        features_(features),
        ring_(std::move(ring)),
        submit_(*ring_, features.skip_success) {}

  ~IoUringEngine() override { CloseAll(); }

  Result<void> ProvideBuffers() {
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
  bool Woken() const override { return woken_; }
  int fileno() const override { return ring_->fd(); }

  Result<void> Detach(int slot, std::string* unread) override {
    const Slot* found = Find(slot);
    if (found == nullptr || found->Has(kListening)) return Error{EBADF, "detach"};
    if (found->queued() > 0) return Error{EBUSY, "detach"};
    At(slot).Add(kPaused);
    if (At(slot).Has(kStarved)) {
      starved_.erase(std::remove(starved_.begin(), starved_.end(), slot), starved_.end());
      At(slot).Drop(kReceiving | kStarved);
    }
    Settle(slot);
    const int64_t deadline = MonotonicNs() + kEndingNs;
    while (At(slot).Has(kReceiving)) {
      if (MonotonicNs() > deadline) return Error{EBUSY, "detach"};
      const Result<void> entered = Enter(1, kEndingStepNs);
      if (!entered.ok()) return entered;
      NoteReceivesEnded(slot);
    }
    TakeOut(slot, unread);
    Forget(slot);
    return {};
  }

  void CloseAll() override {
    submit_.CancelAll();
    const int64_t deadline = MonotonicNs() + kEndingNs;
    while (submit_.outstanding() > 0 && MonotonicNs() < deadline) {
      const Result<void> entered = ring_->Enter(1, kEndingStepNs);
      if (!entered.ok() && entered.error().errno_value != EINTR) break;
      Completion completion;
      while (ring_->Next(&completion)) {
        submit_.OnCompletion(completion);
        arrived_.push_back(completion);
      }
    }
    for (const Completion& completion : arrived_) {
      const bool accepted = OperationOf(completion) == Operation::kAccept;
      if (accepted && completion.result >= 0) OwnedFd(completion.result).Reset();
    }
    arrived_.clear();
    for (size_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].Has(kOpen)) OwnedFd(static_cast<int>(slot)).Reset();
      slots_[slot] = Slot();
    }
  }

 private:
  /** A send that completes as it is submitted. */
  struct AtOnce {
    int32_t slot;
    int count;
    size_t length;
    iovec part;        // the first one
    Message* message;  // all of them, if there are several
  };

  Result<void> Start(int32_t slot) override {
    if (!At(slot).Has(kSocket)) return Error{ENOTSOCK, "recv"};
    Settle(slot);
    return {};
  }

  Result<void> StartAccepting(Listener& listener) override {
    listener.accepting = true;
    Slot& at = At(listener.slot);
    if (at.Has(kReceiving)) return {};  // the last one is being cancelled, and starts it anew
    // Those that are accepted inherit it; a Unix socket has none.
    (void)SetNoDelay(listener.slot).ok();
    at.Add(kReceiving);
    submit_.Accept(listener.slot, listener.options.room < 0);
    return {};
  }

  void StopAccepting(Listener& listener) override {
    listener.accepting = false;
    Slot& at = At(listener.slot);
    if (!at.Has(kReceiving) || at.Has(kCancelling)) return;
    at.Add(kCancelling);
    submit_.Cancel(Operation::kAccept, listener.slot);
  }

  /** Submits what this slot's state asks for next. */
  void Settle(int32_t slot) override {
    Slot& at = At(slot);
    if (at.Has(kListening)) return;
    const bool over = at.Has(kClosing | kDestroyed);
    const bool receives = at.Has(kReads) && !at.Has(kPaused) && !over;
    if (receives && !at.Has(kReceiving)) {
      at.Add(kReceiving);
      submit_.Receive(slot, kBufferGroup);
    } else if (!receives && at.Has(kReceiving) && !at.Has(kCancelling) && !at.Has(kStarved)) {
      at.Add(kCancelling);
      submit_.Cancel(Operation::kReceive, slot);
    }
    if (over && at.Has(kSending)) submit_.Cancel(Operation::kSendQueued, slot);
    if (!over && at.queued() > 0 && !at.Has(kSending) && !at.Has(kSendsAtOnce)) SendQueued(slot);
  }

  void Send(int32_t slot, const iovec* parts, int count, size_t length) override {
    Slot& at = At(slot);
    // A second call of one flush waits: the first may leave something over.
    if (at.Has(kSendsAtOnce)) return Queue(slot, parts, count, 0);
    at.Add(kSendsAtOnce);
    ++counters_.send_calls;
    counters_.bytes_sent += length;
    AtOnce send{slot, count, length, parts[0], nullptr};
    if (count > 1) {
      messages_.emplace_back();
      send.message = &messages_.back();
      std::copy(parts, parts + count, send.message->parts);
    }
    submit_.SendAtOnce(slot, send.message, send.part, {sends_.size(), count});
    sends_.push_back(send);
  }

  /** After they have entered the kernel, which completes each of them at once. */
  void FinishSends() {
    ends_ = false;
    for (const AtOnce& send : std::exchange(sends_, {})) {
      Slot& at = At(send.slot);
      at.Drop(kSendsAtOnce);
      Touch(send.slot);
      if (Find(send.slot) != nullptr) {
        if (at.queued() > 0 || at.Has(kReports)) EmitQueued(send.slot);
        at.Drop(kReports);
        EndIfSent(send.slot);
      }
      if (Find(send.slot) != nullptr) Settle(send.slot);
      CloseIfDone(send.slot);
    }
    messages_.clear();
  }

  /** One of them has failed, or has left something over. */
  void OnSentAtOnce(const Completion& completion) {
    const AtOnce& send = sends_[IndexOf(completion)];
    const bool full = completion.result == -EAGAIN || completion.result == -EINTR;
    if (completion.result < 0 && !full) {
      counters_.bytes_sent -= send.length;
      return Fail(send.slot, -completion.result, true);
    }
    const size_t sent = completion.result < 0 ? 0 : static_cast<size_t>(completion.result);
    if (sent == send.length) return;
    counters_.bytes_sent -= send.length - sent;
    PutBefore(send, sent);
  }

  /** What was left over goes before what the same flush has queued behind it. */
  void PutBefore(const AtOnce& send, size_t sent) {
    std::unique_ptr<SendQueue> behind = std::move(At(send.slot).queue);
    Queue(send.slot, send.message == nullptr ? &send.part : send.message->parts, send.count, sent);
    if (behind == nullptr) return;
    iovec part[1];
    while (behind->Gather(part, 1) == 1) {
      Queue(send.slot, part, 1, 0);
      behind->Consume(part[0].iov_len);
    }
  }

  void SendQueued(int32_t slot) {
    iovec part[1];
    Slot& at = At(slot);
    if (at.queue->Gather(part, 1) == 0) return;
    at.Add(kSending);
    ++counters_.send_calls;
    submit_.SendQueued(slot, part[0]);
  }

  void OnSentQueued(const Completion& completion) {
    const int32_t slot = DescriptorOf(completion);
    Slot& at = At(slot);
    at.Drop(kSending);
    if (completion.result > 0) {
      const size_t sent = static_cast<size_t>(completion.result);
      counters_.bytes_sent += sent;
      Touch(slot);
      at.queue->Consume(sent);
      if (Find(slot) != nullptr) QueueShrank(slot);
    } else if (completion.result < 0 && completion.result != -ECANCELED &&
               completion.result != -EAGAIN && completion.result != -EINTR) {
      if (Find(slot) != nullptr) Fail(slot, -completion.result, true);
    }
    if (Find(slot) != nullptr) Settle(slot);
    CloseIfDone(slot);
  }

  void Destroy(int32_t slot) override { Close(slot); }

  void Close(int32_t slot) override {
    if (Listener* listener = FindListener(slot)) StopAccepting(*listener);
    At(slot).Add(kDestroyed);
    ends_ = ends_ || At(slot).Has(kSendsAtOnce);
    Settle(slot);
    CloseIfDone(slot);
  }

  void EndsLater() override { ends_ = true; }

  /** Closes what is to be closed once the kernel holds nothing of it any more. */
  void CloseIfDone(int32_t slot) {
    Slot& at = At(slot);
    if (!at.Has(kDestroyed) || at.Has(kReceiving | kSending | kSendsAtOnce)) return;
    const bool known = at.Has(kClosing);
    submit_.Close(slot);
    Forget(slot);
    if (!known) Emit(slot, CompletionKind::kClosed, 0, 0);
  }

  void DropQueue(Slot& slot) override {
    if (!slot.Has(kSending)) slot.queue.reset();  // else the kernel reads it
  }

  void Flushed() override {
    (void)Enter(0, 0).ok();  // a refusal comes again with the next wait
  }

  bool HasMore() const override { return next_ < arrived_.size(); }

  /** Submits everything, waits, and takes all completions out of the ring. */
  Result<void> Enter(uint32_t least, int64_t timeout_ns) {
    const uint32_t at_once = submit_.TakeAtOnce();
    const uint32_t more = least > 0 && features_.counts_sends ? at_once : 0;
    const Result<void> entered = ring_->Enter(least + more, timeout_ns);
    counters_.wait_calls = ring_->enter_calls();
    MarkTime();
    Completion completion;
    while (ring_->Next(&completion)) {
      submit_.OnCompletion(completion);
      if (OperationOf(completion) == Operation::kSendAtOnce) {
        OnSentAtOnce(completion);
      } else {
        arrived_.push_back(completion);
      }
    }
    FinishSends();
    return entered;
  }

  Result<void> WaitAndReceive(int64_t timeout_ns) override {
    woken_ = false;
    // What ends a connection waits until its sends are known to be complete.
    if (ends_) (void)Enter(0, 0).ok();
    const bool waits = !HasMore() && !HasReported() && timeout_ns != 0;
    const Result<void> entered = Enter(waits ? 1 : 0, timeout_ns);
    if (!entered.ok() && entered.error().errno_value != EINTR) return entered;
    // What the last turn received has been sent, or copied.
    for (const uint16_t buffer : spent_) buffers_.Return(buffer);
    spent_.clear();
    ReceiveForStarved();
    constexpr int kCompletionsPerEvent = 4;
    while (HasMore() && HasRoom(kCompletionsPerEvent)) OnCompletion(arrived_[next_++]);
    if (!HasMore()) {
      arrived_.clear();
      next_ = 0;
    }
    if (!submit_.failure().ok()) return submit_.failure();
    return entered;
  }

  void OnCompletion(const Completion& completion) {
    ++counters_.events_returned;
    switch (OperationOf(completion)) {
      case Operation::kAccept:
        return OnAccepted(completion);
      case Operation::kReceive:
        return OnReceived(completion);
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
    const int32_t listening = DescriptorOf(completion);
    if (!completion.more()) At(listening).Drop(kReceiving | kCancelling);
    Listener* listener = FindListener(listening);
    const bool open = Find(listening) != nullptr && listener != nullptr;
    if (completion.result >= 0) {
      ++counters_.accept_calls;
      if (open) {
        Accepted(*listener, completion.result);
      } else {
        OwnedFd(completion.result).Reset();
      }
    } else if (open && completion.result != -ECANCELED) {
      AcceptRefused(*listener, -completion.result);
    }
    listener = FindListener(listening);
    if (listener != nullptr && listener->accepting && Find(listening) != nullptr) {
      (void)StartAccepting(*listener).ok();
    }
    CloseIfDone(listening);
  }

  void OnReceived(const Completion& completion) {
    const int32_t slot = DescriptorOf(completion);
    if (!completion.more()) At(slot).Drop(kReceiving | kCancelling);
    const bool open = Find(slot) != nullptr && At(slot).Has(kReads);
    if (completion.buffer() >= 0) {
      const ProvidedBuffers::Part part = buffers_.Take(completion);
      if (part.spent) spent_.push_back(static_cast<uint16_t>(completion.buffer()));
      if (open && completion.result > 0) {
        counters_.bytes_received += static_cast<uint64_t>(completion.result);
        Touch(slot);
        Emit(slot, CompletionKind::kData, static_cast<int32_t>(part.offset), completion.result);
      }
    }
    if (completion.result == 0 && open) return PeerEnded(slot);
    if (completion.result == -ENOBUFS) {
      At(slot).Add(kReceiving | kStarved);  // until there are buffers again
      starved_.push_back(slot);
    } else if (completion.result < 0 && completion.result != -ECANCELED && open) {
      Fail(slot, -completion.result, false);
    }
    if (Find(slot) != nullptr) Settle(slot);
    CloseIfDone(slot);
  }

  void ReceiveForStarved() {
    if (starved_.empty()) return;
    for (const int32_t slot : std::exchange(starved_, {})) {
      At(slot).Drop(kReceiving | kStarved);
      Settle(slot);
      CloseIfDone(slot);
    }
  }

  /** Whether the receive of this slot has ended is in what has arrived and was not handled. */
  void NoteReceivesEnded(int32_t slot) {
    for (size_t i = next_; i < arrived_.size(); ++i) {
      const Completion& completion = arrived_[i];
      const bool receive = OperationOf(completion) == Operation::kReceive;
      if (receive && DescriptorOf(completion) == slot && !completion.more()) {
        At(slot).Drop(kReceiving | kCancelling);
      }
    }
  }

  /** Takes what has arrived for this slot out of what is to be handled. */
  void TakeOut(int32_t slot, std::string* unread) {
    const auto is_its = [slot](const Completion& completion) {
      return OperationOf(completion) == Operation::kReceive && DescriptorOf(completion) == slot;
    };
    for (size_t i = next_; i < arrived_.size(); ++i) {
      if (!is_its(arrived_[i]) || arrived_[i].buffer() < 0) continue;
      const ProvidedBuffers::Part part = buffers_.Take(arrived_[i]);
      const auto* bytes = reinterpret_cast<const char*>(rings_.inbound + part.offset);
      unread->append(bytes, static_cast<size_t>(std::max(0, arrived_[i].result)));
      if (part.spent) spent_.push_back(static_cast<uint16_t>(arrived_[i].buffer()));
    }
    const auto begin = arrived_.begin() + static_cast<std::ptrdiff_t>(next_);
    arrived_.erase(std::remove_if(begin, arrived_.end(), is_its), arrived_.end());
  }

  const IoUringFeatures features_;
  std::unique_ptr<IoUring> ring_;
  Operations submit_;
  ProvidedBuffers buffers_;
  std::vector<AtOnce> sends_;  // of the flush that has not entered the kernel
  std::deque<Message> messages_;
  bool ends_ = false;  // some of these are the last of their connection
  std::vector<Completion> arrived_;
  size_t next_ = 0;               // of these, the first that is not handled
  std::vector<uint16_t> spent_;   // buffers that this turn has used up
  std::vector<int32_t> starved_;  // whose receive found no buffer
  int wake_fd_ = -1;
  bool woken_ = false;
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
  const Result<void> able = CheckMultishotReceive(*ring.value());
  if (!able.ok()) return able.error();
  auto engine = std::make_unique<IoUringEngine>(rings, std::move(ring.value()), features);
  const Result<void> opened = engine->ProvideBuffers();
  if (!opened.ok()) return opened.error();
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
