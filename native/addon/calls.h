// What the addon exports, and how a raw Node-API function reads its arguments and answers.
// The hot functions are raw: node-addon-api doubles the price of a crossing (29 ns against 9 for an
// empty call).
#pragma once

#include <napi.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "addon/environment.h"
#include "core/timeout.h"

namespace io_selectors {

/** The arguments of one raw call; a missing or foreign one reads as 0, which TypeScript has ruled
 * out before. */
class Call {
 public:
  Call(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = kMost;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, arguments_, nullptr, &data);
    environment_ = static_cast<Environment*>(data);
  }

  napi_env env() const { return env_; }
  Environment& environment() const { return *environment_; }
  napi_value Value(size_t index) const { return arguments_[index]; }

  int32_t Int(size_t index) const {
    int32_t value = -1;
    napi_get_value_int32(env_, arguments_[index], &value);
    return value;
  }
  double Double(size_t index) const {
    double value = 0;
    napi_get_value_double(env_, arguments_[index], &value);
    return value;
  }
  napi_value Answer(int32_t value) const {
    napi_value result = nullptr;
    napi_create_int32(env_, value, &result);
    return result;
  }

 private:
  static constexpr size_t kMost = 4;
  napi_env env_;
  napi_value arguments_[kMost] = {};
  Environment* environment_ = nullptr;
};

/** Milliseconds from TypeScript, where below 0 is forever; fractions round up, and what no kernel
 * takes is clamped. */
inline int64_t ToNanoseconds(double timeout_ms) {
  constexpr double kLongestMs = 1e12;  // thirty years
  if (timeout_ms < 0) return kForever;
  return static_cast<int64_t>(std::ceil(std::fmin(timeout_ms, kLongestMs) * 1e6));
}

/** Whether this thread's JavaScript is being ended (worker.terminate, process.exit): calling into
 * it then fails. */
inline bool LeavesNow(napi_env env, const Environment& environment) {
  napi_value nothing = nullptr;
  napi_value receiver = nullptr;
  napi_get_reference_value(env, environment.nothing, &nothing);
  napi_get_undefined(env, &receiver);
  return napi_call_function(env, receiver, nothing, 0, nullptr, nullptr) != napi_ok;
}

/** selector_calls.cc: backends, create, destroy, register, modify, unregister. */
void ExportSelectorCalls(Napi::Env env, Napi::Object exports, Environment* environment);

/** wait_calls.cc: poll, the run that hosts Node's loop, the waits on it, and wakers. */
void ExportWaitCalls(Napi::Env env, Napi::Object exports, Environment* environment);

/** socket_calls.cc: stream sockets: listen, connect, accept, recv, send and the options. */
void ExportSocketCalls(Napi::Env env, Napi::Object exports, Environment* environment);

/** datagram_calls.cc: bind, recvFrom, sendTo, and addresses. */
void ExportDatagramCalls(Napi::Env env, Napi::Object exports, Environment* environment);

/** descriptor_calls.cc: read, write, close, dup; pipes, FIFOs, terminals, counters and timers. */
void ExportDescriptorCalls(Napi::Env env, Napi::Object exports, Environment* environment);

/** engine_calls.cc: engines of connections. */
void ExportEngineCalls(Napi::Env env, Napi::Object exports, Environment* environment);

/** source_calls.cc: inotify, netlink, signals, and the modes of terminals. */
void ExportSourceCalls(Napi::Env env, Napi::Object exports, Environment* environment);

/** message_calls.cc: descriptors over Unix sockets, multicast groups. */
void ExportMessageCalls(Napi::Env env, Napi::Object exports, Environment* environment);

/** Adds one raw function that finds its environment in its data. */
inline void ExportRaw(Napi::Env env, Napi::Object exports, const char* name, napi_callback call,
                      Environment* environment) {
  napi_value function = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, call, environment, &function);
  exports.Set(name, Napi::Value(env, function));
}

}  // namespace io_selectors
