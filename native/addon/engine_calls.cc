// Connections for TypeScript: an engine's rings are memory that both share, so that a turn is one
// call whatever it moves; the calls here are for what is rare. Source of the contract:
// src/native.ts.

#include <fcntl.h>
#include <sys/stat.h>

#include "addon/answers.h"
#include "addon/calls.h"
#include "addon/hosted_run.h"
#include "addon/io_call.h"
#include "addon/open_engine.h"
#include "net/descriptor.h"
#include "proactor/io_uring_engine.h"
#include "proactor/readiness_engine.h"

namespace io_selectors {

namespace {

constexpr int32_t kCanRead = 1;
constexpr int32_t kCanWrite = 2;
constexpr int32_t kAdoptStride = 4;

/** What a descriptor that the program has opened can do. fstat(2), fcntl(2) */
Result<SlotOptions> DescribeDescriptor(int fd) {
  struct stat status{};
  if (fstat(fd, &status) < 0) return LastError("fstat");
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return LastError("fcntl");
  SlotOptions options;
  options.socket = S_ISSOCK(status.st_mode);
  options.reads = (flags & O_ACCMODE) != O_WRONLY;
  options.writes = (flags & O_ACCMODE) != O_RDONLY;
  return options;
}

bool Blocks(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) == 0;
}

/** The memory of one typed array, which stays where it is for as long as the reference holds. */
template <typename T>
T* Pin(const Napi::CallbackInfo& info, size_t index, size_t* bytes, std::vector<napi_ref>* pins) {
  auto array = info[index].As<Napi::TypedArray>();
  napi_ref reference = nullptr;
  napi_create_reference(info.Env(), array, 1, &reference);
  pins->push_back(reference);
  *bytes = array.ByteLength();
  return reinterpret_cast<T*>(static_cast<uint8_t*>(array.ArrayBuffer().Data()) +
                              array.ByteOffset());
}

Napi::Value Refused(const Napi::CallbackInfo& info, const Error& error,
                    const std::vector<napi_ref>& pins) {
  for (napi_ref pin : pins) napi_delete_reference(info.Env(), pin);
  return AnswerRefusal(info, error);
}

/** createEngine(backend of readiness or "", which stands for the engine over io_uring, head,
 * completions, submissions, outbound): an id, or -errno. */
Napi::Value Create(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  Rings rings;
  size_t bytes = 0;
  std::vector<napi_ref> pins;
  rings.head = Pin<RingHead>(info, 1, &bytes, &pins);
  rings.completions = Pin<RingCompletion>(info, 2, &bytes, &pins);
  rings.completion_capacity = static_cast<int32_t>(bytes / sizeof(RingCompletion));
  rings.submissions = Pin<RingSubmission>(info, 3, &bytes, &pins);
  rings.submission_capacity = static_cast<int32_t>(bytes / sizeof(RingSubmission));
  rings.outbound = Pin<uint8_t>(info, 4, &rings.outbound_bytes, &pins);
  rings.inbound_bytes = kInboundBytes;
  Inbound inbound(new uint8_t[kInboundBytes]());
  rings.inbound = inbound.get();
  const std::string backend = Text(info, 0);
  Result<std::unique_ptr<Engine>> engine =
      backend.empty() ? MakeIoUringEngine(rings) : MakeReadinessEngine(rings, backend);
  if (!engine.ok()) return Refused(info, engine.error(), pins);
  auto open =
      std::make_unique<OpenEngine>(std::move(engine.value()), std::move(inbound), rings.head);
  const Result<void> opened = open->Open(environment->loop);
  if (!opened.ok()) {
    open.reset();
    return Refused(info, opened.error(), pins);
  }
  open->pins = std::move(pins);
  environment->engines.push_back(std::move(open));
  return Napi::Number::New(info.Env(), static_cast<double>(environment->engines.size() - 1));
}

/** engineDestroy(id): closes all that it has. Its program is gone, and calls it no more. */
napi_value Destroy(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const auto index = static_cast<size_t>(call.Int(0));
  std::unique_ptr<OpenEngine>& open = call.environment().engines[index];
  const std::vector<napi_ref> pins = std::exchange(open->pins, {});
  open.reset();
  for (const napi_ref pin : pins) napi_delete_reference(env, pin);
  return nullptr;
}

/** engineInbound(id): an ArrayBuffer of the bytes that completions name. */
Napi::Value InboundOf(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  auto* kept = new Inbound(environment->FindEngine(Integer(info, 0))->inbound);
  const auto release = [](napi_env /*env*/, void* /*data*/, Inbound* inbound) { delete inbound; };
  return Napi::ArrayBuffer::New(info.Env(), kept->get(), kInboundBytes, release, kept);
}

/** A descriptor that was refused is as the caller gave it. */
Napi::Value GivenBack(const Napi::CallbackInfo& info, int fd, bool blocked, const Error& error) {
  if (blocked) (void)SetNonBlocking(fd, false).ok();
  return AnswerRefusal(info, error);
}

/** engineListen(id, fd, room, paused, idleMs): the life of that slot, or -errno. */
Napi::Value Listen(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  OpenEngine* open = environment->FindEngine(Integer(info, 0));
  ListenerOptions options;
  options.room = Integer(info, 2);
  options.paused = info[3].As<Napi::Boolean>().Value();
  options.idle_ms = Integer(info, 4);
  const int fd = Integer(info, 1);
  const bool blocked = Blocks(fd);
  const Result<void> ready = SetNonBlocking(fd, true);
  if (!ready.ok()) return AnswerRefusal(info, ready.error());
  const Result<int32_t> life = open->engine->Listen(fd, options);
  if (!life.ok()) return GivenBack(info, fd, blocked, life.error());
  OpenedDescriptors::Remove(fd);
  if (open->watch != nullptr) open->watch->Changed();
  return Napi::Number::New(info.Env(), life.value());
}

/** engineAdopt(id, fd, paused, idleMs): the life of that slot times kAdoptStride, plus kCanRead |
 * kCanWrite, or -errno. */
Napi::Value Adopt(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  OpenEngine* open = environment->FindEngine(Integer(info, 0));
  const int fd = Integer(info, 1);
  Result<SlotOptions> options = DescribeDescriptor(fd);
  if (!options.ok()) return AnswerRefusal(info, options.error());
  options.value().paused = info[2].As<Napi::Boolean>().Value();
  options.value().idle_ms = Integer(info, 3);
  const bool blocked = Blocks(fd);
  const Result<void> ready = SetNonBlocking(fd, true);
  if (!ready.ok()) return AnswerRefusal(info, ready.error());
  const Result<int32_t> life = open->engine->Adopt(fd, options.value());
  if (!life.ok()) return GivenBack(info, fd, blocked, life.error());
  OpenedDescriptors::Remove(fd);
  if (open->watch != nullptr) open->watch->Changed();
  const int32_t can =
      (options.value().reads ? kCanRead : 0) | (options.value().writes ? kCanWrite : 0);
  return Napi::Number::New(info.Env(), life.value() * kAdoptStride + can);
}

/** engineDetach(id, slot): what was received and not reported, or -errno. */
Napi::Value Detach(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  OpenEngine* open = environment->FindEngine(Integer(info, 0));
  std::string unread;
  const Result<void> detached = open->engine->Detach(Integer(info, 1), &unread);
  if (!detached.ok()) return AnswerRefusal(info, detached.error());
  environment->opened.Add(Integer(info, 1));
  if (open->watch != nullptr) open->watch->Changed();
  return Napi::Buffer<char>::Copy(info.Env(), unread.data(), unread.size());
}

/** engineServes(id, slot, life): 1 while the descriptor belongs to that life, else 0. */
napi_value Serves(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenEngine* open = call.environment().FindEngine(call.Int(0));
  return call.Answer(open->engine->IsServing(call.Int(1), call.Int(2)) ? 1 : 0);
}

/** engineWrite(id, slot, life, bytes): how many bytes of the slot are queued now. */
Napi::Value WriteLarge(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  OpenEngine* open = environment->FindEngine(Integer(info, 0));
  const int slot = Integer(info, 1);
  if (!open->engine->IsServing(slot, Integer(info, 2))) return Napi::Number::New(info.Env(), 0);
  auto bytes = info[3].As<Napi::Uint8Array>();
  const size_t queued = open->engine->Write(slot, bytes.Data(), bytes.ByteLength());
  open->TellWatch();
  return Napi::Number::New(info.Env(), static_cast<double>(queued));
}

/** engineFlush(id): takes all submissions. */
napi_value Flush(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenEngine* open = call.environment().FindEngine(call.Int(0));
  if (open == nullptr) return nullptr;
  open->engine->Flush();
  open->TellWatch();
  return nullptr;
}

/** engineFileno(id): what another loop can watch, or -1. */
napi_value Fileno(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const OpenEngine* open = call.environment().FindEngine(call.Int(0));
  return call.Answer(open == nullptr ? -1 : open->fileno());
}

/** engineTurn(id): the number of completions, or -errno. */
napi_value TurnOnce(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenEngine* open = call.environment().FindEngine(call.Int(0));
  const Result<int> count = open->Wait(0);
  return call.Answer(count.ok() ? count.value() : call.environment().Refuse(count.error()));
}

/** engineSettle(id): milliseconds until the next turn at most, below 0 without a limit. */
napi_value Settle(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenEngine* open = call.environment().FindEngine(call.Int(0));
  open->PrepareToBeWatched();
  const int64_t due_ns = open->UntilDueNs();  // first: it takes in the timeouts that are new
  return call.Answer(open->HasWork() ? 0 : ToMilliseconds(due_ns));
}

/** engineRun(id, turn, over): 0, or -errno. See HostedRun. */
napi_value Run(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenEngine* open = call.environment().FindEngine(call.Int(0));
  const Result<void> started =
      HostedRun::Start(env, call.environment(), *open, call.Value(1), call.Value(2), false);
  return call.Answer(started.ok() ? 0 : call.environment().Refuse(started.error()));
}

/** engineRef(id, on): whether it keeps the process alive. */
napi_value Ref(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  OpenEngine* open = call.environment().FindEngine(call.Int(0));
  open->keeps_alive = call.Int(1) != 0;
  if (open->watch != nullptr) open->watch->ApplyRef();
  call.environment().HostOf(env).ApplyRef();
  return nullptr;
}

/** engineCounters(id): what it has called and moved since it was made. */
Napi::Value Count(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  const EngineCounters& counters = environment->FindEngine(Integer(info, 0))->engine->counters();
  Napi::Object counted = Napi::Object::New(info.Env());
  counted.Set("waitCalls", static_cast<double>(counters.wait_calls));
  counted.Set("eventsReturned", static_cast<double>(counters.events_returned));
  counted.Set("receiveCalls", static_cast<double>(counters.receive_calls));
  counted.Set("sendCalls", static_cast<double>(counters.send_calls));
  counted.Set("acceptCalls", static_cast<double>(counters.accept_calls));
  counted.Set("controlCalls", static_cast<double>(counters.control_calls));
  counted.Set("bytesReceived", static_cast<double>(counters.bytes_received));
  counted.Set("bytesSent", static_cast<double>(counters.bytes_sent));
  return counted;
}

}  // namespace

void ExportEngineCalls(Napi::Env env, Napi::Object exports, Environment* environment) {
  exports.Set("createEngine", Napi::Function::New(env, Create, "createEngine", environment));
  exports.Set("engineInbound", Napi::Function::New(env, InboundOf, "engineInbound", environment));
  exports.Set("engineListen", Napi::Function::New(env, Listen, "engineListen", environment));
  exports.Set("engineAdopt", Napi::Function::New(env, Adopt, "engineAdopt", environment));
  exports.Set("engineDetach", Napi::Function::New(env, Detach, "engineDetach", environment));
  exports.Set("engineWrite", Napi::Function::New(env, WriteLarge, "engineWrite", environment));
  exports.Set("engineCounters", Napi::Function::New(env, Count, "engineCounters", environment));
  ExportRaw(env, exports, "engineDestroy", Destroy, environment);
  ExportRaw(env, exports, "engineServes", Serves, environment);
  ExportRaw(env, exports, "engineFlush", Flush, environment);
  ExportRaw(env, exports, "engineFileno", Fileno, environment);
  ExportRaw(env, exports, "engineTurn", TurnOnce, environment);
  ExportRaw(env, exports, "engineSettle", Settle, environment);
  ExportRaw(env, exports, "engineRun", Run, environment);
  ExportRaw(env, exports, "engineRef", Ref, environment);
}

}  // namespace io_selectors
