#include "load_generator/churn.h"

#include <algorithm>
#include <cstring>

#include "core/timeout.h"
#include "load_generator/allocations.h"
#include "load_generator/protocols.h"
#include "load_generator/text.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

constexpr size_t kEventsPerWait = 256;
constexpr size_t kBufferBytes = size_t{64} * 1024;
// A connection is there before the server has accepted it, and one that was reset waits to be
// accepted all the same. Those are accepted in their order: an echo says that all before it were.
constexpr uint64_t kCyclesPerEcho = 16;
// A refused connection must not be retried at once, without end.
constexpr int64_t kPauseAfterRefusalNs = 2 * kNsPerMs;

}  // namespace

Churn::Churn(Selector& selector, const RunOptions& options, const Share& share, Window* unmeasured)
    : selector_(selector),
      options_(options),
      first_id_(static_cast<uint32_t>(options.in_flight * share.index / share.processes)),
      sources_(options),
      address_(InetAddress(options.host, static_cast<uint16_t>(options.port))),
      alarm_(selector),
      slots_(static_cast<size_t>(share.in_flight)),
      protocol_(MakeProtocol(options, slots())),
      tls_(Tls::Make(options, slots())),
      by_fd_(slots_.size() * 2 + 256),
      ring_(kEventsPerWait),
      buffer_(kBufferBytes),
      unmeasured_(unmeasured),
      window_(unmeasured) {
  for (uint32_t id = slots(); id > 0; --id) idle_.push_back(id - 1);
}

Churn::~Churn() {
  for (uint32_t id = 0; id < slots(); ++id) Close(id);
}

Tally Churn::Sum() const {
  Tally tally = tally_;
  for (uint32_t id = 0; id < slots(); ++id) {
    const Slot& slot = slots_[id];
    const bool asked = slot.state == State::kSending && slot.sent > 0;
    if (!asked && slot.state != State::kReceiving) continue;
    ++tally.missing;
    NoteFault(&tally, id, {Fault::kLate});
  }
  return tally;
}

std::string Churn::Prepare() {
  const int64_t deadline_ns = MonotonicNs() + options_.connect_timeout_ms * kNsPerMs;
  const auto waiting = [this] {
    return std::count_if(slots_.begin(), slots_.end(), [](const Slot& s) { return s.cycle == 0; });
  };
  for (int64_t left = waiting(); left > 0; left = waiting()) {
    const int64_t now_ns = MonotonicNs();
    if (now_ns >= deadline_ns) {
      return Format("%lld of %u slots had no cycle within %lld ms%s%s",
                    static_cast<long long>(left), slots(),
                    static_cast<long long>(options_.connect_timeout_ms),
                    last_error_ != 0 ? "; last error: " : "",
                    last_error_ != 0 ? std::strerror(last_error_) : "");
    }
    const std::string error = RunUntil(std::min(deadline_ns, now_ns + 20 * kNsPerMs), true);
    if (!error.empty()) return error;
    // Another attempt would fail as well: the certificate stays what it is.
    if (tls_ != nullptr && !tls_->failure().empty()) return tls_->failure();
  }
  return "";
}

std::string Churn::Run(Timeline& timeline, Window* windows) {
  const int64_t already = tally_.completed;
  Step step = timeline.Begin(MonotonicNs());
  last_finished_ns_ = MonotonicNs();
  std::string error;
  while (step.phase != Step::Phase::kOver && error.empty()) {
    const int64_t allocated = AllocationsSoFar();
    error = RunUntil(step.until_ns, true);
    if (!error.empty()) break;
    if (step.phase == Step::Phase::kWindow) tally_.allocations += AllocationsSoFar() - allocated;
    const int64_t now_ns = MonotonicNs();
    const int64_t done = tally_.completed - already;
    step = timeline.Next(Progress{done, done});
    window_ = step.phase == Step::Phase::kWindow ? &windows[step.window] : unmeasured_;
    // Cycles under way while we sampled are not the server's fault.
    const int64_t pause_ns = MonotonicNs() - now_ns;
    for (Slot& slot : slots_) {
      slot.began_ns += pause_ns;
      slot.sent_ns += pause_ns;
    }
  }
  window_ = unmeasured_;
  if (!error.empty()) return error;
  return RunUntil(MonotonicNs() + options_.drain_timeout_ms * kNsPerMs, false);
}

/** @param again whether a cycle that ended is followed by the next; if not, ends with the last. */
std::string Churn::RunUntil(int64_t end_ns, bool again) {
  for (int64_t now_ns = MonotonicNs(); now_ns < end_ns; now_ns = MonotonicNs()) {
    int64_t due_ns = end_ns;
    if (again) {
      if (now_ns >= not_before_ns_) StartIdle();
      if (!idle_.empty()) due_ns = std::min(end_ns, not_before_ns_);
      if (last_finished_ns_ > 0 &&
          now_ns - last_finished_ns_ > options_.connect_stall_ms * kNsPerMs) {
        return Format("no cycle ended within %lld ms",
                      static_cast<long long>(options_.connect_stall_ms));
      }
    } else if (idle_.size() == slots_.size()) {
      return "";
    }
    const std::string error = Turn(alarm_.TimeoutNs(due_ns));
    if (!error.empty()) return error;
  }
  return "";
}

std::string Churn::Turn(int64_t timeout_ns) {
  ++tally_.calls.wait;
  const Result<int> waited =
      selector_.Select(ring_.data(), static_cast<int>(ring_.size()), timeout_ns);
  if (!waited.ok()) {
    if (waited.error().errno_value == EINTR) return "";
    return Format("%s: %s", waited.error().syscall, std::strerror(waited.error().errno_value));
  }
  for (int i = 0; i < waited.value(); ++i) {
    const ReadyEvent& event = ring_[static_cast<size_t>(i)];
    const bool current = selector_.Generation(event.fd) == event.generation;
    if (event.fd != alarm_.fd() && current) OnEvent(by_fd_[static_cast<size_t>(event.fd)]);
  }
  return "";
}

void Churn::StartIdle() {
  // Only those that are idle now: one that fails at once comes after the pause.
  for (size_t left = idle_.size(); left > 0 && MonotonicNs() >= not_before_ns_; --left) {
    const uint32_t id = idle_.back();
    idle_.pop_back();
    Start(id);
  }
}

void Churn::Start(uint32_t id) {
  Slot& slot = slots_[id];
  slot.began_ns = MonotonicNs();
  slot.sent = slot.received = 0;
  slot.state = State::kConnecting;
  protocol_->Begin(id);
  Result<OwnedFd> fd = ConnectTcp(address_.value(), sources_.For(first_id_ + id));
  if (!fd.ok()) return Fail(id, fd.error().errno_value);
  // Both fail only on a socket that has failed already, which the next call says.
  (void)SetNoDelay(fd.value().get()).ok();
  if (options_.Resets()) (void)SetResetOnClose(fd.value().get()).ok();
  slot.fd = fd.value().Release();
  const size_t index = static_cast<size_t>(slot.fd);
  if (index >= by_fd_.size()) by_fd_.resize(index * 2);
  by_fd_[index] = id;
  if (tls_ != nullptr) {
    tls_->Begin(id, slot.fd);
    return Shake(id);
  }
  if (!Echoes(slot)) return Watch(id, kWrite);
  Speak(id);
}

/** Takes the handshake on; once it is over, the request follows, or the cycle has ended. */
void Churn::Shake(uint32_t id) {
  slots_[id].state = State::kShaking;
  int error = 0;
  switch (tls_->Shake(id, &error)) {
    case Tls::Step::kDone:
      return Echoes(slots_[id]) ? Speak(id) : Finish(id);
    case Tls::Step::kWantsRead:
      return Watch(id, kRead);
    case Tls::Step::kWantsWrite:
      return Watch(id, kWrite);
    case Tls::Step::kEnded:
    case Tls::Step::kFailed:
      return Fail(id, error != 0 ? error : ECONNRESET);
  }
}

/** The first bytes of a cycle: ours, unless the server has a greeting. */
void Churn::Speak(uint32_t id) {
  Slot& slot = slots_[id];
  if (protocol_->Speaks(id)) {
    slot.state = State::kReceiving;
    return Watch(id, kRead);
  }
  // Over loopback it is connected by now; if not, the send says EAGAIN, or ENOTCONN on macOS.
  slot.state = State::kSending;
  SendMore(id);
}

bool Churn::Echoes(const Slot& slot) const {
  return options_.churn_echo != 0 || slot.cycle % kCyclesPerEcho == kCyclesPerEcho - 1;
}

void Churn::OnEvent(uint32_t id) {
  switch (slots_[id].state) {
    case State::kConnecting: {
      const int error = SocketError(slots_[id].fd);
      return error == 0 ? Finish(id) : Fail(id, error);
    }
    case State::kShaking:
      return Shake(id);
    case State::kSending:
      if (slots_[id].sent > 0) ReceiveMore(id);
      if (slots_[id].state == State::kSending) SendMore(id);
      return;
    case State::kReceiving:
      return ReceiveMore(id);
    case State::kIdle:
      return;
  }
}

void Churn::SendMore(uint32_t id) {
  Slot& slot = slots_[id];
  const Exchange exchange = ExchangeOf(id);
  const size_t whole = protocol_->RequestBytes(exchange);
  while (slot.sent < whole) {
    const size_t part = std::min(whole - slot.sent, buffer_.size());
    protocol_->Fill(exchange, slot.sent, buffer_.data(), part);
    ++tally_.calls.send;
    const ssize_t taken = tls_ != nullptr ? tls_->Send(id, buffer_.data(), part)
                                          : Send(slot.fd, buffer_.data(), part);
    if (taken == -EAGAIN || taken == -EWOULDBLOCK) {
      // The echo of what was sent may have to make room first.
      return Watch(id, slot.sent > 0 ? kRead | kWrite : kWrite);
    }
    if (taken == -ENOTCONN && slot.sent == 0 && SocketError(slot.fd) == 0) return Watch(id, kWrite);
    if (taken < 0) return Fail(id, static_cast<int>(-taken));
    if (slot.sent == 0) {
      slot.sent_ns = MonotonicNs();
      ++window_->sent;
    }
    slot.sent += static_cast<uint32_t>(taken);
  }
  slot.state = State::kReceiving;
  Watch(id, kRead);
}

void Churn::ReceiveMore(uint32_t id) {
  Slot& slot = slots_[id];
  for (;;) {
    ++tally_.calls.recv;
    const ssize_t length = tls_ != nullptr ? tls_->Receive(id, buffer_.data(), buffer_.size())
                                           : Receive(slot.fd, buffer_.data(), buffer_.size());
    if (length == -EAGAIN || length == -EWOULDBLOCK) return;
    if (length <= 0) return OnPeerEnd(id, static_cast<int>(-length));
    if (Take(id, buffer_.data(), static_cast<size_t>(length))) return;
    if (static_cast<size_t>(length) < buffer_.size()) return;
  }
}

/** The peer has ended the connection: `error` is 0 for a FIN, else recv(2)'s. */
void Churn::OnPeerEnd(uint32_t id, int error) {
  const Slot& slot = slots_[id];
  if (error == EPROTO && tls_ != nullptr) return Fail(id, error);
  const Taken taken = protocol_->End(id, ExchangeProgress{slot.sent, slot.received}, error != 0);
  if (taken.faulty && options_.protocol.name != ProtocolName::kEcho) {
    NoteFault(&tally_, id, {taken.fault});
  }
  if (taken.complete) return Finish(id);
  Fail(id, error != 0 ? error : ECONNRESET);
}

/** Takes received bytes. @returns whether nothing more is to be read for now. */
bool Churn::Take(uint32_t id, const unsigned char* data, size_t length) {
  Slot& slot = slots_[id];
  const Taken taken =
      protocol_->Take(id, ExchangeOf(id), ExchangeProgress{slot.sent, slot.received}, data, length);
  slot.received += static_cast<uint32_t>(taken.bytes);
  const unsigned char* rest = data + taken.skipped + taken.bytes;
  const size_t left = length - taken.skipped - taken.bytes;
  const bool extra = taken.complete && left > 0;
  if (taken.faulty) NoteFault(&tally_, id, {taken.fault, 1, Quoted(rest, left)});
  if (extra) NoteFault(&tally_, id, {Fault::kDoubled, 1, Quoted(rest, left)});
  if (taken.broken || extra) {
    Fail(id, EBADMSG);
  } else if (taken.complete) {
    Finish(id);
  } else if (left > 0) {
    return Take(id, rest, left);
  } else if (taken.skipped > 0 && !protocol_->Speaks(id)) {
    slot.state = State::kSending;
    SendMore(id);
    return true;
  }
  return taken.broken || taken.complete;
}

void Churn::Watch(uint32_t id, int32_t interest) {
  const int fd = slots_[id].fd;
  const int32_t now = selector_.Interest(fd);
  if (now == interest) return;
  int error = 0;
  if (now != 0) {
    error = selector_.Modify(fd, interest).error().errno_value;
  } else {
    error = selector_.Register(fd, interest).error().errno_value;
  }
  if (error != 0) Fail(id, error);
}

void Churn::Finish(uint32_t id) {
  Slot& slot = slots_[id];
  last_finished_ns_ = MonotonicNs();
  const int64_t ns = last_finished_ns_ - slot.began_ns;
  if (options_.churn_echo != 0 || !Echoes(slot)) {
    window_->latency.Record(ns);
    window_->latency_uncorrected.Record(ns);
  }
  const int64_t within_ns = options_.answer_within_ms * kNsPerMs;
  const bool late = within_ns > 0 && slot.sent > 0 && last_finished_ns_ - slot.sent_ns > within_ns;
  if (late) NoteFault(&tally_, id, {Fault::kLate});
  ++window_->intended;
  ++window_->completed;
  ++tally_.completed;
  ++tally_.cycles;
  ++slot.cycle;
  Close(id);
  idle_.push_back(id);
}

void Churn::Fail(uint32_t id, int error) {
  last_error_ = error;
  if (error == EPROTO && tls_ != nullptr && tally_.CountFault(Fault::kTls)) {
    tally_.SetFaultDetail(Fault::kTls, tls_->failure());
  }
  ++window_->intended;
  ++window_->errors;
  not_before_ns_ = MonotonicNs() + kPauseAfterRefusalNs;
  Close(id);
  idle_.push_back(id);
}

void Churn::Close(uint32_t id) {
  Slot& slot = slots_[id];
  slot.state = State::kIdle;
  if (tls_ != nullptr) tls_->End(id);
  if (slot.fd < 0) return;
  // ENOENT: it failed before it was watched.
  (void)selector_.Unregister(slot.fd).ok();
  OwnedFd(slot.fd).Reset();
  slot.fd = -1;
}

void Churn::NoteFault(Tally* tally, uint32_t id, const Faulty& found) const {
  const auto& [fault, answers, quoted] = found;
  if (!tally->CountFault(fault, answers)) return;
  const ExchangeProgress progress{slots_[id].sent, slots_[id].received};
  tally->SetFaultDetail(
      fault, protocol_->Explain(id, ExchangeOf(id), progress, fault, std::string(quoted)));
}

}  // namespace io_selectors
