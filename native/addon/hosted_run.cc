#include "addon/hosted_run.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "addon/calls.h"
#include "addon/watch.h"
#include "core/timeout.h"

namespace io_selectors {

namespace {

/** How long near waits go on without a pass of Node's loop. */
constexpr int64_t kWindowNs = 4 * kNsPerMs;
/** Turns with events per window from which on near waits pay. */
constexpr int kBusyTurns = 4;
/** How long a run that is not busy any more stays near: nesting the source in Node's loop again
 * makes Linux walk through everything that the source watches, 0.3 us for each descriptor. */
constexpr int64_t kQuietNs = 1000 * kNsPerMs;

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
                              napi_value turn, napi_value over, bool in_context) {
  if (source.run != nullptr) return Error{EBUSY, "run"};
  const Result<Watch*> watch = Watch::Of(env, environment, source);
  if (!watch.ok()) return watch.error();
  std::unique_ptr<HostedRun> run(new HostedRun(env, environment, source));
  const Result<void> listens = watch.value()->Listen(&run->fired_);
  if (!listens.ok()) return listens;
  if (in_context) run->MakeContext();
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
  if (context_ != nullptr) napi_async_destroy(env_, context_);
  if (turn_ref_ == nullptr) return;
  napi_delete_reference(env_, turn_ref_);
  napi_delete_reference(env_, over_ref_);
}

/** The new one is that of whatever JavaScript runs now: in a pass, of none. */
void HostedRun::MakeContext() {
  napi_value name = nullptr;
  napi_create_string_utf8(env_, "io_selectors:run", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env_, nullptr, name, &context_);
}

bool HostedRun::Pass(bool alone) {
  alone_ = alone;
  passing_ = true;
  TakeTurns();
  passing_ = false;
  return !over_ && (near_ || IsDue());
}

void HostedRun::TakeTurns() {
  if (source_ == nullptr) near_ = busy_ = false;
  if (near_ && !CanWaitNear()) LeaveNear();
  // Beside other runs a source that a thread watches looks in each pass: that thread may not have
  // been scheduled meanwhile.
  const bool looks = !alone_ && source_ != nullptr && source_->fileno() < 0;
  if (!near_ && !looks && !IsDue()) return;
  // One scope for all turns of a pass: opening one allocates.
  const HandleScope handles(env_);
  if (context_ == nullptr) MakeContext();
  napi_get_global(env_, &receiver_);
  napi_get_reference_value(env_, turn_ref_, &turn_);
  if (near_) {
    StayNear();
    uv_update_time(host_.loop());  // its clock stood still
  } else {
    Step(0);
  }
  if (!over_ && !near_ && source_ != nullptr) source_->watch->Looked();
}

void HostedRun::Nudge() {
  if (!passing_) host_.Nudge();
}

void HostedRun::SourceClosed() {
  source_ = nullptr;
  Nudge();
}

bool HostedRun::keeps_alive() const { return source_ == nullptr || source_->keeps_alive; }

bool HostedRun::IsDue() const {
  return fired_ || due_ns_ == 0 || source_ == nullptr || *source_->wish != 0 || source_->HasWork();
}

void HostedRun::StayNear() {
  if (!source_->wake_set.watches_host()) environment_.AddArmedWatches();
  if (!source_->wake_set.WatchHost().ok()) return LeaveNear();
  int64_t node_turn_ns = host_.NextTurnNs();
  // A handler may have begun a wait for which this source had to leave Node's loop.
  while (Step(node_turn_ns) && busy_ && CanWaitNear() && IsWatchingHost()) {
    node_turn_ns = host_.NextTurnNs();
    if (node_turn_ns == 0) return;
  }
}

bool HostedRun::Step(int64_t node_turn_ns) {
  if (source_ == nullptr) return End(-EBADF);
  if ((*source_->wish & kWishesEnd) != 0) return End(0);
  if ((*source_->wish & kWishesTurn) != 0) due_ns_ = 0;
  *source_->wish = 0;
  fired_ = false;
  const Result<int> count = near_ ? WaitNear(node_turn_ns) : source_->Wait(0);
  const bool interrupted = !count.ok() && count.error().errno_value == EINTR;
  if (!count.ok() && !interrupted) return End(environment_.Refuse(count.error()));
  const WakeSet::Ready ready = source_->TakeWake(interrupted);
  if (ready.host) host_.SawEvents();
  const bool tells = ready.waker && source_->watch->is_waited_for();
  if (tells) source_->kept_wake = true;
  const int32_t events = interrupted ? 0 : count.value();
  int64_t limit_ns = kForever;
  if (!Turn(events, &limit_ns) && LeavesNow(env_, environment_)) {
    over_ = true;
    return false;
  }
  // After the turn: those that wait look for themselves, into the memory of the events.
  if (tells && source_ != nullptr) {
    source_->watch->Fire(true);
    fired_ = false;
  }
  const int64_t own_ns = source_ == nullptr ? kForever : source_->UntilDueNs();
  const Result<void> limited = Limit(Sooner(limit_ns, own_ns));
  if (!limited.ok()) return End(environment_.Refuse(limited.error()));
  Measure(events > 0, ready.timer);
  return !ready.timer && !host_.HasEvents();
}

bool HostedRun::Turn(int32_t events, int64_t* limit_ns) {
  if (source_->plain_turns) return events == 0 || Call(turn_, 0, nullptr, nullptr);
  *limit_ns = 0;  // unless it answers: an error of a tick that was handled ends up here
  napi_value argument = nullptr;
  napi_value answer = nullptr;
  double timeout_ms = 0;
  napi_create_int32(env_, events, &argument);
  if (!Call(turn_, 1, &argument, &answer)) return false;
  if (napi_get_value_double(env_, answer, &timeout_ms) != napi_ok) return false;
  *limit_ns = ToNanoseconds(timeout_ms);
  return true;
}

Result<int> HostedRun::WaitNear(int64_t node_turn_ns) {
  if (node_turn_ns == 0) return source_->Wait(0);
  // Also if it does not wait: the timer is what ends a series of turns that are all due at once.
  const int64_t until_ns = busy_ ? window_end_ns_ : quiet_end_ns_;
  const Result<void> set = source_->wake_set.WakeBy(std::min(until_ns, node_turn_ns));
  if (!set.ok()) return set.error();
  if (due_ns_ == 0) return source_->Wait(0);
  const Result<int> count = source_->Wait(kForever);
  // After up to a second: a handler of another addon may set a timer by the loop's clock.
  if (!busy_) uv_update_time(host_.loop());
  return count;
}

Result<void> HostedRun::Limit(int64_t timeout_ns) {
  due_ns_ = timeout_ns < 0 ? kNever : timeout_ns == 0 ? 0 : DeadlineAfter(timeout_ns);
  if (timeout_ns <= 0 || source_ == nullptr) return {};
  return source_->wake_set.WakeBy(due_ns_);
}

void HostedRun::Measure(bool had_events, bool timer_fired) {
  window_turns_ += had_events ? 1 : 0;
  // While it is busy, the window's own timer spares the clock.
  if (!kCanWatchHost || source_ == nullptr || !(timer_fired || (had_events && !busy_))) return;
  const int64_t now_ns = MonotonicNs();
  if (near_ && !busy_ && now_ns >= quiet_end_ns_) return LeaveNear();
  if (now_ns >= window_end_ns_) {
    if (busy_ && window_turns_ < kBusyTurns) {
      busy_ = false;
      quiet_end_ns_ = now_ns + kQuietNs;
    }
    window_end_ns_ = now_ns + kWindowNs;
    window_turns_ = had_events ? 1 : 0;
  }
  if (busy_ || window_turns_ < kBusyTurns || !CanWaitNear()) return;
  if (!near_) source_->watch->Pause();
  near_ = busy_ = true;
  window_end_ns_ = now_ns + kWindowNs;
  window_turns_ = 0;
}

void HostedRun::LeaveNear() {
  near_ = busy_ = false;
  fired_ = true;  // looks once, for what came since the last wait
  if (source_ == nullptr) return;
  source_->wake_set.LeaveHost();
  source_->watch->Resume();
}

/** A closed source ends in the next step. */
bool HostedRun::IsWatchingHost() const {
  return source_ == nullptr || source_->wake_set.watches_host();
}

bool HostedRun::CanWaitNear() const {
  return alone_ && (source_ == nullptr || !source_->watch->is_waited_for());
}

bool HostedRun::End(int32_t answer) {
  over_ = true;
  Release();
  napi_value over = nullptr;
  napi_value argument = nullptr;
  napi_get_reference_value(env_, over_ref_, &over);
  napi_create_int32(env_, answer, &argument);
  Call(over, 1, &argument, nullptr);
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

bool HostedRun::Call(napi_value function, size_t count, const napi_value* arguments,
                     napi_value* answer) {
  const napi_status status =
      napi_make_callback(env_, context_, receiver_, function, count, arguments, answer);
  if (status == napi_pending_exception) {
    // A tick's: 'uncaughtException', which the callback scope leaves to the caller.
    napi_value thrown = nullptr;
    napi_get_and_clear_last_exception(env_, &thrown);
    napi_fatal_exception(env_, thrown);
  }
  return status == napi_ok;
}

}  // namespace io_selectors
