// How an engine accepts: it takes as many connections as there is room for, and pauses for lack of
// descriptors or memory. Schmidt's Acceptor. accept(2)

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "core/owned_fd.h"
#include "core/timeout.h"
#include "proactor/engine.h"

namespace io_selectors {

namespace {

/** How long accepting pauses for lack of descriptors or memory while no connection closes. */
constexpr int64_t kAcceptPauseNs = 100 * kNsPerMs;

}  // namespace

Result<int32_t> Engine::Listen(int fd, const ListenerOptions& options) {
  int listens = 0;
  socklen_t length = sizeof(listens);
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0) {
    return LastError("getsockopt");
  }
  if (listens == 0) return Error{EINVAL, "accept"};
  SlotOptions slot;
  slot.reads = slot.writes = false;
  const Result<Slot*> opened = Open(fd, slot);
  if (!opened.ok()) return opened.error();
  opened.value()->Add(kListening);
  listeners_.push_back(Listener{fd, options, false, 0});
  const Result<void> started =
      options.room == 0 ? Result<void>{} : StartAccepting(listeners_.back());
  if (started.ok()) return At(fd).life;
  Forget(fd);
  return started.error();
}

void Engine::AcceptMore(int32_t slot, int32_t count) {
  Listener* listener = FindListener(slot);
  if (listener == nullptr) return;
  const bool was_full = listener->options.room == 0;
  listener->options.room += count;
  if (!was_full || listener->again_at_ns != 0) return;
  const Result<void> started = StartAccepting(*listener);
  if (!started.ok()) AcceptRefused(*listener, started.error().errno_value);
}

void Engine::Accepted(Listener& listener, int fd) {
  SlotOptions options;
  options.paused = listener.options.paused;
  const int32_t listening = listener.slot;
  if (!Open(fd, options).ok()) return OwnedFd(fd).Reset();  // no memory: this peer is lost
  if (listener.options.room > 0 && --listener.options.room == 0) StopAccepting(listener);
  Emit(fd, CompletionKind::kAccepted, listening, At(listening).life);
  if (!TimeIdle(fd, listener.options.idle_ms)) return Fail(fd, ENOMEM);
  const Result<void> started = Start(fd);
  if (!started.ok()) Fail(fd, started.error().errno_value);
}

void Engine::AcceptRefused(Listener& listener, int error) {
  const bool lacks =
      error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS || error == ENOSPC;
  if (!lacks) return Fail(listener.slot, error);
  StopAccepting(listener);
  listener.again_at_ns = MonotonicNs() + kAcceptPauseNs;
  paused_listener_ = true;
  times_anew_ = true;  // it may be refused after the turn has asked how long to wait
}

void Engine::ResumeAccepting(bool freed) {
  const int64_t now = MonotonicNs();
  paused_listener_ = false;
  for (Listener& listener : listeners_) {
    if (listener.again_at_ns == 0) continue;
    if (freed || listener.again_at_ns <= now) {
      listener.again_at_ns = 0;
      if (listener.options.room != 0 && !StartAccepting(listener).ok()) {
        listener.again_at_ns = now + kAcceptPauseNs;
      }
    }
    paused_listener_ = paused_listener_ || listener.again_at_ns != 0;
  }
}

}  // namespace io_selectors
