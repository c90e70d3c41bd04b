// The Selector's native half: ids and integers in, counts or -errno out; ready events go into
// TypeScript's ring. Source of the contract: src/native.ts.

#include "addon/calls.h"
#include "backends/backends.h"

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

/** capabilities(id): what the selector's backend can do; undefined if it is closed. */
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
  described.Set("asyncWait", open->fileno() < 0 ? "thread" : "nested");
  return described;
}

Napi::Value FailedSyscall(const Napi::CallbackInfo& info) {
  const auto* environment = static_cast<Environment*>(info.Data());
  return Napi::String::New(info.Env(), environment->failed_syscall);
}

/** raise(error): an 'uncaughtException' at once. Returns if the process, or the worker, survives.
 */
napi_value Raise(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  napi_fatal_exception(env, call.Value(0));
  return nullptr;
}

Result<std::unique_ptr<OpenSelector>> Open(const Backend& backend, int fd_set_size,
                                           uv_loop_t* loop) {
  SelectorOptions options;
  options.fd_set_size = fd_set_size;
  Result<std::unique_ptr<Selector>> selector = backend.make(options);
  if (!selector.ok()) return selector.error();
  Result<std::shared_ptr<Waker>> waker = Waker::Open();
  if (!waker.ok()) return waker.error();
  Result<WakeSet> wake_set = WakeSet::Make(loop, waker.value()->fd());
  if (!wake_set.ok()) return wake_set.error();
  const Result<void> woken = selector.value()->SetWakeFd(wake_set.value().fd());
  if (!woken.ok()) return woken.error();
  auto open = std::make_unique<OpenSelector>();
  open->selector = std::move(selector.value());
  open->wake_set = std::move(wake_set.value());
  open->waker = std::move(waker.value());
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
  entry.wish = &entry.ring->ready;
  entry.capacity = static_cast<int>(ring.ByteLength() / sizeof(ReadyEvent)) - kRingHeadEvents;
  const int32_t id = environment->selectors.Add(std::move(open.value()));
  if (id < 0) return Napi::Number::New(info.Env(), environment->Refuse(Error{EMFILE, "create"}));
  napi_create_reference(info.Env(), ring, 1, &entry.ring_reference);
  return Napi::Number::New(info.Env(), id);
}

/** destroy(id): closes the selector's own descriptors; a no-op if it is closed already. */
Napi::Value Destroy(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  const int32_t id = info[0].As<Napi::Number>().Int32Value();
  if (OpenSelector* open = environment->Find(id)) {
    napi_delete_reference(info.Env(), open->ring_reference);
    environment->selectors.Close(id);
  }
  return info.Env().Undefined();
}

/** register(id, fd, events, options): the generation, or -errno. */
napi_value Register(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Environment& environment = call.environment();
  OpenSelector* open = environment.Find(call.Int(0));
  if (open == nullptr) return call.Answer(-EBADF);
  const int32_t fd = call.Int(1);
  Result<int32_t> registered = open->selector->Register(fd, call.Int(2), ToOptions(call.Int(3)));
  if (!registered.ok() && registered.error().errno_value == ELOOP) {
    // It is another selector, which still watches Node's loop from its last wait.
    environment.LeaveHost();
    registered = open->selector->Register(fd, call.Int(2), ToOptions(call.Int(3)));
  }
  if (!registered.ok()) return call.Answer(environment.Refuse(registered.error()));
  environment.selectors.Watches(call.Int(0), fd);
  environment.opened.Use(fd);
  open->TellWatch();
  return call.Answer(registered.value());
}

/** modify(id, fd, events): 0, or -errno. */
napi_value Modify(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  if (open == nullptr) return call.Answer(-EBADF);
  const Result<void> modified = open->selector->Modify(call.Int(1), call.Int(2));
  if (!modified.ok()) call.environment().selectors.Unwatches(call.Int(0), call.Int(1));
  open->TellWatch();
  return call.Answer(modified.ok() ? 0 : call.environment().Refuse(modified.error()));
}

/** unregister(id, fd): 0, or -errno. */
napi_value Unregister(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenSelector* open = call.environment().Find(call.Int(0));
  if (open == nullptr) return call.Answer(-EBADF);
  const Result<void> done = open->selector->Unregister(call.Int(1));
  call.environment().selectors.Unwatches(call.Int(0), call.Int(1));
  open->TellWatch();
  return call.Answer(done.ok() ? 0 : call.environment().Refuse(done.error()));
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
  ExportRaw(env, exports, "raise", Raise, environment);
  ExportRaw(env, exports, "register", Register, environment);
  ExportRaw(env, exports, "modify", Modify, environment);
  ExportRaw(env, exports, "unregister", Unregister, environment);
}

}  // namespace io_selectors
