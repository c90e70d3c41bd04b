// What the kernel announces, for TypeScript: inotify, netlink, signals; and the modes of terminals.
// src/native.ts has the contract.

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "addon/answers.h"
#include "addon/calls.h"
#include "addon/io_call.h"
#include "net/descriptor.h"
#include "net/inotify.h"
#include "net/netlink.h"
#include "net/terminal.h"

namespace io_selectors {

namespace {

Environment& EnvironmentOf(const Napi::CallbackInfo& info) {
  return *static_cast<Environment*>(info.Data());
}

/** An Int32Array that TypeScript has made. */
std::vector<int> Integers(const Napi::CallbackInfo& info, size_t index) {
  const auto array = info[index].As<Napi::Int32Array>();
  return std::vector<int>(array.Data(), array.Data() + array.ElementLength());
}

Napi::Value AnswerDone(const Napi::CallbackInfo& info, const Result<void>& done) {
  if (!done.ok()) return AnswerRefusal(info, done.error());
  return Napi::Number::New(info.Env(), 0);
}

/** openInotify() */
Napi::Value NewInotify(const Napi::CallbackInfo& info) {
  return AnswerDescriptor(info, OpenInotify());
}

/** addWatch(fd, path, mask) */
Napi::Value NewWatch(const Napi::CallbackInfo& info) {
  const Result<int> watch =
      AddWatch(Integer(info, 0), Text(info, 1), info[2].As<Napi::Number>().Uint32Value());
  if (!watch.ok()) return AnswerRefusal(info, watch.error());
  return Napi::Number::New(info.Env(), watch.value());
}

/** removeWatch(fd, watch) */
napi_value Unwatch(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  int32_t watch = -1;
  if (!call.ReadInt(0, &fd) || !call.ReadInt(1, &watch)) return call.Answer(-EINVAL);
  const Result<void> done = RemoveWatch(fd, watch);
  return call.Answer(done.ok() ? 0 : -done.error().errno_value);
}

/** watchDirectory(path) */
Napi::Value NewDirectoryWatch(const Napi::CallbackInfo& info) {
  return AnswerDescriptor(info, WatchDirectory(Text(info, 0)));
}

/** openNetlink(uevent, groups) */
Napi::Value NewNetlink(const Napi::CallbackInfo& info) {
  const bool uevent = info[0].As<Napi::Boolean>().Value();
  const NetlinkFamily family = uevent ? NetlinkFamily::kUevent : NetlinkFamily::kRoute;
  return AnswerDescriptor(info, OpenNetlink(family, Integers(info, 1)));
}

/** openSignals(numbers) */
Napi::Value NewSignals(const Napi::CallbackInfo& info) {
  Result<std::unique_ptr<SignalSource>> source = SignalSource::Open(Integers(info, 0));
  if (!source.ok()) return AnswerRefusal(info, source.error());
  Result<OwnedFd> fd = source.value()->Descriptor();
  if (fd.ok()) EnvironmentOf(info).signals[fd.value().get()] = std::move(source.value());
  return AnswerDescriptor(info, std::move(fd));
}

/** takeSignals(fd): their numbers in an array, or -EBADF. */
Napi::Value TakeSignals(const Napi::CallbackInfo& info) {
  const auto& signals = EnvironmentOf(info).signals;
  const auto found = signals.find(Integer(info, 0));
  if (found == signals.end()) return AnswerRefusal(info, Error{EBADF, "read"});
  const std::vector<int> taken = found->second->Take();
  Napi::Array numbers = Napi::Array::New(info.Env(), taken.size());
  for (size_t i = 0; i < taken.size(); ++i) {
    numbers.Set(static_cast<uint32_t>(i), Napi::Number::New(info.Env(), taken[i]));
  }
  return numbers;
}

constexpr size_t kLineIntegers = sizeof(SerialLine) / sizeof(int32_t);

/** enterRawMode(fd, line, saved): a SerialLine as an Int32Array, a TerminalState as bytes. */
Napi::Value EnterRaw(const Napi::CallbackInfo& info) {
  const std::vector<int> integers = Integers(info, 1);
  if (integers.size() != kLineIntegers) return AnswerRefusal(info, Error{EINVAL, "tcsetattr"});
  SerialLine line;
  std::memcpy(static_cast<void*>(&line), integers.data(), sizeof(line));
  const Result<TerminalState> before = EnterRawMode(Integer(info, 0), line);
  if (!before.ok()) return AnswerRefusal(info, before.error());
  auto saved = info[2].As<Napi::Uint8Array>();
  std::memcpy(saved.Data(), &before.value(), std::min(sizeof(TerminalState), saved.ByteLength()));
  return Napi::Number::New(info.Env(), 0);
}

/** restoreTerminal(fd, saved) */
Napi::Value Restore(const Napi::CallbackInfo& info) {
  const auto saved = info[1].As<Napi::Uint8Array>();
  TerminalState state;
  std::memcpy(&state, saved.Data(), std::min(sizeof(state), saved.ByteLength()));
  return AnswerDone(info, RestoreTerminal(Integer(info, 0), state));
}

/** readTerminal(fd, line) */
Napi::Value ReadLine(const Napi::CallbackInfo& info) {
  const Result<SerialLine> line = ReadTerminal(Integer(info, 0));
  if (!line.ok()) return AnswerRefusal(info, line.error());
  auto into = info[1].As<Napi::Int32Array>();
  std::memcpy(into.Data(), &line.value(), std::min(sizeof(SerialLine), into.ByteLength()));
  return Napi::Number::New(info.Env(), 0);
}

/** endsWithEio(fd) */
Napi::Value EndsInEio(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), EndsWithEio(Integer(info, 0)));
}

}  // namespace

void ExportSourceCalls(Napi::Env env, Napi::Object exports, Environment* environment) {
  exports.Set("terminalStateBytes", Napi::Number::New(env, sizeof(TerminalState)));
  ExportRaw(env, exports, "removeWatch", Unwatch, environment);
  const auto add = [&](const char* name, Napi::Value (*call)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, call, name, environment));
  };
  add("openInotify", NewInotify);
  add("addWatch", NewWatch);
  add("watchDirectory", NewDirectoryWatch);
  add("openNetlink", NewNetlink);
  add("openSignals", NewSignals);
  add("takeSignals", TakeSignals);
  add("enterRawMode", EnterRaw);
  add("restoreTerminal", Restore);
  add("readTerminal", ReadLine);
  add("endsWithEio", EndsInEio);
}

}  // namespace io_selectors
