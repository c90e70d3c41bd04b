#include "addon/hosted_run.h"

#include <algorithm>
#include <cerrno>

#include "addon/calls.h"
#include "core/timeout.h"

namespace io_selectors {

namespace {

/** The sooner of two timeouts, of which those below 0 are for ever. */
int64_t Sooner(int64_t one_ns, int64_t other_ns) {
  if (one_ns < 0 || other_ns < 0) return std::max(one_ns, other_ns);
  return std::min(one_ns, other_ns);
}

/** A callback of the loop has no scope of Node-API's own. */
class HandleScope {
 public:
  explicit HandleScope(napi_env env) : env_(env) { napi_open_handle_scope(env, &scope_); }
  ~HandleScope() { napi_close_handle_scope(env_, scope_); }
  HandleScope(const HandleScope&) = delete;
  HandleScope& operator=(const HandleScope&) = delete;

 private:
  napi_env env_;
  napi_handle_scope scope_ = nullptr;
};

}  // namespace

Result<void> HostedRun::Start(napi_env env, Environment& environment, int32_t id, napi_value turn,
                              napi_value over) {
  OpenSelector* open = environment.Find(id);
  if (open == nullptr || environment.TurnOf(env) == nullptr) return Error{EBADF, "run"};
  if (open->watch != nullptr && open->watch->armed()) return Error{EBUSY, "run"};
  std::unique_ptr<HostedRun> run(new HostedRun(env, environment, id));
  napi_value name = nullptr;
  napi_create_string_utf8(env, "io_selectors:run", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, nullptr, name, &run->context_);
  napi_create_reference(env, turn, 1, &run->turn_);
  napi_create_reference(env, over, 1, &run->over_);
  open->hosted = true;
  environment.turn->Hold(true);
  environment.turn->Ask(std::move(run));
  return {};
}

HostedRun::HostedRun(napi_env env, Environment& environment, int32_t id)
    : env_(env), environment_(environment), id_(id) {}

void HostedRun::GoOn(std::unique_ptr<HostedRun> run) {
  State state = State::kGoesOn;
  while (state == State::kGoesOn) state = run->Step();
  if (state == State::kYields) run->environment_.turn->Ask(std::move(run));
}

HostedRun::State HostedRun::Step() {
  const HandleScope handles(env_);
  OpenSelector* open = environment_.Find(id_);
  if (open == nullptr) return Over(-EBADF);
  int32_t& wish = open->ring->ready;
  if ((wish & kWishesEnd) != 0) return Over(0);
  if ((wish & kWishesTurn) != 0) timeout_ns_ = 0;
  wish = 0;
  bool yields = false;
  const Result<int> ready = Wait(*open, &yields);
  if (!ready.ok()) return Over(environment_.Refuse(ready.error()));
  double timeout_ms = 0;
  // What it throws has been contained; a tick's error that somebody has handled ends up here.
  if (!Call(turn_, ready.value(), &timeout_ms) && LeavesNow(env_, environment_)) {
    return State::kOver;
  }
  timeout_ns_ = ToNanoseconds(timeout_ms);
  return yields ? State::kYields : State::kGoesOn;
}

Result<int> HostedRun::Wait(OpenSelector& open, bool* yields) {
  // Each time: a handler may have waited on the selector itself.
  const Result<void> hosting = open.host.SetHosting(Hosting::kLevel);
  if (!hosting.ok()) return hosting.error();
  const int64_t until_node_ns = open.host.NextTurnNs();
  const int64_t timeout_ns = Sooner(timeout_ns_, until_node_ns);
  if (timeout_ns > 0) {
    const Result<void> set = open.host.WakeBy(DeadlineAfter(timeout_ns));
    if (!set.ok()) return set.error();
  }
  const Result<int> count = open.selector->Select(open.ring + kRingHeadEvents, open.capacity,
                                                  timeout_ns > 0 ? kForever : timeout_ns);
  const bool interrupted = !count.ok() && count.error().errno_value == EINTR;
  if (!count.ok() && !interrupted) return count.error();
  // As after a wait of its own: what handlers give Node's timers is reckoned from now.
  uv_update_time(environment_.loop);
  *yields = open.TakeWake(interrupted).host || open.host.NextTurnNs() == 0;
  return interrupted ? 0 : count.value();
}

HostedRun::State HostedRun::Over(int32_t answer) {
  Release();
  Call(over_, answer, nullptr);
  napi_delete_reference(env_, turn_);
  napi_delete_reference(env_, over_);
  napi_async_destroy(env_, context_);
  return State::kOver;
}

void HostedRun::Release() {
  environment_.turn->Hold(false);
  OpenSelector* open = environment_.Find(id_);
  if (open == nullptr) return;
  open->hosted = false;
  // Where it is refused, the next wait says so.
  (void)open->host.SetHosting(Hosting::kEdge).ok();
}

bool HostedRun::Call(napi_ref function, int32_t argument, double* answer) {
  napi_value receiver = nullptr;
  napi_value callee = nullptr;
  napi_value value = nullptr;
  napi_value result = nullptr;
  napi_get_global(env_, &receiver);
  napi_get_reference_value(env_, function, &callee);
  napi_create_int32(env_, argument, &value);
  napi_status status = napi_make_callback(env_, context_, receiver, callee, 1, &value, &result);
  if (status == napi_pending_exception) {
    // A tick's: 'uncaughtException', which the callback scope leaves to whoever catches.
    napi_get_and_clear_last_exception(env_, &value);
    napi_fatal_exception(env_, value);
  } else if (status == napi_ok && answer != nullptr) {
    status = napi_get_value_double(env_, result, answer);
  }
  return status == napi_ok;
}

}  // namespace io_selectors
