#include "proactor/io_uring_sender.h"

#ifdef IO_SELECTORS_HAS_IO_URING

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/timeout.h"

namespace io_selectors {

namespace {

bool PeerHasEnded(int fd) {
  pollfd watched{fd, POLLRDHUP, 0};
  return poll(&watched, 1, 0) > 0 && (watched.revents & POLLRDHUP) != 0;
}

}  // namespace

Result<void> IoUringSender::Submit(uint32_t least, int64_t timeout_ns) {
  if (!refused_.ok()) return refused_;
  Result<void> entered = ring_->Enter(least, timeout_ns);
  if (ring_->unsubmitted() == 0) return entered;
  const int64_t deadline = MonotonicNs() + kNsPerSecond;
  while (ring_->unsubmitted() > 0 && MonotonicNs() < deadline) entered = ring_->Enter(0, 0);
  if (ring_->unsubmitted() == 0) return entered;
  refused_ = entered.ok() ? Error{EAGAIN, "io_uring_enter"} : entered;
  submit_.Drop();
  return refused_;
}

void IoUringSender::Send(int32_t slot, const iovec* parts, int count, size_t length) {
  Slot& at = At(slot);
  // A second call of one flush waits: the first may leave something over.
  if (at.Has(kSendsAtOnce)) return Queue(slot, parts, count, 0);
  at.Add(kSendsAtOnce);
  counters_.bytes_sent += length;
  AtOnce send{slot, count, length, parts[0], nullptr};
  if (count > 1) {
    messages_.emplace_back();
    send.message = &messages_.back();
    std::copy(parts, parts + count, send.message->parts);
  }
  submit_.SendAtOnce(slot, send.message, send.part, {static_cast<int32_t>(sends_.size()), count});
  sends_.push_back(send);
}

/** After they have entered the kernel, which completes each of them at once. */
void IoUringSender::FinishSends() {
  ends_ = false;
  if (sends_.empty() || !refused_.ok()) return;
  finishing_.swap(sends_);
  for (const AtOnce& send : finishing_) {
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
  finishing_.clear();
  messages_.clear();
}

/** One of them has failed, or has left something over. */
void IoUringSender::OnSentAtOnce(const Completion& completion) {
  const AtOnce& send = sends_[static_cast<size_t>(MarkOf(completion))];
  const bool full = completion.result == -EAGAIN || completion.result == -EINTR;
  if (completion.result < 0 && !full) {
    counters_.bytes_sent -= send.length;
    return RefuseSend(send.slot, -completion.result);
  }
  const size_t sent = completion.result < 0 ? 0 : static_cast<size_t>(completion.result);
  if (sent == send.length) return;
  counters_.bytes_sent -= send.length - sent;
  PutBefore(send, sent);
}

void IoUringSender::RefuseSend(int32_t slot, int error) {
  Slot* at = Find(slot);
  if (at == nullptr) return;
  if (!at->Has(kReads) || at->Has(kPaused)) return Fail(slot, error, true);
  at->Drop(kWrites);
  DropQueue(*at);
  at->error = static_cast<int16_t>(error);
  at->Add(kSendRefused);
  if (error == EPIPE && PeerHasEnded(slot)) return;
  at->Add(kCutOff);
  shutdown(slot, SHUT_RD);  // the receive ends after what is there, also if the peer is alive
}

/** What was left over goes before what the same flush has queued behind it. */
void IoUringSender::PutBefore(const AtOnce& send, size_t sent) {
  std::unique_ptr<SendQueue> behind = std::move(At(send.slot).queue);
  Queue(send.slot, send.message == nullptr ? &send.part : send.message->parts, send.count, sent);
  if (behind == nullptr) return;
  iovec part[1];
  while (behind->Gather(part, 1) == 1) {
    Queue(send.slot, part, 1, 0);
    behind->Consume(part[0].iov_len);
  }
}

void IoUringSender::SendQueued(int32_t slot) {
  iovec part[1];
  Slot& at = At(slot);
  if (at.queue->Gather(part, 1) == 0) return;
  at.Add(kSending);
  submit_.SendQueued(OwnerOf(slot), part[0]);
}

void IoUringSender::OnSentQueued(const Completion& completion) {
  if (!IsCurrent(completion)) return;
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
    RefuseSend(slot, -completion.result);
  }
  if (Find(slot) != nullptr) Settle(slot);
  CloseIfDone(slot);
}

void IoUringSender::SettleSending(int32_t slot) {
  const Slot& at = At(slot);
  if (at.phase == Phase::kLeaving && at.Has(kSending)) {
    submit_.Cancel(Operation::kSendQueued, OwnerOf(slot));
  }
  if (at.phase != Phase::kServing || at.queued() == 0) return;
  if (!at.Has(kSending | kSendsAtOnce)) SendQueued(slot);
}

}  // namespace io_selectors

#endif  // IO_SELECTORS_HAS_IO_URING
