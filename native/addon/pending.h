// Pending: promises that a callback of Node's loop resolves later. All owners of a uv handle share
// it.
#pragma once

#include <node_api.h>

#include <vector>

namespace io_selectors {

class Pending {
 public:
  /** @param name what asynchronous stack traces and async_hooks show. */
  Pending(napi_env env, const char* name);
  /** While the environment is there: before its asynchronous clean-up hook is removed. */
  ~Pending();
  Pending(const Pending&) = delete;
  Pending& operator=(const Pending&) = delete;

  napi_env env() const { return env_; }
  bool empty() const { return waiting_.empty(); }

  /** @returns a promise, nullptr if the environment is ending. */
  napi_value Next();

  /** From now on this has the promises of the other. */
  void TakeOver(Pending& other) { waiting_.swap(other.waiting_); }

  /** Resolves all with undefined, from a callback of the loop: ticks and promise jobs run in it. */
  void ResolveAll();

  /** The same from within a call of JavaScript, whose own end runs them. */
  void ResolveAllInCall();

 private:
  napi_env env_;
  napi_async_context context_ = nullptr;
  std::vector<napi_deferred> waiting_;
};

}  // namespace io_selectors
