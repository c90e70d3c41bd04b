// Datagram sockets and socket addresses for TypeScript, which keeps an address as the bytes of an
// Address, so that receiving one allocates nothing. Source of the contract: src/native.ts.

#include <cstring>

#include "addon/answers.h"
#include "addon/calls.h"
#include "addon/io_call.h"
#include "net/datagram.h"
#include "net/unix_socket.h"

namespace io_selectors {

namespace {

/** The bytes that hold an address, in a raw call; nullptr for anything else. */
uint8_t* AddressBytes(const IoCall& call, size_t index) {
  uint8_t* data = nullptr;
  size_t size = 0;
  return call.ReadBytes(index, &data, &size) && size == sizeof(Address) ? data : nullptr;
}

Address Load(const uint8_t* bytes) {
  Address address;
  std::memcpy(&address, bytes, sizeof(address));
  if (address.length > sizeof(address.storage)) address.length = 0;
  return address;
}

/** Writes an address into the argument at `index`, which TypeScript has allocated. */
Napi::Value AnswerAddress(const Napi::CallbackInfo& info, size_t index,
                          const Result<Address>& address) {
  if (!address.ok()) return AnswerRefusal(info, address.error());
  std::memcpy(info[index].As<Napi::Uint8Array>().Data(), &address.value(), sizeof(Address));
  return Napi::Number::New(info.Env(), 0);
}

Result<Address> InetAt(const Napi::CallbackInfo& info) {
  return InetAddress(Text(info, 0), static_cast<uint16_t>(Integer(info, 1)));
}

/** inetAddress(host, port, into) */
Napi::Value Inet(const Napi::CallbackInfo& info) { return AnswerAddress(info, 2, InetAt(info)); }

/** unixAddress(path, into) */
Napi::Value Unix(const Napi::CallbackInfo& info) {
  return AnswerAddress(info, 1, UnixAddress(Text(info, 0)));
}

/** localAddress(fd, into) */
Napi::Value Local(const Napi::CallbackInfo& info) {
  return AnswerAddress(info, 1, LocalAddress(Integer(info, 0)));
}

/** peerAddress(fd, into) */
Napi::Value Peer(const Napi::CallbackInfo& info) {
  return AnswerAddress(info, 1, PeerAddress(Integer(info, 0)));
}

const char* FamilyOf(const Address& address) {
  switch (address.family()) {
    case AF_INET:
      return "IPv4";
    case AF_INET6:
      return "IPv6";
    case AF_UNIX:
      return "unix";
    default:
      return "none";
  }
}

/** describeAddress(bytes) */
Napi::Value Describe(const Napi::CallbackInfo& info) {
  const Address address = Load(info[0].As<Napi::Uint8Array>().Data());
  Napi::Object words = Napi::Object::New(info.Env());
  words.Set("family", FamilyOf(address));
  words.Set("host", HostOf(address));
  words.Set("port", Napi::Number::New(info.Env(), PortOf(address)));
  words.Set("path", PathOf(address));
  return words;
}

/** bindUnix(path) */
Napi::Value BindByPath(const Napi::CallbackInfo& info) {
  return AnswerDescriptor(info, BindUnix(Text(info, 0)));
}

/** bindUdp(host, port, reusePort, reuseAddress) */
Napi::Value Bind(const Napi::CallbackInfo& info) {
  const Result<Address> local = InetAt(info);
  if (!local.ok()) return AnswerRefusal(info, local.error());
  PortSharing sharing;
  sharing.reuse_port = info[2].As<Napi::Boolean>().Value();
  sharing.reuse_address = info[3].As<Napi::Boolean>().Value();
  return AnswerDescriptor(info, BindUdp(local.value(), sharing));
}

/** connectUdp(host, port) */
Napi::Value Connect(const Napi::CallbackInfo& info) {
  const Result<Address> peer = InetAt(info);
  if (!peer.ok()) return AnswerRefusal(info, peer.error());
  return AnswerDescriptor(info, ConnectUdp(peer.value()));
}

/** recvFrom(fd, sender, bytes, offset, length) */
napi_value ReceiveInto(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  Slice room;
  uint8_t* into = AddressBytes(call, 1);
  if (!call.ReadInt(0, &fd) || !call.ReadRoom(2, &room) || into == nullptr) {
    return call.Answer(-EINVAL);
  }
  Address sender;
  const ssize_t n = ReceiveFrom(fd, room.data, room.length, &sender);
  if (n >= 0) std::memcpy(into, &sender, sizeof(sender));
  return call.Answer(n);
}

/** sendTo(fd, receiver, bytes, offset, length) */
napi_value SendFrom(napi_env env, napi_callback_info info) {
  const IoCall call(env, info);
  int32_t fd = -1;
  Slice slice;
  const uint8_t* receiver = AddressBytes(call, 1);
  if (!call.ReadInt(0, &fd) || !call.ReadSlice(2, &slice) || receiver == nullptr) {
    return call.Answer(-EINVAL);
  }
  return call.Answer(SendTo(fd, slice.data, slice.length, Load(receiver)));
}

}  // namespace

void ExportDatagramCalls(Napi::Env env, Napi::Object exports, Environment* environment) {
  exports.Set("addressBytes", Napi::Number::New(env, sizeof(Address)));
  exports.Set("longestUnixPath", Napi::Number::New(env, static_cast<double>(LongestUnixPath())));
  exports.Set("inetAddress", Napi::Function::New(env, Inet, "inetAddress", environment));
  exports.Set("unixAddress", Napi::Function::New(env, Unix, "unixAddress", environment));
  exports.Set("localAddress", Napi::Function::New(env, Local, "localAddress", environment));
  exports.Set("peerAddress", Napi::Function::New(env, Peer, "peerAddress", environment));
  exports.Set("describeAddress",
              Napi::Function::New(env, Describe, "describeAddress", environment));
  exports.Set("bindUnix", Napi::Function::New(env, BindByPath, "bindUnix", environment));
  exports.Set("bindUdp", Napi::Function::New(env, Bind, "bindUdp", environment));
  exports.Set("connectUdp", Napi::Function::New(env, Connect, "connectUdp", environment));
  ExportRaw(env, exports, "recvFrom", ReceiveInto, environment);
  ExportRaw(env, exports, "sendTo", SendFrom, environment);
}

}  // namespace io_selectors
