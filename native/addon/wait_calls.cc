// How TypeScript waits: blocking this thread, hosting Node's loop, or beside it as a promise; and
// how any thread wakes it. Source of the contract: src/native.ts.

#include <sys/select.h>

#include <algorithm>
#include <utility>

#include "addon/calls.h"
#include "addon/hosted_run.h"
#include "addon/watch.h"

namespace io_selectors {

namespace {

/** Without Node's descriptor in the set, a wait looks up this often. */
constexpr int64_t kLongestBlindWaitNs = 50 * kNsPerMs;

/** So many looks in a row bring events before one asks whether Node has some. */
constexpr int kLooksInRow = 256;

/** While this thread itself waits: Node's loop ends the wait, and does not watch the selector. */
class BlockingWait {
 public:
  BlockingWait(OpenSelector& open, Environment& environment, const Host& host) : open_(open) {
    pauses_watch_ = open.watch != nullptr && open.watch->Pause();
    // Once per pass of the loop: only then can it have left a level behind.
    if (open.wake_set.watches_host() && open.host_pass == host.Pass()) return;
    // Refused if Node's loop watches a selector that contains this one: then it looks up now and
    // then, as on kqueue.
    if (!open.wake_set.watches_host()) environment.AddArmedWatches();
    (void)open.wake_set.WatchHost().ok();
    open.host_pass = host.Pass();
  }
  ~BlockingWait() {
    if (pauses_watch_) open_.watch->Resume();
  }
  BlockingWait(const BlockingWait&) = delete;
  BlockingWait& operator=(const BlockingWait&) = delete;

 private:
  OpenSelector& open_;
  bool pauses_watch_ = false;
};

/**
 * Whether Node's loop has events, for a wait that cannot watch its descriptor. Not poll(2), if
 * select(2) can hold the number: XNU's poll puts the queue into one of its own, which makes it a
 * queue of the lowest level permanently (kqueue_kqfilter in bsd/kern/kern_event.c). It could then
 * watch no selector (EINVAL): each contains a queue, the wake set, and is of a higher level.
 */
bool HostIsReady(const Host& host) {
  const int fd = uv_backend_fd(host.loop());
  if (fd >= FD_SETSIZE) {
    pollfd watched{fd, POLLIN, 0};
    return poll(&watched, 1, 0) > 0;
  }
  fd_set watched;
  FD_ZERO(&watched);
  FD_SET(fd, &watched);
  timeval now{};
  return select(fd + 1, &watched, nullptr, nullptr, &now) > 0;
}

/** One look or wait. @returns the number of events, or -errno; what ended it from outside in
 * `ready`, and in the ring's head for TypeScript. */
int32_t Look(const Call& call, OpenSelector& open, int64_t timeout_ns, WakeSet::Ready* ready) {
  const Result<int> count = open.Wait(timeout_ns);
  const bool interrupted = !count.ok() && count.error().errno_value == EINTR;
  if (!count.ok() && !interrupted) return call.environment().Refuse(count.error());
  *ready = open.TakeWake(interrupted);
  Host& host = call.environment().HostOf(call.env());
  const bool blind = timeout_ns != 0 && !open.wake_set.watches_host();
  if (blind) ready->host = ready->host || HostIsReady(host);
  if (ready->host) host.SawEvents();
  // The timer was a run's, which does not see it any more.
  if (ready->timer && open.run != nullptr) {
    *open.wish |= kWishesTurn;
    open.run->Nudge();
  }
  // The wake was for the promises as well, whose watch does not see it any more. They count wakes.
  if (ready->waker && open.watch != nullptr && open.watch->is_waited_for()) open.watch->Cancel();
  open.KeepReadable();
  open.ring[0].fd = ready->waker ? kEndedByWaker : 0;
  return interrupted ? 0 : count.value();
}

/**
 * Whether Node's loop has something to do, for a thread that does not wait. That includes watchers
 * that the kernel does not know yet: a signal that Node watches since the last pass of its loop
 * does not make its descriptor readable.
 */
bool HostHasWork(Host& host) {
  if (!host.HasEvents() && HostIsReady(host)) host.SawEvents();
  return host.HasWork();
}

/** Ends a wait empty, for Node's sake. */
int32_t EndEmpty(OpenSelector& open, Host& host) {
  open.ring[0].fd = 0;
  host.AskedForTurn();
  return 0;
}

/**
 * A wait of no time. A caller that yields on empty results only, and finds events at every look,
 * would keep Node's events waiting without end. After kLooksInRow such looks, one ends empty if
 * Node has something to do. It takes nothing from the selector.
 */
int32_t LookOnce(const Call& call, OpenSelector& open) {
  if (open.looks_in_row >= kLooksInRow) {
    open.looks_in_row = 0;
    Host& host = call.environment().HostOf(call.env());
    if (HostHasWork(host)) return EndEmpty(open, host);
  }
  WakeSet::Ready ready;
  const int32_t count = Look(call, open, 0, &ready);
  open.looks_in_row = count > 0 ? open.looks_in_row + 1 : 0;
  return count;
}

/** A wait without a deadline of the caller: ends empty for Node's sake, too, or after `most_ns`. */
int32_t WaitForever(const Call& call, OpenSelector& open, int64_t most_ns) {
  Host& host = call.environment().HostOf(call.env());
  if (std::exchange(open.owes_turn_in, -1) == host.Pass() && !host.HasAsked()) {
    return EndEmpty(open, host);
  }
  const int64_t sighted_ns = open.wake_set.watches_host() ? kForever : kLongestBlindWaitNs;
  const int64_t deadline_ns = most_ns == kForever ? kNever : DeadlineAfter(most_ns);
  for (;;) {
    const int64_t left_ns =
        most_ns == kForever ? kForever : std::max<int64_t>(0, deadline_ns - MonotonicNs());
    const int64_t longest_ns = Sooner(left_ns, sighted_ns);
    const int64_t yield_by_ns = host.YieldByNs();
    if (yield_by_ns != 0 && yield_by_ns != kNever) {
      const Result<void> set = open.wake_set.WakeBy(yield_by_ns);
      if (!set.ok()) return call.environment().Refuse(set.error());
    }
    WakeSet::Ready ready;
    const int32_t count = Look(call, open, yield_by_ns == 0 ? 0 : longest_ns, &ready);
    const bool yields = yield_by_ns == 0 || ((ready.host || ready.timer) && host.AsksForTurn());
    if (count > 0 && yields) open.owes_turn_in = host.Pass();
    if (count != 0 || ready.waker) return count;
    if (yields) return EndEmpty(open, host);
    if (left_ns == 0) return 0;
  }
}

/** A wait with a deadline: the whole time, unless this thread's JavaScript is being ended. */
int32_t WaitUntil(const Call& call, OpenSelector& open, int64_t deadline_ns) {
  for (;;) {
    const int64_t remaining_ns = deadline_ns - MonotonicNs();
    if (remaining_ns <= 0) return 0;
    WakeSet::Ready ready;
    const int64_t longest_ns = open.wake_set.watches_host() ? remaining_ns : kLongestBlindWaitNs;
    const int32_t count = Look(call, open, std::min(remaining_ns, longest_ns), &ready);
    if (count != 0 || ready.waker) return count;
    if (ready.host && LeavesNow(call.env(), call.environment())) return 0;
  }
}

/** poll(id, timeoutMs, mostMs): the number of ready events now in the ring, or -errno. */
napi_value Poll(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  if (open == nullptr) return call.Answer(-EBADF);
  const int64_t timeout_ns = ToNanoseconds(call.Double(1));
  const int64_t most_ns = ToNanoseconds(call.Double(2));
  if (timeout_ns == 0 || most_ns == 0) {
    const int32_t count = LookOnce(call, *open);
    // A pass of a run ends with Looked(). Otherwise what this look has taken would not wake it.
    const bool listens = open->run != nullptr && !open->run->passing();
    if (open->watch != nullptr && (listens || open->watch->is_waited_for())) open->watch->Looked();
    return call.Answer(count);
  }
  const BlockingWait blocking(*open, call.environment(), call.environment().HostOf(env));
  if (timeout_ns == kForever) return call.Answer(WaitForever(call, *open, most_ns));
  return call.Answer(WaitUntil(call, *open, DeadlineAfter(Sooner(timeout_ns, most_ns))));
}

/** run(id, turn, over): 0, or -errno. See HostedRun. */
napi_value Run(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  if (open == nullptr) return call.Answer(call.environment().Refuse(Error{EBADF, "run"}));
  const Result<void> started =
      HostedRun::Start(env, call.environment(), *open, call.Value(1), call.Value(2), true);
  return call.Answer(started.ok() ? 0 : call.environment().Refuse(started.error()));
}

/** nudge(id): what was wished of the selector's run is to be seen in the loop's next pass. */
napi_value Nudge(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const OpenSelector* open = call.environment().Find(call.Int(0));
  if (open != nullptr && open->run != nullptr) open->run->Nudge();
  return nullptr;
}

/** fileno(id): the descriptor of the backend itself, or -1. */
napi_value Fileno(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  const int32_t fd = open == nullptr ? -1 : open->selector->fileno();
  if (fd >= 0 && !open->shows_fileno) {
    if (!sets_may_nest.exchange(true)) call.environment().AddArmedWatches();
    open->shows_fileno = true;
    open->KeepReadable();
  }
  return call.Answer(fd);
}

/** watch(id): a promise that is resolved when a poll(id, 0) is worth while, or -errno. */
napi_value WatchNext(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  if (open == nullptr) return call.Answer(-EBADF);
  const Result<Watch*> watch = Watch::Of(env, call.environment(), *open);
  const Result<napi_value> promise =
      watch.ok() ? watch.value()->Next() : Result<napi_value>(watch.error());
  return promise.ok() ? promise.value() : call.Answer(call.environment().Refuse(promise.error()));
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
  if (open->watch != nullptr) open->watch->ApplyRef();
  if (call.environment().host != nullptr) call.environment().host->ApplyRef();
  return nullptr;
}

/** waker(id): the number by which any thread of this process can wake the selector, or -errno. */
napi_value WakerHandle(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const OpenSelector* open = call.environment().Find(call.Int(0));
  return call.Answer(open == nullptr ? -EBADF : open->waker->handle());
}

/** wake(handle): from any thread; nothing if the selector is closed. */
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
  ExportRaw(env, exports, "nudge", Nudge, environment);
  ExportRaw(env, exports, "fileno", Fileno, environment);
  ExportRaw(env, exports, "watch", WatchNext, environment);
  ExportRaw(env, exports, "cancelWatch", CancelWatch, environment);
  ExportRaw(env, exports, "refWatch", RefWatch, environment);
  ExportRaw(env, exports, "waker", WakerHandle, environment);
  ExportRaw(env, exports, "wake", Wake, environment);
}

}  // namespace io_selectors
