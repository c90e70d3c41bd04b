#include "proactor/readiness_engine.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "backends/backends.h"
#include "core/system_call.h"
#include "net/descriptor.h"
#include "net/open_socket.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

constexpr int kEventsPerWait = 256;

/** Connections that one look at a listener accepts; more wait for the next turn. */
constexpr int kAcceptsPerEvent = 256;

/** Receives of one connection per turn while each fills its buffer. */
constexpr int kReceivesPerEvent = 4;

/** Parts of a queue that one call sends. */
constexpr int kQueuedParts = 16;

ssize_t SendMessage(int fd, const iovec* parts, int count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count);
  return sendmsg(fd, &message, kSendFlags);
}

class ReadinessEngine final : public Engine {
 public:
  ReadinessEngine(const Rings& rings, std::unique_ptr<Selector> selector)
      : Engine(rings), selector_(std::move(selector)) {}

  ~ReadinessEngine() override { CloseAll(); }

  Result<void> Detach(int slot, std::string* /*unread*/) override {
    const Slot* found = Find(slot);
    if (found == nullptr || found->Has(kListening)) return Error{EBADF, "detach"};
    if (found->Has(kSendRefused)) return Error{EBADF, "detach"};  // the next turn reports why
    if (found->queued() > 0) return Error{EBUSY, "detach"};
    Unwatch(slot);
    Forget(slot);
    return {};
  }

  Result<void> SetWakeFd(int fd) override { return selector_->SetWakeFd(fd); }
  int fileno() const override { return selector_->fileno(); }
  int32_t renewals() const override { return selector_->renewals(); }
  std::vector<pollfd> Watched() const override { return selector_->Watched(); }
  bool ReportsHangupsOfWriters() const override {
    return selector_->capabilities().hangups_of_writers;
  }
  void PrepareToBeWatched() override { selector_->PrepareToBeWatched(); }
  bool TakeChanged() override { return std::exchange(changed_, false); }

  void CloseAll() override {
    for (size_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].phase == Phase::kFree) continue;
      Close(static_cast<int32_t>(slot));
      Forget(static_cast<int32_t>(slot));
    }
  }

 private:
  Result<void> Start(int32_t slot) override { return Watch(slot, InterestOf(At(slot))); }

  Result<void> StartAccepting(Listener& listener) override {
    const Result<void> watched = Watch(listener.slot, kRead);
    listener.accepting = watched.ok();
    return watched;
  }

  void StopAccepting(Listener& listener) override {
    listener.accepting = false;
    Unwatch(listener.slot);
  }

  void Settle(int32_t slot) override {
    const Slot& at = At(slot);
    const int32_t wanted = InterestOf(at);
    if (wanted == at.interest) return;
    const Result<void> watched = Watch(slot, wanted);
    if (!watched.ok()) Fail(slot, watched.error().errno_value);
  }

  static int32_t InterestOf(const Slot& slot) {
    if (slot.phase != Phase::kServing) return 0;
    const bool reads = slot.Has(kReads) && !slot.Has(kPaused);
    return (reads ? kRead : 0) | (slot.queued() > 0 ? kWrite : 0);
  }

  Result<void> Watch(int32_t slot, int32_t interest) {
    Slot& at = At(slot);
    const int32_t before = at.interest;
    at.interest = static_cast<int8_t>(interest);
    if (interest == before) return {};
    changed_ = true;
    if (before != 0 && interest != 0) {
      CountControl();
      const Result<void> modified = selector_->Modify(slot, interest);
      if (!modified.ok()) at.interest = 0;
      return modified;
    }
    if (interest == 0) {
      Unwatch(slot, before);
      return {};
    }
    CountControl();
    const Result<int32_t> registered = selector_->Register(slot, interest);
    if (registered.ok()) return {};
    at.interest = 0;
    return registered.error();
  }

  void Unwatch(int32_t slot) { Unwatch(slot, std::exchange(At(slot).interest, int8_t{0})); }
  void Unwatch(int32_t slot, int32_t interest) {
    changed_ = true;
    if (interest == 0) return;
    CountControl();
    // It is registered, so that nothing can be refused.
    (void)selector_->Unregister(slot).ok();
  }

  /** Without a set in the kernel a change is no call. */
  void CountControl() {
    if (selector_->fileno() >= 0) ++counters_.control_calls;
  }

  [[gnu::hot]] void Send(int32_t slot, const iovec* parts, int count, size_t length) override {
    const ssize_t sent = SendParts(slot, parts, count);
    if (sent < 0) return RefuseSend(slot, static_cast<int>(-sent));
    if (static_cast<size_t>(sent) == length) return;
    Queue(slot, parts, count, static_cast<size_t>(sent));
    if (Find(slot) == nullptr) return;  // no memory for it
    EmitQueued(slot);
    Settle(slot);
  }

  /** @returns bytes taken, 0 if the peer's window is full, or -errno. */
  [[gnu::hot]] ssize_t SendParts(int32_t slot, const iovec* parts, int count) {
    const bool socket = At(slot).Has(kSocket);
    ssize_t sent = 0;
    do {
      ++counters_.send_calls;
      if (!socket) {
        sent = writev(slot, parts, count);
      } else if (count == 1) {
        sent = SendCall(slot, parts->iov_base, parts->iov_len, kSendFlags);
      } else {
        sent = SendMessage(slot, parts, count);
      }
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
    counters_.bytes_sent += static_cast<uint64_t>(sent);
    if (sent > 0) Touch(slot);
    return sent;
  }

  void SendQueued(int32_t slot) {
    Slot& at = At(slot);
    if (at.queued() == 0) return;
    iovec parts[kQueuedParts];
    const ssize_t sent = SendParts(slot, parts, at.queue->Gather(parts, kQueuedParts));
    if (sent < 0) return RefuseSend(slot, static_cast<int>(-sent));
    if (sent == 0) return;
    at.queue->Consume(static_cast<size_t>(sent));
    QueueShrank(slot);
    Settle(slot);
  }

  /** The peer is gone. What it had sent is received in the next turn, and then the slot leaves. */
  void RefuseSend(int32_t slot, int error) {
    Slot& at = At(slot);
    if (!at.Has(kReads) || at.Has(kPaused)) return Fail(slot, error, true);
    at.Drop(kWrites);
    DropQueue(at);
    at.error = static_cast<int16_t>(error);
    // EPIPE: the peer may have ended before. Any other error is one that a receive, which would
    // have failed with it, does not see any more. tcp(7)
    at.Add(error == EPIPE ? kSendRefused : kSendRefused | kCutOff);
    refused_.push_back(slot);
    Settle(slot);
  }

  void ReceiveOfRefused() {
    for (const int32_t slot : std::exchange(refused_, {})) {
      const Slot* at = Find(slot);
      if (at == nullptr || !at->Has(kSendRefused)) continue;
      const size_t before = used_;
      const bool fits = HasRoomToReceive();
      if (fits && !at->Has(kPaused)) Receive(slot);
      if (!fits || used_ > before) {
        refused_.push_back(slot);
      } else if (Find(slot) != nullptr) {
        Fail(slot, At(slot).error, true);
      }
    }
  }

  void Leave(int32_t slot) override {
    Close(slot);
    Closed(slot);
  }

  void Close(int32_t slot) {
    Unwatch(slot);
    selector_->BeforeClose(slot);
    OwnedFd(slot).Reset();
  }

  bool HasMore() const override { return next_event_ < events_count_; }
  bool HasPutOff() const override { return !refused_.empty(); }

  /** Whether one more event fits into the rings. */
  bool HasRoomToReceive() const {
    constexpr int kCompletionsPerEvent = 4;
    return HasRoom(kCompletionsPerEvent) && used_ + kReceiveBytes <= rings_.inbound_bytes;
  }

  [[gnu::hot]] Result<void> WaitAndReceive(int64_t timeout_ns) override {
    used_ = 0;
    woken_ = false;
    if (!HasMore()) {
      next_event_ = events_count_ = 0;
      ++counters_.wait_calls;
      const int64_t timeout = HasPutOff() ? 0 : timeout_ns;
      const Result<int> count = selector_->Select(events_.data(), kEventsPerWait, timeout);
      if (!count.ok()) return count.error();
      woken_ = selector_->Woken();
      events_count_ = count.value();
      counters_.events_returned += static_cast<uint64_t>(events_count_);
    }
    MarkTime();
    // What has no room is received in the next turn, before anything else.
    while (HasMore() && HasRoomToReceive()) OnEvent(events_[static_cast<size_t>(next_event_++)]);
    if (HasPutOff()) ReceiveOfRefused();
    return {};
  }

  [[gnu::hot]] void OnEvent(const ReadyEvent& event) {
    // Its registration may have ended since, and its number may be another connection's.
    if (selector_->Generation(event.fd) != event.generation) return;
    const Slot* slot = Find(event.fd);
    if (slot == nullptr) return;
    if (slot->Has(kListening)) return AcceptSome(event.fd);
    // Before sending: what a peer has sent and then reset is lost once a send fails.
    if ((event.ready & kRead) != 0 && slot->Has(kReads) && !slot->Has(kPaused)) Receive(event.fd);
    if ((event.ready & kWrite) != 0 && Find(event.fd) != nullptr) SendQueued(event.fd);
  }

  [[gnu::hot]] void Receive(int32_t slot) {
    const size_t start = used_;
    ssize_t received = 0;
    int calls = 0;
    do {
      received = ReceiveOnce(slot);
      if (received > 0) used_ += static_cast<size_t>(received);
    } while (received == static_cast<ssize_t>(kReceiveBytes) && ++calls < kReceivesPerEvent &&
             used_ + kReceiveBytes <= rings_.inbound_bytes);
    const size_t length = used_ - start;
    if (length > 0) {
      Emit(slot, CompletionKind::kData, static_cast<int32_t>(start), static_cast<int32_t>(length));
      counters_.bytes_received += length;
      // The next receive starts at a cache line of its own.
      constexpr size_t kCacheLine = 64;
      used_ = std::min((used_ + kCacheLine - 1) & ~(kCacheLine - 1), rings_.inbound_bytes);
      Touch(slot);
    }
    if (received == 0) return PeerEnded(slot);
    if (received < 0 && received != -EAGAIN) Fail(slot, static_cast<int>(-received));
  }

  /** @returns bytes, 0 at the end, or -errno. */
  [[gnu::hot]] ssize_t ReceiveOnce(int32_t slot) {
    ++counters_.receive_calls;
    uint8_t* into = rings_.inbound + used_;
    if (At(slot).Has(kSocket)) return io_selectors::Receive(slot, into, kReceiveBytes);
    const ssize_t received = Read(slot, into, kReceiveBytes);
    return received == -EIO && EndsWithEio(slot) ? 0 : received;
  }

  /** Not inlined, so that a message does not pay for the registers that accepting needs. */
  [[gnu::noinline]] void AcceptSome(int32_t listening) {
    for (int i = 0; i < kAcceptsPerEvent && HasRoom(2); ++i) {
      Listener* listener = FindListener(listening);
      if (listener == nullptr || !listener->accepting) return;
      ++counters_.accept_calls;
      const int fd = Accept(listening);
      if (fd == -EAGAIN) return;
      if (fd < 0) return AcceptRefused(*listener, -fd);
      Accepted(*listener, fd);
    }
  }

  std::unique_ptr<Selector> selector_;
  std::array<ReadyEvent, kEventsPerWait> events_{};
  int events_count_ = 0;
  bool changed_ = false;  // what is watched
  int next_event_ = 0;
  size_t used_ = 0;               // of `inbound`, in this turn
  std::vector<int32_t> refused_;  // slots whose peers refused a send
};

}  // namespace

Result<std::unique_ptr<Engine>> MakeReadinessEngine(const Rings& rings, std::string_view backend) {
  const Backend* found = FindBackend(backend);
  if (found == nullptr) return Error{ENOSYS, "select"};
  SelectorOptions options;
  options.fd_set_size = LargestFdSetSize();
  Result<std::unique_ptr<Selector>> selector = found->make(options);
  if (!selector.ok()) return selector.error();
  return std::unique_ptr<Engine>(new ReadinessEngine(rings, std::move(selector.value())));
}

}  // namespace io_selectors
