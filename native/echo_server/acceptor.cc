#include "echo_server/acceptor.h"

#include <cerrno>

#include "echo_server/report.h"

namespace io_selectors {

Result<void> Acceptor::Start() {
  if (sharing_.shared()) {
    RegisterOptions edge;
    edge.mode = Mode::kEdge;  // nobody reads it: each write is an edge to all
    const Result<int32_t> nudge = selector_.Register(sharing_.nudge, kRead, edge);
    if (!nudge.ok()) return nudge.error();
  }
  return Watch();
}

void Acceptor::OnNudge() {
  // Registering looks anew: EPOLLEXCLUSIVE had woken somebody else for what is there.
  if (paused_ || !selector_.Unregister(server_.listener.get()).ok()) return;
  if (!Watch().ok()) Pause(ENOMEM);
}

int64_t Acceptor::TimeoutNs() {
  if (!paused_ || resume_at_ns_ == kForever) return kForever;
  const int64_t left = resume_at_ns_ - MonotonicNs();
  if (left > 0) return left;
  Resume();
  return paused_ ? kAcceptPauseNs : kForever;
}

Result<void> Acceptor::Watch() {
  RegisterOptions options;
  options.exclusive = sharing_.shared();
  const Result<int32_t> listening = selector_.Register(server_.listener.get(), kRead, options);
  if (!listening.ok()) return listening.error();
  return {};
}

void Acceptor::Pause(int error) {
  // Registered but where OnNudge() has failed, so it cannot fail.
  (void)selector_.Unregister(server_.listener.get()).ok();
  paused_ = true;
  // EMFILE is ours alone: coming back before a close of ours would only take, again and again, the
  // wakes that are meant for those with room.
  const bool waits_for_close = sharing_.shared() && error == EMFILE;
  resume_at_ns_ = waits_for_close ? kForever : MonotonicNs() + kAcceptPauseNs;
  SayOnce(&said_, "accept", error);
  if (!sharing_.shared()) return;
  const uint64_t one = 1;
  // Fails only where the count is full, and then all have been told.
  const ssize_t written = write(sharing_.nudge, &one, sizeof(one));
  (void)written;
}

void Acceptor::Resume() {
  paused_ = !Watch().ok();
  if (paused_) resume_at_ns_ = MonotonicNs() + kAcceptPauseNs;
}

}  // namespace io_selectors
