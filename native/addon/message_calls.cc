// Messages that carry more than bytes, for TypeScript: descriptors over Unix sockets, and multicast
// groups. src/native.ts has the contract.

#include <algorithm>

#include "addon/answers.h"
#include "addon/calls.h"
#include "addon/io_call.h"
#include "net/descriptor_passing.h"
#include "net/multicast.h"

namespace io_selectors {

namespace {

/** sendDescriptor(socket, descriptors, bytes, offset, length): a number or an Int32Array. */
napi_value SendPassed(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t socket = -1;
  int32_t one = -1;
  int32_t* fds = &one;
  size_t count = 1;
  Slice slice;
  if (!call.ReadInt(0, &socket) || !call.ReadSlice(2, &slice)) return call.Answer(-EINVAL);
  if (!call.ReadInt(1, &one) && !call.ReadInts(1, &fds, &count)) return call.Answer(-EINVAL);
  return call.Answer(SendDescriptors(socket, slice.data, slice.length, fds, count));
}

/** receiveDescriptor(socket, descriptors, bytes, offset, length): fills an Int32Array. */
napi_value ReceivePassed(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t socket = -1;
  int32_t* into = nullptr;
  size_t most = 0;
  Slice room;
  if (!call.ReadInt(0, &socket) || !call.ReadInts(1, &into, &most) || !call.ReadRoom(2, &room)) {
    return call.Answer(-EINVAL);
  }
  PassedDescriptors passed;
  const ssize_t n = ReceiveDescriptors(socket, room.data, room.length, most, &passed);
  if (n < 0) return call.Answer(n);
  std::fill(into, into + most, -1);
  for (size_t i = 0; i < passed.count; ++i) {
    into[i] = call.environment().GiveOut(OwnedFd(passed.fds[i]));
  }
  return call.Answer(n);
}

/** changeMembership(fd, join, group, interface, source): an index, and "" for any source. */
Napi::Value Membership(const Napi::CallbackInfo& info) {
  MulticastGroup membership;
  membership.group = Text(info, 2);
  membership.interface = info[3].As<Napi::Number>().Uint32Value();
  membership.source = Text(info, 4);
  const bool join = info[1].As<Napi::Boolean>().Value();
  const Result<void> done = ChangeMembership(Integer(info, 0), join, membership);
  if (!done.ok()) return AnswerRefusal(info, done.error());
  return Napi::Number::New(info.Env(), 0);
}

/** interfaceIndex(name) */
Napi::Value IndexOf(const Napi::CallbackInfo& info) {
  const Result<uint32_t> index = InterfaceIndex(Text(info, 0));
  if (!index.ok()) return AnswerRefusal(info, index.error());
  return Napi::Number::New(info.Env(), index.value());
}

/** setMulticast(fd, option, value): the option's place in MULTICAST_OPTIONS of src/native.ts. */
napi_value SetOne(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  int32_t option = -1;
  int32_t value = 0;
  if (!call.ReadInt(0, &fd) || !call.ReadInt(1, &option) || !call.ReadInt(2, &value)) {
    return call.Answer(-EINVAL);
  }
  const Result<void> done = SetMulticastOption(fd, static_cast<MulticastOption>(option), value);
  return call.Answer(done.ok() ? 0 : call.environment().Refuse(done.error()));
}

/** getMulticast(fd, option) */
napi_value GetOne(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  int32_t option = -1;
  if (!call.ReadInt(0, &fd) || !call.ReadInt(1, &option)) return call.Answer(-EINVAL);
  const Result<int> value = GetMulticastOption(fd, static_cast<MulticastOption>(option));
  return call.Answer(value.ok() ? value.value() : -value.error().errno_value);
}

}  // namespace

void ExportMessageCalls(Napi::Env env, Napi::Object exports, Environment* environment) {
  exports.Set("changeMembership",
              Napi::Function::New(env, Membership, "changeMembership", environment));
  exports.Set("interfaceIndex", Napi::Function::New(env, IndexOf, "interfaceIndex", environment));
  ExportRaw(env, exports, "sendDescriptor", SendPassed, environment);
  ExportRaw(env, exports, "receiveDescriptor", ReceivePassed, environment);
  ExportRaw(env, exports, "setMulticast", SetOne, environment);
  ExportRaw(env, exports, "getMulticast", GetOne, environment);
}

}  // namespace io_selectors
