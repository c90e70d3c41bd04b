// The addon's door: makes the environment's state and exports its calls. Loaded by src/native.ts
// and by nothing else.

#include "addon/calls.h"

namespace io_selectors {

namespace {

napi_value DoNothing(napi_env /*env*/, napi_callback_info /*info*/) { return nullptr; }

/** The environment ends: what the library opened in it is closed. References go with it. */
void End(napi_env /*env*/, void* data, void* /*hint*/) { delete static_cast<Environment*>(data); }

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  auto environment = std::make_unique<Environment>(loop);
  napi_value nothing = nullptr;
  napi_create_function(env, "nothing", NAPI_AUTO_LENGTH, DoNothing, nullptr, &nothing);
  napi_create_reference(env, nothing, 1, &environment->nothing);
  ExportSelectorCalls(env, exports, environment.get());
  ExportWaitCalls(env, exports, environment.get());
  ExportSocketCalls(env, exports, environment.get());
  ExportDatagramCalls(env, exports, environment.get());
  ExportDescriptorCalls(env, exports, environment.get());
  ExportEngineCalls(env, exports, environment.get());
  ExportSourceCalls(env, exports, environment.get());
  ExportMessageCalls(env, exports, environment.get());
  napi_set_instance_data(env, environment.release(), End, nullptr);
  return exports;
}

}  // namespace

}  // namespace io_selectors

Napi::Object InitializeAddon(Napi::Env env, Napi::Object exports) {
  return io_selectors::Initialize(env, exports);
}

NODE_API_MODULE(io_selectors, InitializeAddon)
