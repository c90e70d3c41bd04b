// Descriptors of every other kind for TypeScript: read, write and close; pipes, FIFOs, terminals;
// what the kernel counts and reports. Source of the contract: src/native.ts.

#include "addon/answers.h"
#include "addon/calls.h"
#include "addon/io_call.h"
#include "net/descriptor.h"
#include "net/event_source.h"
#include "net/pty.h"

namespace io_selectors {

namespace {

/** read(fd, bytes, offset, length) */
napi_value ReadInto(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  Slice room;
  if (!call.ReadInt(0, &fd) || !call.ReadRoom(1, &room)) return call.Answer(-EINVAL);
  return call.Answer(Read(fd, room.data, room.length));
}

/** write(fd, bytes, offset, length) */
napi_value WriteFrom(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  Slice slice;
  if (!call.ReadInt(0, &fd) || !call.ReadSlice(1, &slice)) return call.Answer(-EINVAL);
  return call.Answer(Write(fd, slice.data, slice.length));
}

/** close(fd) */
napi_value CloseOne(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  if (!call.ReadInt(0, &fd)) return call.Answer(-EINVAL);
  SelectorTable& selectors = call.environment().selectors;
  selectors.ForEachWatching(fd, [fd](OpenSelector& open) { open.selector->BeforeClose(fd); });
  OpenedDescriptors::Remove(fd);
  // EINTR: the descriptor is gone all the same (close(2), on Linux and the BSDs alike).
  const int32_t answer = close(fd) < 0 && errno != EINTR ? -errno : 0;
  call.environment().signals.erase(fd);
  selectors.ForEachWatching(fd, [](OpenSelector& open) { open.TellWatch(); });
  return call.Answer(answer);
}

/** own(fd): closed with the environment, unless close() or keepOpen() comes first. */
napi_value OwnOne(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  call.environment().opened.Add(call.Int(0));
  return nullptr;
}

/** keepOpen(fd): the environment's end does not close it. */
napi_value KeepOpen(napi_env env, napi_callback_info info) {
  OpenedDescriptors::Remove(Call(env, info).Int(0));
  return nullptr;
}

/** setNonBlocking(fd, on) */
napi_value SetBlocking(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  int32_t on = -1;
  if (!call.ReadInt(0, &fd) || !call.ReadInt(1, &on)) return call.Answer(-EINVAL);
  const Result<void> done = SetNonBlocking(fd, on != 0);
  return call.Answer(done.ok() ? 0 : -done.error().errno_value);
}

/** readCounter(fd): counts past 2^53 lose their last digits. */
napi_value CountOf(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  uint64_t count = 0;
  const int answer = call.ReadInt(0, &fd) ? ReadCounter(fd, &count) : -EINVAL;
  if (answer < 0) return call.Answer(answer);
  napi_value result = nullptr;
  napi_create_double(env, static_cast<double>(count), &result);
  return result;
}

/** writeCounter(fd, count) */
napi_value AddTo(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  uint64_t count = 0;
  if (!call.ReadInt(0, &fd) || !call.ReadCount(1, &count)) return call.Answer(-EINVAL);
  return call.Answer(WriteCounter(fd, count));
}

/** dup(fd) */
Napi::Value DuplicateOne(const Napi::CallbackInfo& info) {
  return AnswerDescriptor(info, Duplicate(Integer(info, 0)));
}

/** pipe() */
Napi::Value Pipe(const Napi::CallbackInfo& info) {
  Result<DescriptorPair> pair = MakePipe();
  if (!pair.ok()) return AnswerRefusal(info, pair.error());
  return AnswerPair(info, std::move(pair.value()));
}

/** makeFifo(path, mode) */
Napi::Value NewFifo(const Napi::CallbackInfo& info) {
  const Result<void> made = MakeFifo(Text(info, 0), static_cast<mode_t>(Integer(info, 1)));
  if (!made.ok()) return AnswerRefusal(info, made.error());
  return Napi::Number::New(info.Env(), 0);
}

/** openFifo(path, write) */
Napi::Value FifoAt(const Napi::CallbackInfo& info) {
  const bool write = info[1].As<Napi::Boolean>().Value();
  return AnswerDescriptor(info, OpenFifo(Text(info, 0), write ? FifoEnd::kWrite : FifoEnd::kRead));
}

/** openPty() */
Napi::Value NewPty(const Napi::CallbackInfo& info) {
  Result<Pty> pty = OpenPty();
  if (!pty.ok()) return AnswerRefusal(info, pty.error());
  Napi::Object sides = Napi::Object::New(info.Env());
  sides.Set("controller", GiveOut(info, std::move(pty.value().controller)));
  sides.Set("terminal", GiveOut(info, std::move(pty.value().terminal)));
  sides.Set("path", pty.value().path);
  return sides;
}

/** openEventfd(initial) */
Napi::Value NewEventfd(const Napi::CallbackInfo& info) {
  return AnswerDescriptor(info, OpenEventfd(info[0].As<Napi::Number>().Uint32Value()));
}

/** openTimer(delayNs, intervalNs) */
Napi::Value NewTimer(const Napi::CallbackInfo& info) {
  return AnswerDescriptor(info, OpenTimer(info[0].As<Napi::Number>().Int64Value(),
                                          info[1].As<Napi::Number>().Int64Value()));
}

}  // namespace

void ExportDescriptorCalls(Napi::Env env, Napi::Object exports, Environment* environment) {
  ExportRaw(env, exports, "read", ReadInto, environment);
  ExportRaw(env, exports, "write", WriteFrom, environment);
  ExportRaw(env, exports, "close", CloseOne, environment);
  ExportRaw(env, exports, "own", OwnOne, environment);
  ExportRaw(env, exports, "keepOpen", KeepOpen, environment);
  ExportRaw(env, exports, "setNonBlocking", SetBlocking, environment);
  ExportRaw(env, exports, "readCounter", CountOf, environment);
  ExportRaw(env, exports, "writeCounter", AddTo, environment);
  exports.Set("dup", Napi::Function::New(env, DuplicateOne, "dup", environment));
  exports.Set("pipe", Napi::Function::New(env, Pipe, "pipe", environment));
  exports.Set("makeFifo", Napi::Function::New(env, NewFifo, "makeFifo", environment));
  exports.Set("openFifo", Napi::Function::New(env, FifoAt, "openFifo", environment));
  exports.Set("openPty", Napi::Function::New(env, NewPty, "openPty", environment));
  exports.Set("openEventfd", Napi::Function::New(env, NewEventfd, "openEventfd", environment));
  exports.Set("openTimer", Napi::Function::New(env, NewTimer, "openTimer", environment));
}

}  // namespace io_selectors
