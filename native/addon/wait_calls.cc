// How TypeScript waits: blocking this thread, hosting Node's loop, or beside it as a promise; and
// how any thread wakes it. Source of the contract: src/native.ts.

#include <algorithm>
#include <cmath>

#include "addon/calls.h"
#include "core/timeout.h"

namespace io_selectors {

namespace {

/** Milliseconds from TypeScript, where below 0 is forever; fractions round up, and what no kernel
 * takes is clamped. */
int64_t ToNanoseconds(double timeout_ms) {
  constexpr double kLongestMs = 1e12;  // thirty years
  if (timeout_ms < 0) return kForever;
  return static_cast<int64_t>(std::ceil(std::fmin(timeout_ms, kLongestMs) * 1e6));
}

/** Whether this thread's JavaScript is being ended (worker.terminate, process.exit): calling into
 * it then fails. */
bool LeavesNow(const Call& call) {
  napi_value nothing = nullptr;
  napi_value receiver = nullptr;
  napi_get_reference_value(call.env(), call.environment().nothing, &nothing);
  napi_get_undefined(call.env(), &receiver);
  return napi_call_function(call.env(), receiver, nothing, 0, nullptr, nullptr) != napi_ok;
}

/** While this thread itself waits: Node's loop ends the wait, and does not watch the selector. */
class BlockingWait {
 public:
  explicit BlockingWait(OpenSelector& open) : open_(open) {
    was_watched_ = open.watch != nullptr && open.watch->armed();
    if (was_watched_) open.watch->Pause();
    hosted_ = open.host.SetHosting(Hosting::kEdge);
  }
  ~BlockingWait() {
    if (!was_watched_) return;
    // A refusal shows in the watch that cannot be armed then.
    (void)open_.host.SetHosting(Hosting::kApart).ok();
    open_.watch->Resume();
  }
  BlockingWait(const BlockingWait&) = delete;
  BlockingWait& operator=(const BlockingWait&) = delete;

  const Result<void>& hosted() const { return hosted_; }

 private:
  OpenSelector& open_;
  bool was_watched_;
  Result<void> hosted_;
};

/** Takes what ended the wait from outside and tells it to TypeScript in the ring's head. */
HostLoop::Ready TakeWake(OpenSelector& open, bool interrupted) {
  if (interrupted) return HostLoop::Ready{true, false};
  if (!open.selector->Woken()) return {};
  return open.host.Drain();
}

void SetHead(OpenSelector& open, const HostLoop::Ready& ready, bool for_ticks = false) {
  open.ring[0].fd = (ready.host ? kEndedByHost : 0) | (ready.waker ? kEndedByWaker : 0) |
                    (for_ticks ? kEndedForTicks : 0);
}

/** The environment's Turn, made when it is first needed; nullptr where the environment is ending.
 */
Turn* TurnOf(const Call& call) {
  Environment& environment = call.environment();
  if (environment.turn == nullptr) environment.turn = Turn::Make(call.env(), environment.loop);
  return environment.turn;
}

/**
 * Whether Node's loop has work that no descriptor tells of: a handle that it has not handed to the
 * kernel yet (a signal's, say), an immediate. Said once a turn, so that a caller who never yields
 * does not spin.
 */
bool WantsTurnFirst(const Call& call) {
  Turn* turn = TurnOf(call);
  if (turn == nullptr) return false;
  Environment& environment = call.environment();
  turn->Hold(true);  // a loop that nothing keeps alive always wants a turn
  const bool wants = uv_backend_timeout(environment.loop) == 0;
  turn->Hold(false);
  const uint64_t now_ms = uv_now(environment.loop);
  if (!wants || environment.told_ms == now_ms) return false;
  environment.told_ms = now_ms;
  return true;
}

/** One wait, retried to its deadline: @returns the number of events, or -errno. */
int32_t WaitOnce(const Call& call, OpenSelector& open, int64_t timeout_ns) {
  const int64_t deadline = timeout_ns > 0 ? MonotonicNs() + timeout_ns : 0;
  int64_t remaining = timeout_ns;
  for (;;) {
    const Result<int> count =
        open.selector->Select(open.ring + kRingHeadEvents, open.capacity, remaining);
    const bool interrupted = !count.ok() && count.error().errno_value == EINTR;
    if (!count.ok() && !interrupted) return call.environment().Refuse(count.error());
    const HostLoop::Ready ready = TakeWake(open, interrupted);
    SetHead(open, ready);
    if (!interrupted && count.value() > 0) return count.value();
    if (timeout_ns == 0 || ready.waker) return 0;
    // Without a deadline the caller may yield to Node now; with one it is owed the whole time.
    if (timeout_ns < 0) {
      if (ready.host) return 0;
      continue;
    }
    if (ready.host && LeavesNow(call)) return 0;
    remaining = deadline - MonotonicNs();
    if (remaining <= 0) return 0;
  }
}

/** poll(id, timeoutMs): the number of ready events now in the ring, or -errno. */
napi_value Poll(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  if (open == nullptr) return call.Answer(-EBADF);
  int64_t timeout_ns = ToNanoseconds(call.Double(1));
  if (timeout_ns < 0 && WantsTurnFirst(call)) timeout_ns = 0;
  if (timeout_ns == 0) return call.Answer(WaitOnce(call, *open, 0));
  const BlockingWait blocking(*open);
  if (!blocking.hosted().ok()) {
    return call.Answer(call.environment().Refuse(blocking.hosted().error()));
  }
  return call.Answer(WaitOnce(call, *open, timeout_ns));
}

/** Bits of hostPoll's `owed`: what handlers that ran may have left to Node. */
constexpr int32_t kOwesTicks = 1;
constexpr int32_t kOwesTurn = 2;
/** Of what waits for Node, libuv knows all but the ticks, which are JavaScript's own queue... */
constexpr int64_t kLongestWithoutTicksNs = 10 * kNsPerMs;
/** ...and unhandled rejections. A turn costs as much as four messages. */
constexpr int64_t kLongestWithoutTurnNs = 100 * kNsPerMs;

/** Nanoseconds until Node has to have the thread: 0 now, kForever if nothing calls for it. */
struct UntilNode {
  int64_t turn = kForever;
  int64_t ticks = kForever;
};

int64_t Earlier(int64_t one_ns, int64_t other_ns) {
  if (one_ns < 0 || other_ns < 0) return std::max(one_ns, other_ns);
  return std::min(one_ns, other_ns);
}

UntilNode UntilNodeNs(const Call& call, const OpenSelector& open, int32_t owed, int64_t now_ns) {
  const Environment& environment = call.environment();
  const int64_t turned_ns = environment.turn->last_ns();
  UntilNode until;
  until.turn = open.host.NextTurnNs();
  if ((owed & kOwesTurn) != 0) {
    const int64_t left = std::max<int64_t>(0, turned_ns + kLongestWithoutTurnNs - now_ns);
    until.turn = Earlier(until.turn, left);
  }
  if ((owed & kOwesTicks) != 0) {
    const int64_t ticked_ns = std::max(turned_ns, environment.ticked_ns);
    until.ticks = std::max<int64_t>(0, ticked_ns + kLongestWithoutTicksNs - now_ns);
  }
  return until;
}

/**
 * hostPoll(id, timeoutMs, owed): poll that also ends when Node's loop wants a turn, or is owed one,
 * or the ticks are; the ring's head says so. May end early and empty.
 */
napi_value HostPoll(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  if (open == nullptr || call.environment().turn == nullptr) return call.Answer(-EBADF);
  const int32_t owed = call.Int(2);
  const int64_t now = MonotonicNs();
  UntilNode until = UntilNodeNs(call, *open, owed, now);
  const int64_t timeout = Earlier(ToNanoseconds(call.Double(1)), Earlier(until.turn, until.ticks));
  if (timeout > 0) {
    const Result<void> set = open->host.WakeBy(now + timeout);
    if (!set.ok()) return call.Answer(call.environment().Refuse(set.error()));
  }
  const Result<int> count = open->selector->Select(open->ring + kRingHeadEvents, open->capacity,
                                                   timeout > 0 ? kForever : timeout);
  const bool interrupted = !count.ok() && count.error().errno_value == EINTR;
  if (!count.ok() && !interrupted) return call.Answer(call.environment().Refuse(count.error()));
  const int32_t ready = interrupted ? 0 : count.value();
  HostLoop::Ready wake = TakeWake(*open, interrupted);
  // Asked again where nothing is ready: the time that ended the wait may have been Node's.
  if (!wake.host && ready == 0) until = UntilNodeNs(call, *open, owed, MonotonicNs());
  wake.host |= until.turn == 0;
  if (until.ticks == 0) call.environment().ticked_ns = now;
  SetHead(*open, wake, until.ticks == 0);
  return call.Answer(ready);
}

/**
 * host(id, on): whether this selector's waits host Node's loop. Its pending events then end waits
 * for as long as they are pending, not once each, and the loop stays alive.
 */
napi_value Host(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  Turn* turn = TurnOf(call);
  const bool on = call.Int(1) != 0;
  if (turn == nullptr || (open == nullptr && on)) return call.Answer(-EBADF);
  if (open != nullptr) {  // it may have been closed while it hosted
    if (open->watch != nullptr && open->watch->armed()) return call.Answer(-EBUSY);
    const Result<void> set = open->host.SetHosting(on ? Hosting::kLevel : Hosting::kEdge);
    if (!set.ok()) return call.Answer(call.environment().Refuse(set.error()));
  }
  turn->Hold(on);
  return call.Answer(0);
}

/** turn(): a promise that is resolved after Node's loop had the thread once. */
napi_value NextTurn(napi_env env, napi_callback_info info) {
  Turn* turn = TurnOf(Call(env, info));
  return turn == nullptr ? nullptr : turn->Next();
}

/** fileno(id): the descriptor of the backend itself, or -1. */
napi_value Fileno(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const OpenSelector* open = call.environment().Find(call.Int(0));
  return call.Answer(open == nullptr ? -1 : open->selector->fileno());
}

/** The selector's Watch, made by the first asynchronous wait; nullptr after `failure` is set. */
Watch* WatchOf(const Call& call, OpenSelector& open, int32_t* failure) {
  // First, since uv_poll_init tries the descriptor, and the circle would be refused.
  Result<void> ready = open.host.SetHosting(Hosting::kApart);
  if (ready.ok() && open.watch == nullptr) {
    ready = Watch::Make(call.env(), call.environment().loop, *open.selector, &open.watch);
    if (ready.ok()) open.watch->SetRef(open.keeps_alive);
  }
  if (!ready.ok()) *failure = call.environment().Refuse(ready.error());
  return ready.ok() ? open.watch : nullptr;
}

/** watch(id): a promise that is resolved when a poll(id, 0) is worth while, or -errno. */
napi_value WatchNext(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  if (open == nullptr) return call.Answer(-EBADF);
  int32_t failure = -EIO;
  Watch* watch = WatchOf(call, *open, &failure);
  napi_value promise = watch == nullptr ? nullptr : watch->Next();
  return promise == nullptr ? call.Answer(failure) : promise;
}

/** cancelWatch(id): resolves what watch(id) has given out. */
napi_value CancelWatch(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const OpenSelector* open = call.environment().Find(call.Int(0));
  if (open != nullptr && open->watch != nullptr) open->watch->Cancel();
  return nullptr;
}

/** refWatch(id, on): whether an asynchronous wait keeps the process alive. */
napi_value RefWatch(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  if (open == nullptr) return nullptr;
  open->keeps_alive = call.Int(1) != 0;
  if (open->watch != nullptr) open->watch->SetRef(open->keeps_alive);
  return nullptr;
}

/** waker(id): the number by which any thread of this process can wake the selector, or -errno. */
napi_value WakerHandle(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const OpenSelector* open = call.environment().Find(call.Int(0));
  return call.Answer(open == nullptr ? -EBADF : open->waker->handle());
}

/** wake(handle): from any thread; nothing where the selector is closed. */
napi_value Wake(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const std::shared_ptr<Waker> waker = Waker::Find(call.Int(0));
  if (waker != nullptr) waker->Wake();
  return nullptr;
}

}  // namespace

void ExportWaitCalls(Napi::Env env, Napi::Object exports, Environment* environment) {
  ExportRaw(env, exports, "poll", Poll, environment);
  ExportRaw(env, exports, "hostPoll", HostPoll, environment);
  ExportRaw(env, exports, "host", Host, environment);
  ExportRaw(env, exports, "turn", NextTurn, environment);
  ExportRaw(env, exports, "fileno", Fileno, environment);
  ExportRaw(env, exports, "watch", WatchNext, environment);
  ExportRaw(env, exports, "cancelWatch", CancelWatch, environment);
  ExportRaw(env, exports, "refWatch", RefWatch, environment);
  ExportRaw(env, exports, "waker", WakerHandle, environment);
  ExportRaw(env, exports, "wake", Wake, environment);
}

}  // namespace io_selectors
