#include "addon/host.h"

#include <algorithm>
#include <utility>

#include "addon/hosted_run.h"
#include "core/selector.h"
#include "core/timeout.h"

namespace io_selectors {

namespace {

/** How long a blocking wait goes on while Node's timers cannot be seen. */
constexpr int64_t kBlindNs = 50 * kNsPerMs;

}  // namespace

Host* Host::Make(napi_env env, uv_loop_t* loop) {
  auto* host = new Host(loop);
  // Last: an open handle when a worker's environment ends aborts the process.
  napi_add_async_cleanup_hook(env, OnEnvironmentEnd, host, &host->hook_);
  return host;
}

Host::Host(uv_loop_t* loop) : loop_(loop) {
  // None of these can fail (uv_prepare_init, uv_idle_init and uv_check_init always return 0).
  uv_prepare_init(loop, &prepare_);
  uv_idle_init(loop, &idle_);
  uv_check_init(loop, &check_);
  // Polls begun before this: whether their events have been handed out is not known.
  checked_ = std::max<int64_t>(Iterations() - 1, 0);
  check_.data = this;
  uv_check_start(&check_, [](uv_check_t* check) {
    auto* host = static_cast<Host*>(check->data);
    host->checked_ = host->Iterations();
  });
  uv_unref(reinterpret_cast<uv_handle_t*>(&check_));
  uv_unref(reinterpret_cast<uv_handle_t*>(&idle_));
}

Host::~Host() = default;

void Host::Add(std::unique_ptr<HostedRun> run) {
  runs_.push_back(std::move(run));
  prepare_.data = this;
  uv_prepare_start(&prepare_,
                   [](uv_prepare_t* prepare) { static_cast<Host*>(prepare->data)->OnPrepare(); });
  ApplyRef();
  Nudge();
}

void Host::Nudge() {
  uv_idle_start(&idle_, [](uv_idle_t* /*idle*/) {});
}

void Host::ApplyRef() {
  const auto keeps_alive = [](const std::unique_ptr<HostedRun>& run) { return run->keeps_alive(); };
  auto* handle = reinterpret_cast<uv_handle_t*>(&prepare_);
  if (std::any_of(runs_.begin(), runs_.end(), keeps_alive)) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Host::OnPrepare() {
  uv_idle_stop(&idle_);
  // By index: a turn may start another run, which has its first turn in this pass.
  for (size_t i = 0; i < runs_.size(); ++i) {
    if (runs_[i]->Pass(runs_.size() == 1)) Nudge();
  }
  const auto over = [](const std::unique_ptr<HostedRun>& run) { return run->over(); };
  runs_.erase(std::remove_if(runs_.begin(), runs_.end(), over), runs_.end());
  ApplyRef();
  if (!runs_.empty()) return;
  uv_prepare_stop(&prepare_);
  uv_idle_stop(&idle_);
}

int64_t Host::NextTurnNs() const {
  const int timeout_ms = uv_backend_timeout(loop_);
  if (timeout_ms <= 0) return timeout_ms < 0 ? kNever : 0;
  // The timeout counts from the loop's own clock, which stands still meanwhile. The sum does not
  // depend on when it is formed, so that no wait has to read a clock.
  return (static_cast<int64_t>(uv_now(loop_)) + timeout_ms) * kNsPerMs;
}

void Host::SawEvents() {
  seen_at_ = Iterations();
  asked_in_ = -1;
}

int64_t Host::YieldByNs() {
  if (HasAsked()) return kNever;
  // Events of a poll that has begun, and whose check phase has not, may still be handed out.
  if (HasEvents() || checked_ != Iterations()) return 0;
  const int64_t pass = Pass();
  if (std::exchange(pass_, pass) != pass) pass_began_ns_ = MonotonicNs();
  const int64_t work_ns = NextWorkNs();
  // While Node runs immediates, its loop looks as if others were left;
  if (work_ns == 0) return pass_began_ns_ + kNsPerMs;
  // and while it runs timers, its loop does not show the others.
  return std::min(work_ns, pass_began_ns_ + kBlindNs);
}

bool Host::AsksForTurn() {
  const int64_t yield_by_ns = YieldByNs();
  return yield_by_ns == 0 || (yield_by_ns != kNever && yield_by_ns <= MonotonicNs());
}

bool Host::HasWork() {
  if (HasAsked()) return false;
  return HasEvents() || checked_ != Iterations() || NextWorkNs() <= MonotonicNs();
}

int64_t Host::NextWorkNs() {
  // A loop that nothing keeps alive always has a timeout of 0.
  auto* check = reinterpret_cast<uv_handle_t*>(&check_);
  uv_ref(check);
  const int64_t work_ns = NextTurnNs();
  uv_unref(check);
  return work_ns;
}

int64_t Host::Iterations() const {
  uv_metrics_t metrics{};
  uv_metrics_info(loop_, &metrics);
  return static_cast<int64_t>(metrics.loop_count);
}

void Host::OnEnvironmentEnd(napi_async_cleanup_hook_handle /*hook*/, void* data) {
  auto* host = static_cast<Host*>(data);
  host->runs_.clear();
  host->Close(reinterpret_cast<uv_handle_t*>(&host->prepare_));
  host->Close(reinterpret_cast<uv_handle_t*>(&host->idle_));
  host->Close(reinterpret_cast<uv_handle_t*>(&host->check_));
}

void Host::Close(uv_handle_t* handle) {
  handle->data = this;
  uv_close(handle, [](uv_handle_t* closed) {
    auto* host = static_cast<Host*>(closed->data);
    if (--host->open_handles_ > 0) return;
    const napi_async_cleanup_hook_handle hook = host->hook_;
    delete host;
    napi_remove_async_cleanup_hook(hook);  // last: it may be what keeps the environment
  });
}

}  // namespace io_selectors
