#include "echo_server/acceptor.h"

#include <cerrno>

#include "echo_server/report.h"

namespace io_selectors {

Result<void> Acceptor::Watch() {
  RegisterOptions options;
  options.exclusive = shared();
  const Result<int32_t> listening = selector_.Register(server_.listener.get(), kRead, options);
  if (!listening.ok()) return listening.error();
  return {};
}

int64_t Acceptor::TimeoutNs() {
  if (!paused_ || resume_at_ns_ == kForever) return kForever;
  const int64_t left = resume_at_ns_ - MonotonicNs();
  if (left > 0) return left;
  Resume();
  return paused_ ? kAcceptPauseNs : kForever;
}

void Acceptor::Pause(int error) {
  // Registered, so it cannot fail.
  (void)selector_.Unregister(server_.listener.get()).ok();
  paused_ = true;
  // EMFILE is ours alone: coming back before a close of ours would only take wakes that are meant
  // for those with room. accept(2) looks for a descriptor first, so it refuses in the same turn in
  // which it gave the last one; where that one ended a batch, the next wake is lost on us, and the
  // connection waits until another one comes.
  const bool waits_for_close = shared() && error == EMFILE;
  resume_at_ns_ = waits_for_close ? kForever : MonotonicNs() + kAcceptPauseNs;
  SayOnce(&said_, "accept", error);
}

void Acceptor::Resume() {
  paused_ = !Watch().ok();
  if (paused_) resume_at_ns_ = MonotonicNs() + kAcceptPauseNs;
}

}  // namespace io_selectors
