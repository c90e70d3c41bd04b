// Stream sockets for TypeScript: what opens one, its I/O and its options; each call returns n or
// -errno and never throws. Source of the contract: src/native.ts.

#include <sys/socket.h>

#include "addon/answers.h"
#include "addon/calls.h"
#include "addon/io_call.h"
#include "net/socket.h"
#include "net/socket_options.h"
#include "net/unix_socket.h"

namespace io_selectors {

namespace {

/** listenTcp(host, port, backlog, reusePort) */
Napi::Value Listen(const Napi::CallbackInfo& info) {
  ListenOptions options;
  options.host = Text(info, 0);
  options.port = static_cast<uint16_t>(Integer(info, 1));
  options.backlog = Integer(info, 2);
  options.reuse_port = info[3].As<Napi::Boolean>().Value();
  return AnswerDescriptor(info, ListenTcp(options));
}

/** connectTcp(host, port, source): its connection is under way; writable once it ended. */
Napi::Value Connect(const Napi::CallbackInfo& info) {
  ConnectOptions options;
  options.host = Text(info, 0);
  options.port = static_cast<uint16_t>(Integer(info, 1));
  options.source = Text(info, 2);
  return AnswerDescriptor(info, ConnectTcp(options));
}

/** The type at that place of SOCKET_TYPES in src/native.ts. */
SocketType TypeAt(int32_t index) {
  if (index == 0) return SocketType::kStream;
  return index == 1 ? SocketType::kDatagram : SocketType::kSeqpacket;
}

/** listenUnix(path, type, backlog) */
Napi::Value ListenByPath(const Napi::CallbackInfo& info) {
  return AnswerDescriptor(info,
                          ListenUnix(Text(info, 0), TypeAt(Integer(info, 1)), Integer(info, 2)));
}

/** connectUnix(path, type) */
Napi::Value ConnectByPath(const Napi::CallbackInfo& info) {
  return AnswerDescriptor(info, ConnectUnix(Text(info, 0), TypeAt(Integer(info, 1))));
}

/** socketPair(type) */
Napi::Value MakeSocketPair(const Napi::CallbackInfo& info) {
  Result<DescriptorPair> pair = OpenSocketPair(TypeAt(Integer(info, 0)));
  if (!pair.ok()) return AnswerRefusal(info, pair.error());
  return AnswerPair(info, std::move(pair.value()));
}

/** localPort(fd) */
Napi::Value Port(const Napi::CallbackInfo& info) {
  const Result<uint16_t> port = LocalPort(Integer(info, 0));
  if (!port.ok()) return AnswerRefusal(info, port.error());
  return Napi::Number::New(info.Env(), port.value());
}

/** socketError(fd): a positive errno. */
napi_value PendingError(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  return call.Answer(call.ReadInt(0, &fd) ? SocketError(fd) : EINVAL);
}

/** accept(fd) */
napi_value AcceptOne(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  if (!call.ReadInt(0, &fd)) return call.Answer(-EINVAL);
  const int accepted = Accept(fd);
  if (accepted >= 0) call.environment().opened.Add(accepted);
  return call.Answer(accepted);
}

/** recv(fd, bytes, offset, length) */
napi_value ReceiveInto(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  Slice room;
  if (!call.ReadInt(0, &fd) || !call.ReadRoom(1, &room)) return call.Answer(-EINVAL);
  return call.Answer(Receive(fd, room.data, room.length));
}

/** send(fd, bytes, offset, length) */
napi_value SendFrom(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  Slice slice;
  if (!call.ReadInt(0, &fd) || !call.ReadSlice(1, &slice)) return call.Answer(-EINVAL);
  return call.Answer(Send(fd, slice.data, slice.length));
}

/** lendFrame(frame): permanently. Four int32. */
napi_value LendFrame(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  void* data = nullptr;
  size_t length = 0;
  napi_typedarray_type type = napi_uint8_array;
  napi_ref pinned = nullptr;  // goes with the environment
  napi_get_typedarray_info(env, call.Value(0), &type, &length, &data, nullptr, nullptr);
  if (type != napi_int32_array || length * sizeof(int32_t) != sizeof(Frame)) {
    return call.Answer(-EINVAL);
  }
  napi_create_reference(env, call.Value(0), 1, &pinned);
  call.environment().frame = static_cast<Frame*>(data);
  return call.Answer(0);
}

/** lend(direction, bytes): its length, or -EINVAL. */
napi_value Lend(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t direction = -1;
  uint8_t* data = nullptr;
  size_t size = 0;
  if (!call.ReadInt(0, &direction) || (direction != kReceiving && direction != kSending) ||
      !call.ReadBytes(1, &data, &size) || size == 0 || size > INT32_MAX) {
    return call.Answer(-EINVAL);
  }
  const int32_t length = static_cast<int32_t>(size);
  call.environment().lent[direction] = LentBytes{data, length};
  return call.Answer(length);
}

/** The part of lent bytes that the frame names; nullptr if they do not reach so far. */
uint8_t* PartOf(const LentBytes& lent, const Frame& frame) {
  const bool within = frame.offset >= 0 && frame.length > 0 &&
                      int64_t{frame.offset} + frame.length <= int64_t{lent.length};
  return within ? lent.data + frame.offset : nullptr;
}

Environment& EnvironmentOf(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  return *static_cast<Environment*>(data);
}

/** recvLent(): recv into lent bytes, both ways by the frame: no value crosses. */
napi_value ReceiveLent(napi_env env, napi_callback_info info) {
  const Environment& environment = EnvironmentOf(env, info);
  Frame& frame = *environment.frame;
  uint8_t* room = PartOf(environment.lent[kReceiving], frame);
  const ssize_t n =
      room == nullptr ? -EINVAL : Receive(frame.fd, room, static_cast<size_t>(frame.length));
  frame.answer = static_cast<int32_t>(n);
  return nullptr;
}

/** sendLent(): send from lent bytes, as recvLent. */
napi_value SendLent(napi_env env, napi_callback_info info) {
  const Environment& environment = EnvironmentOf(env, info);
  Frame& frame = *environment.frame;
  const uint8_t* part = PartOf(environment.lent[kSending], frame);
  const ssize_t n =
      part == nullptr ? -EINVAL : Send(frame.fd, part, static_cast<size_t>(frame.length));
  frame.answer = static_cast<int32_t>(n);
  return nullptr;
}

/** shutdown(fd, how): 0 reading, 1 writing, 2 both, as SHUT_RD, SHUT_WR and SHUT_RDWR. */
napi_value ShutDown(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  int32_t how = -1;
  if (!call.ReadInt(0, &fd) || !call.ReadInt(1, &how)) return call.Answer(-EINVAL);
  return call.Answer(shutdown(fd, how) < 0 ? -errno : 0);
}

/** setOption(fd, option, value): the option's place in SOCKET_OPTIONS of src/native.ts. */
napi_value SetOne(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  int32_t option = -1;
  int32_t value = 0;
  if (!call.ReadInt(0, &fd) || !call.ReadInt(1, &option) || !call.ReadInt(2, &value)) {
    return call.Answer(-EINVAL);
  }
  const Result<void> done = SetSocketOption(fd, static_cast<SocketOption>(option), value);
  return call.Answer(done.ok() ? 0 : -done.error().errno_value);
}

/** getOption(fd, option) */
napi_value GetOne(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  int32_t option = -1;
  if (!call.ReadInt(0, &fd) || !call.ReadInt(1, &option)) return call.Answer(-EINVAL);
  const Result<int> value = GetSocketOption(fd, static_cast<SocketOption>(option));
  return call.Answer(value.ok() ? value.value() : -value.error().errno_value);
}

}  // namespace

void ExportSocketCalls(Napi::Env env, Napi::Object exports, Environment* environment) {
  exports.Set("listenTcp", Napi::Function::New(env, Listen, "listenTcp", environment));
  exports.Set("connectTcp", Napi::Function::New(env, Connect, "connectTcp", environment));
  exports.Set("listenUnix", Napi::Function::New(env, ListenByPath, "listenUnix", environment));
  exports.Set("connectUnix", Napi::Function::New(env, ConnectByPath, "connectUnix", environment));
  exports.Set("socketPair", Napi::Function::New(env, MakeSocketPair, "socketPair", environment));
  exports.Set("localPort", Napi::Function::New(env, Port, "localPort", environment));
  ExportRaw(env, exports, "socketError", PendingError, environment);
  ExportRaw(env, exports, "accept", AcceptOne, environment);
  ExportRaw(env, exports, "recv", ReceiveInto, environment);
  ExportRaw(env, exports, "send", SendFrom, environment);
  ExportRaw(env, exports, "lendFrame", LendFrame, environment);
  ExportRaw(env, exports, "lend", Lend, environment);
  ExportRaw(env, exports, "recvLent", ReceiveLent, environment);
  ExportRaw(env, exports, "sendLent", SendLent, environment);
  ExportRaw(env, exports, "shutdown", ShutDown, environment);
  ExportRaw(env, exports, "setOption", SetOne, environment);
  ExportRaw(env, exports, "getOption", GetOne, environment);
}

}  // namespace io_selectors
