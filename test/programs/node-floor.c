// A Node addon that is peer:bare-epoll with one call into JavaScript per wait: what a server costs
// at least if it runs inside Node. It occupies Node's thread, so it is good for measuring only.
// Node-API: napi_call_function, napi_make_callback
#define main serve_until_stopped
#define epoll_wait call_and_wait
#include "bare-epoll.c"
#undef main
#undef epoll_wait
#include <node_api.h>
#include <uv.h>

extern int epoll_wait(int set, struct epoll_event* events, int capacity, int timeout_ms);

/* A handle scope per call would be a part of the figure; one for all would grow. */
enum { kCallsPerScope = 64 };

typedef enum { kNoCall, kFunction, kCallback } CallKind;

static napi_env node;
static napi_ref function;
static napi_async_context context;
static napi_handle_scope scope;
static CallKind call_kind;
static int calls;

static void call_javascript(void) {
  static napi_value receiver, called;
  if (calls++ % kCallsPerScope == 0) {
    if (scope != NULL) napi_close_handle_scope(node, scope);
    napi_open_handle_scope(node, &scope);
    napi_get_global(node, &receiver);
    napi_get_reference_value(node, function, &called);
  }
  if (call_kind == kFunction) {
    napi_call_function(node, receiver, called, 0, NULL, NULL);
  } else {
    napi_make_callback(node, context, receiver, called, 0, NULL, NULL);
  }
}

int call_and_wait(int epoll, struct epoll_event* events, int capacity, int timeout_ms) {
  if (call_kind != kNoCall) call_javascript();
  return epoll_wait(epoll, events, capacity, timeout_ms);
}

/* In a phase of the loop, where no JavaScript is on the stack. */
static void on_prepare(uv_prepare_t* prepare) {
  (void)prepare;
  exit(serve_until_stopped());
}

/* serve(kind, function) */
static napi_value serve_in_node(napi_env env, napi_callback_info info) {
  static uv_prepare_t prepare;
  napi_value arguments[2], name;
  size_t count = 2;
  uv_loop_t* loop;
  int32_t kind;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_int32(env, arguments[0], &kind);
  napi_create_reference(env, arguments[1], 1, &function);
  napi_create_string_utf8(env, "floor", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, NULL, name, &context);
  napi_get_uv_event_loop(env, &loop);
  node = env;
  call_kind = (CallKind)kind;
  uv_prepare_init(loop, &prepare);
  uv_prepare_start(&prepare, on_prepare);
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value made;
  napi_create_function(env, "serve", NAPI_AUTO_LENGTH, serve_in_node, NULL, &made);
  napi_set_named_property(env, exports, "serve", made);
  return exports;
}
