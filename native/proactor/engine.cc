#include "proactor/engine.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <new>
#include <utility>

#include "core/memory.h"
#include "core/owned_fd.h"
#include "core/timeout.h"

namespace io_selectors {

namespace {

bool IsWrite(SubmissionKind kind) {
  return kind == SubmissionKind::kWriteOutbound || kind == SubmissionKind::kWriteInbound;
}

}  // namespace

Engine::Engine(const Rings& rings)
    : rings_(rings), next_write_(static_cast<size_t>(rings.submission_capacity), -1) {}

Result<int32_t> Engine::Adopt(int fd, const SlotOptions& options) {
  const Result<Slot*> opened = Open(fd, options);
  if (!opened.ok()) return opened.error();
  const Result<void> started = TimeIdle(fd, options.idle_ms) ? Start(fd) : Error{ENOMEM, "adopt"};
  if (started.ok()) return At(fd).life;
  Forget(fd);
  return started.error();
}

size_t Engine::Write(int slot, const uint8_t* data, size_t length) {
  Flush();
  MarkTime();
  const Slot* found = Find(slot);
  if (found == nullptr || !found->Has(kWrites)) return 0;
  // The kernel takes no more than this in one call (write(2)).
  constexpr size_t kMostBytes = 0x7ffff000;
  for (size_t at = 0; at < length;) {
    const size_t part = std::min(length - at, kMostBytes);
    const iovec bytes{const_cast<uint8_t*>(data) + at, part};
    SendOrQueue(slot, &bytes, 1, part);
    if (Find(slot) == nullptr) return 0;
    at += part;
  }
  Flushed();
  return Find(slot) == nullptr ? 0 : At(slot).queued();
}

void Engine::Flush() {
  TakeSubmissions();
  Flushed();
}

void Engine::TakeSubmissions() {
  const int32_t count = std::min(rings_.head->submissions, rings_.submission_capacity);
  if (count <= 0) return;
  MarkTime();
  const RingSubmission& first = rings_.submissions[0];
  if (count == 1 && IsWrite(first.label.kind())) {  // nothing to join
    const iovec part{const_cast<uint8_t*>(BytesOf(first)), static_cast<size_t>(first.length)};
    if (IsCurrent(first) && IsInside(first)) {
      SendOrQueue(first.slot, &part, 1, part.iov_len);
    }
    return EmptySubmissions();
  }
  for (int32_t i = 0; i < count; ++i) {
    const RingSubmission& submission = rings_.submissions[i];
    if (!IsWrite(submission.label.kind())) {
      controls_.push_back(i);
    } else if (IsCurrent(submission) && IsInside(submission)) {
      Link(i);
    }
  }
  for (const int32_t slot : writers_) SendLinked(slot);
  writers_.clear();
  // After all writes: nothing is written to a slot behind its own end.
  for (const int32_t i : controls_) Control(rings_.submissions[i]);
  controls_.clear();
  EmptySubmissions();
}

void Engine::EmptySubmissions() {
  RingHead& head = *rings_.head;
  head.submissions = 0;
  head.outbound_bytes = 0;
  head.flushes = static_cast<int32_t>(static_cast<uint32_t>(head.flushes) + 1);
}

void Engine::Link(int32_t index) {
  Slot& slot = At(rings_.submissions[index].slot);
  next_write_[static_cast<size_t>(index)] = -1;
  if (slot.first_write < 0) {
    slot.first_write = static_cast<int16_t>(index);
    writers_.push_back(rings_.submissions[index].slot);
  } else {
    next_write_[static_cast<size_t>(slot.last_write)] = index;
  }
  slot.last_write = static_cast<int16_t>(index);
}

bool Engine::IsInside(const RingSubmission& submission) const {
  const bool inbound = submission.label.kind() == SubmissionKind::kWriteInbound;
  const size_t bytes = inbound ? rings_.inbound_bytes : rings_.outbound_bytes;
  return submission.offset >= 0 && submission.length > 0 &&
         static_cast<size_t>(submission.offset) + static_cast<size_t>(submission.length) <= bytes;
}

const uint8_t* Engine::BytesOf(const RingSubmission& submission) const {
  const bool inbound = submission.label.kind() == SubmissionKind::kWriteInbound;
  return (inbound ? rings_.inbound : rings_.outbound) + submission.offset;
}

void Engine::SendLinked(int32_t slot) {
  int32_t index = At(slot).first_write;
  At(slot).first_write = At(slot).last_write = -1;
  while (index >= 0) {
    int count = 0;
    size_t length = 0;
    for (; index >= 0; index = next_write_[static_cast<size_t>(index)]) {
      const RingSubmission& submission = rings_.submissions[index];
      const size_t part = static_cast<size_t>(submission.length);
      auto* bytes = const_cast<uint8_t*>(BytesOf(submission));
      if (count > 0) {
        iovec& last = parts_[static_cast<size_t>(count - 1)];
        if (static_cast<uint8_t*>(last.iov_base) + last.iov_len == bytes) {
          last.iov_len += part;
          length += part;
          continue;
        }
      }
      if (count == kMostParts) break;
      parts_[static_cast<size_t>(count++)] = iovec{bytes, part};
      length += part;
    }
    SendOrQueue(slot, parts_.data(), count, length);
    if (Find(slot) == nullptr) return;
  }
}

void Engine::SendOrQueue(int32_t slot, const iovec* parts, int count, size_t length) {
  const Slot& at = At(slot);
  if (!at.Has(kWrites) || at.Has(kEnding)) return;
  if (at.queued() == 0) return Send(slot, parts, count, length);
  Queue(slot, parts, count, 0);
  EmitQueued(slot);
}

void Engine::Queue(int32_t slot, const iovec* parts, int count, size_t skipped) {
  if (Find(slot) == nullptr) return;  // ended meanwhile: nothing is sent any more
  Slot& at = At(slot);
  if (at.queue == nullptr) at.queue.reset(new (std::nothrow) SendQueue());
  bool kept = at.queue != nullptr;
  for (int i = 0; kept && i < count; ++i) {
    const size_t skip = std::min(skipped, parts[i].iov_len);
    skipped -= skip;
    kept = at.queue->Append(static_cast<const uint8_t*>(parts[i].iov_base) + skip,
                            parts[i].iov_len - skip);
  }
  if (!kept) Fail(slot, ENOMEM, true);  // this peer is lost, and not the server
}

void Engine::Control(const RingSubmission& submission) {
  const int32_t slot = submission.slot;
  if (!IsCurrent(submission)) return;  // its kClosed is on the way
  switch (submission.label.kind()) {
    case SubmissionKind::kEnd:
      At(slot).Add(kEnding);
      return EndIfSent(slot);
    case SubmissionKind::kDestroy:
      return Fail(slot, 0);
    case SubmissionKind::kPause:
      At(slot).Add(kPaused);
      return Settle(slot);
    case SubmissionKind::kResume:
      At(slot).Drop(kPaused);
      return Settle(slot);
    case SubmissionKind::kReport:
      if (At(slot).Has(kSendsAtOnce)) return At(slot).Add(kReports);
      return EmitQueued(slot);
    case SubmissionKind::kIdleTimeout:
      if (!TimeIdle(slot, submission.length)) Fail(slot, ENOMEM);
      return;
    case SubmissionKind::kMoreAccepts:
      return AcceptMore(slot, submission.length);
    case SubmissionKind::kWriteOutbound:
    case SubmissionKind::kWriteInbound:
      return;  // linked before
  }
}

void Engine::EndIfSent(int32_t slot) {
  const Slot& at = At(slot);
  if (at.Has(kSendsAtOnce)) return EndsLater();
  if (at.Has(kEnding) && at.queued() == 0) EndSending(slot);
}

void Engine::EndSending(int32_t slot) {
  Slot& at = At(slot);
  if (!at.Has(kWrites)) return;
  at.Drop(kWrites);
  // ENOTCONN: the peer has reset, which the next receive reports.
  if (at.Has(kSocket)) shutdown(slot, SHUT_WR);
  CloseIfBothEnded(slot);
}

void Engine::CloseIfBothEnded(int32_t slot) {
  if (!At(slot).Has(kReads | kWrites)) Fail(slot, 0);
}

void Engine::PeerEnded(int32_t slot) {
  if (At(slot).Has(kCutOff)) return Fail(slot, At(slot).error, true);
  At(slot).Drop(kReads);
  Emit(slot, CompletionKind::kEnd, 0, 0);
  Settle(slot);
  CloseIfBothEnded(slot);
}

void Engine::QueueShrank(int32_t slot) {
  Slot& at = At(slot);
  EmitQueued(slot);
  if (at.queued() > 0) return;
  at.queue.reset();  // most connections never need it
  EndIfSent(slot);
}

void Engine::Fail(int32_t slot, int error, bool sending) {
  Slot& at = At(slot);
  if (at.phase != Phase::kServing) return;
  at.phase = Phase::kLeaving;
  if (!at.Has(kSendRefused)) at.error = static_cast<int16_t>(error);
  if (sending) at.Add(kSendRefused);
  at.Drop(kReads | kWrites);
  DropQueue(at);
  idle_.Set(slot, 0, 0);
  if (Listener* listener = FindListener(slot)) StopAccepting(*listener);
  Leave(slot);
}

void Engine::Closed(int32_t slot) {
  const Slot& at = At(slot);
  Emit(slot, CompletionKind::kClosed, at.Has(kSendRefused) ? 1 : 0, -at.error);
  freed_ = true;
  Forget(slot);
}

void Engine::Forget(int32_t slot) {
  if (At(slot).Has(kListening)) {
    const auto is_it = [slot](const Listener& listener) { return listener.slot == slot; };
    listeners_.erase(std::remove_if(listeners_.begin(), listeners_.end(), is_it), listeners_.end());
  }
  idle_.Set(slot, 0, 0);
  At(slot) = Slot();
}

Result<Engine::Slot*> Engine::Open(int32_t slot, const SlotOptions& options) {
  if (!GrowTo(slots_, static_cast<size_t>(slot))) return Error{ENOMEM, "adopt"};
  Slot& opened = At(slot);
  if (opened.phase != Phase::kFree) return Error{EEXIST, "adopt"};
  opened.life = NextLife();
  opened.phase = Phase::kServing;
  opened.Add((options.reads ? kReads : 0) | (options.writes ? kWrites : 0) |
             (options.socket ? kSocket : 0) | (options.paused ? kPaused : 0));
  return &opened;
}

/** Not a listener's, which what it accepts names without its slot. */
int32_t Engine::NextLife() {
  const auto has_it = [this](const Listener& listener) {
    return At(listener.slot).life == last_life_;
  };
  do {
    last_life_ = last_life_ == RingLabel<CompletionKind>::kMostLives ? 1 : last_life_ + 1;
  } while (std::any_of(listeners_.begin(), listeners_.end(), has_it));
  return last_life_;
}

void Engine::Emit(int32_t slot, CompletionKind kind, int32_t offset, int32_t length) {
  const RingCompletion completion{slot, {kind, At(slot).life}, offset, length};
  if (!HasRoom()) {
    backlog_.push_back(completion);
  } else {
    rings_.completions[count_++] = completion;
  }
}

void Engine::EmitQueued(int32_t slot) {
  if (Find(slot) == nullptr) return;
  const uint64_t queued = At(slot).queued();
  Emit(slot, CompletionKind::kQueued, static_cast<int32_t>(queued >> 32),
       static_cast<int32_t>(static_cast<uint32_t>(queued)));
}

int64_t Engine::UntilDueNs() {
  times_anew_ = false;
  int64_t due = -1;
  if (!idle_.empty()) {
    const int64_t until_ms = idle_.UntilNextMs(IdleTimers::NowMs());
    due = until_ms < 0 ? -1 : until_ms * kNsPerMs;
  }
  if (!paused_listener_) return due;
  const int64_t now = MonotonicNs();
  for (const Listener& listener : listeners_) {
    if (listener.again_at_ns == 0) continue;
    due = Sooner(due, std::max<int64_t>(0, listener.again_at_ns - now));
  }
  return due;
}

void Engine::BeginTurn() {
  // What was reported before is known now; what a flush has reported since moves to the front.
  std::copy(rings_.completions + delivered_, rings_.completions + count_, rings_.completions);
  count_ -= delivered_;
  delivered_ = 0;
  if (backlog_.empty()) return;
  const int room = rings_.completion_capacity - count_;
  const int moved = std::min(room, static_cast<int>(std::min<size_t>(backlog_.size(), 1u << 30)));
  std::copy(backlog_.begin(), backlog_.begin() + moved, rings_.completions + count_);
  backlog_.erase(backlog_.begin(), backlog_.begin() + moved);
  count_ += moved;
}

Result<int> Engine::Turn(int64_t timeout_ns) {
  BeginTurn();
  TakeSubmissions();
  const bool freed = std::exchange(freed_, false);
  if (paused_listener_) ResumeAccepting(freed);
  int64_t timeout = count_ > 0 || HasMore() ? 0 : timeout_ns;
  // What was submitted may have set a timeout that the program's own does not know.
  if (timeout != 0 && times_anew_) timeout = Sooner(timeout, UntilDueNs());
  const Result<void> waited = WaitAndReceive(timeout);
  if (paused_listener_) ResumeAccepting(false);
  if (!idle_.empty()) ExpireIdle();
  if (!waited.ok() && (waited.error().errno_value != EINTR || count_ == 0)) return waited.error();
  delivered_ = count_;
  rings_.head->completions = count_;
  return count_;
}

void Engine::ExpireIdle() {
  MarkTime();
  idle_.Expire(now_ms_, [this](int32_t slot) { Emit(slot, CompletionKind::kIdle, 0, 0); });
}

}  // namespace io_selectors
