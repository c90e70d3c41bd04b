#include "addon/hosted_run.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>

#include "addon/calls.h"
#include "addon/watch.h"
#include "core/timeout.h"

namespace io_selectors {

namespace {

/** How long near waits go on without a pass of Node's loop, and over how long they must pay. */
constexpr int64_t kWindowNs = 4 * kNsPerMs;
/** Turns with events per window from which on near waits pay. */
const int kBusyTurns = getenv("IO_A") != nullptr ? 1 << 30 : 4;
const bool kNeverFar = getenv("IO_B") != nullptr;

/** The sooner of two timeouts, of which those below 0 are without a limit. */
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

Result<void> HostedRun::Start(napi_env env, Environment& environment, HostedSource& source,
                              napi_value turn, napi_value over) {
  if (source.run != nullptr) return Error{EBUSY, "run"};
  const Result<Watch*> watch = Watch::Of(env, environment.loop, source);
  if (!watch.ok()) return watch.error();
  std::unique_ptr<HostedRun> run(new HostedRun(env, environment, source));
  const Result<void> listens = watch.value()->Listen(&run->fired_);
  if (!listens.ok()) return listens;
  napi_value name = nullptr;
  napi_create_string_utf8(env, "io_selectors:run", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, nullptr, name, &run->context_);
  napi_create_reference(env, turn, 1, &run->turn_ref_);
  napi_create_reference(env, over, 1, &run->over_ref_);
  environment.HostOf(env).Add(std::move(run));
  return {};
}

HostedRun::HostedRun(napi_env env, Environment& environment, HostedSource& source)
    : env_(env), environment_(environment), host_(environment.HostOf(env)), source_(&source) {
  source.run = this;
}

HostedRun::~HostedRun() {
  Release();
  if (context_ == nullptr) return;
  napi_delete_reference(env_, turn_ref_);
  napi_delete_reference(env_, over_ref_);
  napi_async_destroy(env_, context_);
}

bool HostedRun::Pass(bool alone) {
  if (source_ == nullptr) near_ = false;
  if (near_ && !(alone && CanStayNear())) LeaveNear();
  if (near_) {
    StayNear();
  } else if (IsDue()) {
    Step(0);
  } else {
    return false;
  }
  if (over_) return false;
  if (!near_ && source_ != nullptr) PrepareToSleep();
  return !over_ && (near_ || IsDue());
}

bool HostedRun::IsDue() const {
  return fired_ || timeout_ns_ == 0 || source_ == nullptr || *source_->wish != 0;
}

void HostedRun::StayNear() {
  if (!source_->wake_set.WatchHost().ok()) return LeaveNear();
  int64_t until_node_ns = host_.UntilTurnNs();
  bool goes_on = true;
  while (goes_on) {
    goes_on = Step(until_node_ns) && near_ && CanStayNear();
    until_node_ns = host_.UntilTurnNs();
    goes_on = goes_on && until_node_ns != 0;
  }
}

bool HostedRun::Step(int64_t until_node_ns) {
  const HandleScope handles(env_);
  if (source_ == nullptr) return End(-EBADF);
  if ((*source_->wish & kWishesEnd) != 0) return End(0);
  if ((*source_->wish & kWishesTurn) != 0) timeout_ns_ = 0;
  *source_->wish = 0;
  fired_ = false;
  const Result<int64_t> timeout_ns = NearTimeout(until_node_ns);
  const Result<int> count = timeout_ns.ok() ? source_->Wait(timeout_ns.value())
                                            : Result<int>(timeout_ns.error());
  const bool interrupted = !count.ok() && count.error().errno_value == EINTR;
  if (!count.ok() && !interrupted) return End(environment_.Refuse(count.error()));
  // As after a wait of its own: what handlers give Node's timers is measured from now.
  if (near_) uv_update_time(host_.loop());
  const WakeSet::Ready ready = source_->TakeWake(interrupted);
  if (ready.host) host_.SawEvents();
  double timeout_ms = 0;
  // What it throws has been contained; an error of a tick that was handled ends up here.
  const bool answered = Call(turn_ref_, interrupted ? 0 : count.value(), &timeout_ms);
  if (!answered && LeavesNow(env_, environment_)) {
    over_ = true;
    return false;
  }
  timeout_ns_ = ToNanoseconds(timeout_ms);
  Measure(!interrupted && count.value() > 0, ready.timer);
  return !ready.timer && !host_.HasEvents();
}

Result<int64_t> HostedRun::NearTimeout(int64_t until_node_ns) {
  const int64_t timeout_ns = Sooner(timeout_ns_, until_node_ns);
  if (!near_ || timeout_ns == 0) return int64_t{0};
  const int64_t limit_ns =
      timeout_ns < 0 ? window_end_ns_ : std::min(window_end_ns_, DeadlineAfter(timeout_ns));
  const Result<void> set = source_->wake_set.WakeBy(limit_ns);
  if (!set.ok()) return set.error();
  return kForever;
}

void HostedRun::Measure(bool had_events, bool timer_fired) {
  window_turns_ += had_events ? 1 : 0;
  // Near, the window's own timer spares the clock.
  if (!kCanWatchHost || source_ == nullptr || (near_ ? !timer_fired : !had_events)) return;
  const int64_t now_ns = MonotonicNs();
  if (now_ns >= window_end_ns_) {
    if (near_ && window_turns_ < kBusyTurns && !kNeverFar) LeaveNear();
    window_end_ns_ = now_ns + kWindowNs;
    window_turns_ = had_events ? 1 : 0;
  }
  if (near_ || window_turns_ < kBusyTurns) return;
  EnterNear();
  window_end_ns_ = now_ns + kWindowNs;
  window_turns_ = 0;
}

void HostedRun::EnterNear() {
  source_->watch->Pause();
  near_ = true;
}

void HostedRun::LeaveNear() {
  near_ = false;
  fired_ = true;  // looks once, for what came since the last wait
  if (source_ == nullptr) return;
  source_->wake_set.LeaveHost();
  source_->watch->Resume();
}

bool HostedRun::CanStayNear() const {
  return source_ == nullptr || !source_->watch->is_waited_for();
}

void HostedRun::PrepareToSleep() {
  if (timeout_ns_ > 0) {
    const Result<void> set = source_->wake_set.WakeBy(DeadlineAfter(timeout_ns_));
    if (!set.ok()) {
      End(environment_.Refuse(set.error()));
      return;
    }
  }
  source_->watch->Looked();
}

bool HostedRun::End(int32_t answer) {
  over_ = true;
  Release();
  Call(over_ref_, answer, nullptr);
  return false;
}

void HostedRun::Release() {
  if (source_ == nullptr) return;
  source_->wake_set.LeaveHost();
  if (source_->watch != nullptr) {
    source_->watch->Resume();
    (void)source_->watch->Listen(nullptr).ok();  // ends listening, which cannot fail
  }
  source_->run = nullptr;
  source_ = nullptr;
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
    // A tick's: 'uncaughtException', which the callback scope leaves to the caller.
    napi_get_and_clear_last_exception(env_, &value);
    napi_fatal_exception(env_, value);
  } else if (status == napi_ok && answer != nullptr) {
    status = napi_get_value_double(env_, result, answer);
  }
  return status == napi_ok;
}

}  // namespace io_selectors
