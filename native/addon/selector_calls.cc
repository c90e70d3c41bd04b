// The Selector's native half: ids and integers in, counts or -errno out; ready events go into
// TypeScript's ring. Source of the contract: src/native.ts.

#include <algorithm>
#include <cmath>

#include "addon/calls.h"
#include "backends/backends.h"
#include "core/timeout.h"

namespace io_selectors {

namespace {

constexpr int32_t kModeMask = 3;
constexpr int32_t kOptionExclusive = 4;
constexpr int32_t kOptionPriority = 8;

RegisterOptions ToOptions(int32_t bits) {
  RegisterOptions options;
  options.mode = static_cast<Mode>(bits & kModeMask);
  options.exclusive = (bits & kOptionExclusive) != 0;
  options.priority = (bits & kOptionPriority) != 0;
  return options;
}

/** Milliseconds from TypeScript, where below 0 is forever; fractions round up, and what no kernel
 * takes is clamped. */
int64_t ToNanoseconds(double timeout_ms) {
  constexpr double kLongestMs = 1e12;  // thirty years
  if (timeout_ms < 0) return kForever;
  return static_cast<int64_t>(std::ceil(std::fmin(timeout_ms, kLongestMs) * 1e6));
}

/** backends(): a row each, in the order of preference: name, whether it is contained, and so on. */
Napi::Value ListBackends(const Napi::CallbackInfo& info) {
  Napi::Array rows = Napi::Array::New(info.Env());
  for (const Backend& backend : Backends()) {
    Napi::Object row = Napi::Object::New(info.Env());
    row.Set("name", backend.name);
    row.Set("contained", backend.make != nullptr);
    row.Set("reason", backend.reason);
    row.Set("byDefault", backend.by_default);
    rows.Set(rows.Length(), row);
  }
  return rows;
}

/** capabilities(id): what the selector's backend can do; undefined where it is closed. */
Napi::Value DescribeCapabilities(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  const OpenSelector* open = environment->Find(info[0].As<Napi::Number>().Int32Value());
  if (open == nullptr) return info.Env().Undefined();
  const Capabilities& has = open->selector->capabilities();
  Napi::Object described = Napi::Object::New(info.Env());
  described.Set("edge", has.edge);
  described.Set("oneshot", has.oneshot);
  described.Set("exclusive", has.exclusive);
  described.Set("priority", has.priority);
  described.Set("regularFiles", has.regular_files);
  described.Set("maxFd", static_cast<double>(has.max_fd));
  described.Set("timeoutResolutionNs", static_cast<double>(has.timeout_resolution_ns));
  return described;
}

Napi::Value FailedSyscall(const Napi::CallbackInfo& info) {
  const auto* environment = static_cast<Environment*>(info.Data());
  return Napi::String::New(info.Env(), environment->failed_syscall);
}

Result<std::unique_ptr<OpenSelector>> Open(const Backend& backend, int fd_set_size,
                                           uv_loop_t* loop) {
  SelectorOptions options;
  options.fd_set_size = fd_set_size;
  Result<std::unique_ptr<Selector>> selector = backend.make(options);
  if (!selector.ok()) return selector.error();
  Result<HostLoop> host = HostLoop::Make(loop);
  if (!host.ok()) return host.error();
  const Result<void> woken = selector.value()->SetWakeFd(host.value().fd());
  if (!woken.ok()) return woken.error();
  auto open = std::make_unique<OpenSelector>();
  open->selector = std::move(selector.value());
  open->host = std::move(host.value());
  return open;
}

/** create(backend, fdSetSize, ring): a selector id, or -errno. */
Napi::Value Create(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  const Backend* backend = FindBackend(info[0].As<Napi::String>().Utf8Value());
  if (backend == nullptr) {
    return Napi::Number::New(info.Env(), environment->Refuse(Error{ENOSYS, "create"}));
  }
  Result<std::unique_ptr<OpenSelector>> open =
      Open(*backend, info[1].As<Napi::Number>().Int32Value(), environment->loop);
  if (!open.ok()) return Napi::Number::New(info.Env(), environment->Refuse(open.error()));

  auto ring = info[2].As<Napi::Int32Array>();
  OpenSelector& entry = *open.value();
  entry.ring = reinterpret_cast<ReadyEvent*>(ring.Data());
  entry.capacity = static_cast<int>(ring.ByteLength() / sizeof(ReadyEvent)) - kRingHeadEvents;
  napi_create_reference(info.Env(), ring, 1, &entry.ring_reference);
  environment->selectors.push_back(std::move(open.value()));
  return Napi::Number::New(info.Env(), static_cast<double>(environment->selectors.size() - 1));
}

/** destroy(id): closes the selector's own descriptors; silent where it is closed already. */
Napi::Value Destroy(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  const int32_t id = info[0].As<Napi::Number>().Int32Value();
  if (OpenSelector* open = environment->Find(id)) {
    napi_delete_reference(info.Env(), open->ring_reference);
    environment->selectors[static_cast<size_t>(id)].reset();
  }
  return info.Env().Undefined();
}

/** register(id, fd, events, options): the generation, or -errno. */
napi_value Register(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  if (open == nullptr) return call.Answer(-EBADF);
  const Result<int32_t> registered =
      open->selector->Register(call.Int(1), call.Int(2), ToOptions(call.Int(3)));
  if (!registered.ok()) return call.Answer(call.environment().Refuse(registered.error()));
  return call.Answer(registered.value());
}

/** modify(id, fd, events): 0, or -errno. */
napi_value Modify(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  if (open == nullptr) return call.Answer(-EBADF);
  const Result<void> modified = open->selector->Modify(call.Int(1), call.Int(2));
  return call.Answer(modified.ok() ? 0 : call.environment().Refuse(modified.error()));
}

/** unregister(id, fd): 0, or -errno. */
napi_value Unregister(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  if (open == nullptr) return call.Answer(-EBADF);
  const Result<void> done = open->selector->Unregister(call.Int(1));
  return call.Answer(done.ok() ? 0 : call.environment().Refuse(done.error()));
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

/** One wait, retried to its deadline: @returns the number of events, or -errno. */
int32_t WaitOnce(const Call& call, OpenSelector& open, int64_t timeout_ns) {
  const int64_t deadline = timeout_ns > 0 ? MonotonicNs() + timeout_ns : 0;
  int64_t remaining = timeout_ns;
  open.ring[0].fd = 0;
  for (;;) {
    const Result<int> count =
        open.selector->Select(open.ring + kRingHeadEvents, open.capacity, remaining);
    const bool interrupted = !count.ok() && count.error().errno_value == EINTR;
    if (!count.ok() && !interrupted) return call.environment().Refuse(count.error());
    const bool host = !interrupted && open.selector->Woken() && open.host.Drain();
    if (host) open.ring[0].fd = kEndedByHost;
    if (!interrupted && count.value() > 0) return count.value();
    if (timeout_ns == 0) return 0;
    // Without a deadline the caller may yield to Node now; with one it is owed the whole time.
    if (timeout_ns < 0) {
      if (host || interrupted) return 0;
      continue;
    }
    if (host && LeavesNow(call)) return 0;
    remaining = deadline - MonotonicNs();
    if (remaining <= 0) return 0;
  }
}

/** poll(id, timeoutMs): the number of ready events now in the ring, or -errno. */
napi_value Poll(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  if (open == nullptr) return call.Answer(-EBADF);
  return call.Answer(WaitOnce(call, *open, ToNanoseconds(call.Double(1))));
}

/** Node's immediates, ticks and I/O are served at least this often while handlers run. */
constexpr int64_t kLongestWithoutTurnNs = 10 * kNsPerMs;

/** Nanoseconds until Node's loop has to have the thread: 0 now, kForever if nothing calls for it.
 */
int64_t UntilTurnNs(const Call& call, const OpenSelector& open, bool ran_handlers) {
  const int64_t wanted = open.host.NextTurnNs();
  if (!ran_handlers) return wanted;
  const int64_t since = MonotonicNs() - call.environment().turn->last_ns();
  const int64_t owed = std::max<int64_t>(0, kLongestWithoutTurnNs - since);
  return wanted < 0 ? owed : std::min(wanted, owed);
}

/**
 * hostPoll(id, timeoutMs, ranHandlers): poll that also ends when Node's loop wants a turn, or is
 * owed one because handlers ran; the ring's head says so. May end early and empty.
 */
napi_value HostPoll(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  if (open == nullptr || call.environment().turn == nullptr) return call.Answer(-EBADF);
  const bool ran_handlers = call.Int(2) != 0;
  const int64_t until_turn = UntilTurnNs(call, *open, ran_handlers);
  int64_t timeout = ToNanoseconds(call.Double(1));
  if (until_turn >= 0 && (timeout < 0 || until_turn < timeout)) timeout = until_turn;
  if (timeout > 0) {
    const Result<void> set = open->host.WakeBy(MonotonicNs() + timeout);
    if (!set.ok()) return call.Answer(call.environment().Refuse(set.error()));
    timeout = kForever;
  }
  const Result<int> count =
      open->selector->Select(open->ring + kRingHeadEvents, open->capacity, timeout);
  const bool interrupted = !count.ok() && count.error().errno_value == EINTR;
  if (!count.ok() && !interrupted) return call.Answer(call.environment().Refuse(count.error()));
  const int32_t ready = interrupted ? 0 : count.value();
  bool host = interrupted || until_turn == 0;
  if (!interrupted && open->selector->Woken()) host |= open->host.Drain();
  // Asked again where nothing is ready: the time that ended the wait may have been Node's.
  if (!host && ready == 0) host = UntilTurnNs(call, *open, ran_handlers) == 0;
  open->ring[0].fd = host ? kEndedByHost : 0;
  return call.Answer(ready);
}

/** The environment's Turn, made when it is first needed; nullptr where the environment is ending.
 */
Turn* TurnOf(const Call& call) {
  Environment& environment = call.environment();
  if (environment.turn == nullptr) environment.turn = Turn::Make(call.env(), environment.loop);
  return environment.turn;
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
    const Result<void> set = open->host.SetLevel(on);
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

}  // namespace

void ExportSelectorCalls(Napi::Env env, Napi::Object exports, Environment* environment) {
  exports.Set("backends", Napi::Function::New(env, ListBackends, "backends"));
  exports.Set("failedSyscall",
              Napi::Function::New(env, FailedSyscall, "failedSyscall", environment));
  exports.Set("capabilities",
              Napi::Function::New(env, DescribeCapabilities, "capabilities", environment));
  exports.Set("create", Napi::Function::New(env, Create, "create", environment));
  exports.Set("destroy", Napi::Function::New(env, Destroy, "destroy", environment));
  ExportRaw(env, exports, "register", Register, environment);
  ExportRaw(env, exports, "modify", Modify, environment);
  ExportRaw(env, exports, "unregister", Unregister, environment);
  ExportRaw(env, exports, "poll", Poll, environment);
  ExportRaw(env, exports, "hostPoll", HostPoll, environment);
  ExportRaw(env, exports, "host", Host, environment);
  ExportRaw(env, exports, "turn", NextTurn, environment);
  ExportRaw(env, exports, "fileno", Fileno, environment);
}

}  // namespace io_selectors
