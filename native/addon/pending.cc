#include "addon/pending.h"

#include <utility>

namespace io_selectors {

Pending::Pending(napi_env env, const char* name) : env_(env) {
  napi_value text = nullptr;
  napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &text);
  napi_async_init(env, nullptr, text, &context_);
}

Pending::~Pending() { napi_async_destroy(env_, context_); }

napi_value Pending::Next() {
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  if (napi_create_promise(env_, &deferred, &promise) != napi_ok) return nullptr;
  waiting_.push_back(deferred);
  return promise;
}

void Pending::ResolveAll() {
  napi_handle_scope handles = nullptr;
  napi_callback_scope callbacks = nullptr;
  if (napi_open_handle_scope(env_, &handles) != napi_ok) return;
  napi_value nothing = nullptr;
  napi_get_undefined(env_, &nothing);
  if (napi_open_callback_scope(env_, nothing, context_, &callbacks) == napi_ok) {
    ResolveAllInCall();
    napi_close_callback_scope(env_, callbacks);
  }
  napi_close_handle_scope(env_, handles);
}

void Pending::ResolveAllInCall() {
  napi_value nothing = nullptr;
  napi_get_undefined(env_, &nothing);
  const std::vector<napi_deferred> waiting = std::exchange(waiting_, {});
  for (const napi_deferred deferred : waiting) napi_resolve_deferred(env_, deferred, nothing);
}

}  // namespace io_selectors
