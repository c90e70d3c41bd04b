// Non-blocking sockets for TypeScript: each call answers n or -errno and never throws. Source of
// the contract: src/native.ts.

#include <fcntl.h>

#include "addon/calls.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

/** Answers with the descriptor, which is TypeScript's from now on, or -errno. */
Napi::Value AnswerDescriptor(const Napi::CallbackInfo& info, Result<OwnedFd> fd) {
  auto* environment = static_cast<Environment*>(info.Data());
  return Napi::Number::New(info.Env(),
                           fd.ok() ? fd.value().Release() : environment->Refuse(fd.error()));
}

/** listenTcp(host, port, backlog, reusePort) */
Napi::Value Listen(const Napi::CallbackInfo& info) {
  ListenOptions options;
  options.host = info[0].As<Napi::String>().Utf8Value();
  options.port = static_cast<uint16_t>(info[1].As<Napi::Number>().Uint32Value());
  options.backlog = info[2].As<Napi::Number>().Int32Value();
  options.reuse_port = info[3].As<Napi::Boolean>().Value();
  return AnswerDescriptor(info, ListenTcp(options));
}

/** connectTcp(host, port): its connection is under way; writable once it ended. */
Napi::Value Connect(const Napi::CallbackInfo& info) {
  ConnectOptions options;
  options.host = info[0].As<Napi::String>().Utf8Value();
  options.port = static_cast<uint16_t>(info[1].As<Napi::Number>().Uint32Value());
  return AnswerDescriptor(info, ConnectTcp(options));
}

napi_value Port(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Result<uint16_t> port = LocalPort(call.Int(0));
  return call.Answer(port.ok() ? port.value() : call.environment().Refuse(port.error()));
}

napi_value PendingError(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  return call.Answer(SocketError(call.Int(0)));
}

napi_value AcceptOne(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  return call.Answer(Accept(call.Int(0)));
}

napi_value CloseOne(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  // EINTR: the descriptor is gone all the same (close(2), on Linux and the BSDs alike).
  const int result = close(call.Int(0));
  return call.Answer(result < 0 && errno != EINTR ? -errno : 0);
}

/** The part of a Uint8Array from `offset` on, at most `length` bytes; data is nullptr where it is
 * not inside. */
struct Slice {
  uint8_t* data = nullptr;
  size_t length = 0;
};

Slice SliceOf(const Call& call) {
  napi_typedarray_type type;
  size_t size = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(call.env(), call.Value(1), &type, &size, &data, nullptr, nullptr) !=
          napi_ok ||
      type != napi_uint8_array) {
    return {};
  }
  const int32_t offset = call.Int(2);
  const int32_t length = call.Int(3);
  if (offset < 0 || length < 0 || static_cast<size_t>(offset) > size ||
      static_cast<size_t>(length) > size - static_cast<size_t>(offset)) {
    return {};
  }
  return Slice{static_cast<uint8_t*>(data) + offset, static_cast<size_t>(length)};
}

/** recv(fd, bytes, offset, length) */
napi_value ReceiveInto(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Slice slice = SliceOf(call);
  if (slice.data == nullptr) return call.Answer(-EINVAL);
  return call.Answer(static_cast<int32_t>(Receive(call.Int(0), slice.data, slice.length)));
}

/** send(fd, bytes, offset, length) */
napi_value SendFrom(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Slice slice = SliceOf(call);
  if (slice.data == nullptr) return call.Answer(-EINVAL);
  return call.Answer(static_cast<int32_t>(Send(call.Int(0), slice.data, slice.length)));
}

}  // namespace

void ExportSocketCalls(Napi::Env env, Napi::Object exports, Environment* environment) {
  exports.Set("listenTcp", Napi::Function::New(env, Listen, "listenTcp", environment));
  exports.Set("connectTcp", Napi::Function::New(env, Connect, "connectTcp", environment));
  ExportRaw(env, exports, "localPort", Port, environment);
  ExportRaw(env, exports, "socketError", PendingError, environment);
  ExportRaw(env, exports, "accept", AcceptOne, environment);
  ExportRaw(env, exports, "recv", ReceiveInto, environment);
  ExportRaw(env, exports, "send", SendFrom, environment);
  ExportRaw(env, exports, "close", CloseOne, environment);
}

}  // namespace io_selectors
