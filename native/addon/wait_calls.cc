// How TypeScript waits: blocking this thread, hosting Node's loop, or beside it as a promise; and
// how any thread wakes it. Source of the contract: src/native.ts.

#include "addon/calls.h"
#include "addon/hosted_run.h"

namespace io_selectors {

namespace {

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

void SetHead(OpenSelector& open, const HostLoop::Ready& ready) {
  open.ring[0].fd = ready.waker ? kEndedByWaker : 0;
}

/**
 * Whether Node's loop has work that no descriptor tells of: a handle that it has not handed to the
 * kernel yet (a signal's, say), an immediate. Said once a turn, so that a caller who never yields
 * does not spin.
 */
bool WantsTurnFirst(const Call& call) {
  Environment& environment = call.environment();
  Turn* turn = environment.TurnOf(call.env());
  if (turn == nullptr) return false;
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
    const HostLoop::Ready ready = open.TakeWake(interrupted);
    SetHead(open, ready);
    if (!interrupted && count.value() > 0) return count.value();
    if (timeout_ns == 0 || ready.waker) return 0;
    // Without a deadline the caller may yield to Node now; with one it is owed the whole time.
    if (timeout_ns < 0) {
      if (ready.host) return 0;
      continue;
    }
    if (ready.host && LeavesNow(call.env(), call.environment())) return 0;
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
  if (timeout_ns == 0) {
    const int32_t count = WaitOnce(call, *open, 0);
    if (open->watch != nullptr && open->watch->armed()) open->watch->Looked();
    return call.Answer(count);
  }
  const BlockingWait blocking(*open);
  if (!blocking.hosted().ok()) {
    return call.Answer(call.environment().Refuse(blocking.hosted().error()));
  }
  return call.Answer(WaitOnce(call, *open, timeout_ns));
}

/** run(id, turn, over): 0, or -errno. See HostedRun. */
napi_value Run(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Result<void> started =
      HostedRun::Start(env, call.environment(), call.Int(0), call.Value(1), call.Value(2));
  return call.Answer(started.ok() ? 0 : call.environment().Refuse(started.error()));
}

/** fileno(id): the descriptor of the backend itself, or -1. */
napi_value Fileno(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const OpenSelector* open = call.environment().Find(call.Int(0));
  return call.Answer(open == nullptr ? -1 : open->selector->fileno());
}

/** The selector's Watch, made by the first asynchronous wait; nullptr after `failure` is set. */
Watch* WatchOf(const Call& call, OpenSelector& open, int32_t* failure) {
  if (open.hosted) {
    *failure = call.environment().Refuse(Error{EBUSY, "watch"});
    return nullptr;
  }
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
  ExportRaw(env, exports, "run", Run, environment);
  ExportRaw(env, exports, "fileno", Fileno, environment);
  ExportRaw(env, exports, "watch", WatchNext, environment);
  ExportRaw(env, exports, "cancelWatch", CancelWatch, environment);
  ExportRaw(env, exports, "refWatch", RefWatch, environment);
  ExportRaw(env, exports, "waker", WakerHandle, environment);
  ExportRaw(env, exports, "wake", Wake, environment);
}

}  // namespace io_selectors
