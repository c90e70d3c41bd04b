#include "load_generator/load.h"

#include <algorithm>
#include <cstring>

#include "core/timeout.h"
#include "load_generator/allocations.h"
#include "load_generator/text.h"

namespace io_selectors {

namespace {

// After the last echo: long enough for unexpected bytes to arrive.
constexpr int64_t kListenOnNs = 20 * kNsPerMs;

// What a wait brings at most: there may be more.
constexpr int kMostEvents = 256;
// A visit to a connection is a cache miss or several; each takes less than two system calls do.
constexpr int kAhead = 2;
// To sleep and be woken takes longer than this.
constexpr int64_t kAboutToBeNs = 15'000;
// Where the next message is always about to be due, what comes back is looked at all the same.
constexpr int64_t kLongestWithoutLookNs = kNsPerMs;
// While spinning: an epoll_wait and what it finds take about 1 us and more.
constexpr int64_t kSpinLookNs = 20'000;
// A step of spinning takes less; in a longer one this process did not run.
constexpr int64_t kLongestSpinStepNs = 10'000;
// At low rates: what came back lies about no longer, and a signal or a closed peer is seen.
constexpr int64_t kLongestSleepNs = 10 * kNsPerMs;

// A peer whose buffers have taken nothing for so long is full.
constexpr int64_t kFullAfterNs = 300 * kNsPerMs;
// More than the buffers of both ends hold (tcp_rmem, tcp_wmem in tcp(7)): a server that takes it
// all keeps it in its own memory, and shall not be made to keep gigabytes.
constexpr int64_t kMostFillBytes = 16 << 20;

/** Tells the CPU that this loop waits: its other hardware thread gets more. */
void Relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void SleepUntil(int64_t due_ns) {
#ifdef __linux__
  const timespec due = ToTimespec(due_ns);
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr);
#else
  const timespec left = ToTimespec(due_ns - MonotonicNs());
  nanosleep(&left, nullptr);
#endif
}

}  // namespace

Load::Load(Traffic& traffic, Pace& pace, Alarm& alarm, const RunOptions& options)
    : traffic_(traffic), pace_(pace), alarm_(alarm), options_(options) {}

/**
 * At an edge one window ends and the next begins: what is counted after it belongs to the next one,
 * time and CPU included. While the samples are read nothing is sent or received, so the schedule
 * and the clock of the messages pause as well: the pause is the generator's, not the server's.
 */
std::string Load::Run(Timeline& timeline, Window* windows) {
  const int64_t already = traffic_.completed();
  Step step = timeline.Begin(MonotonicNs());
  int64_t now_ns = MonotonicNs();
  pace_.Shift(now_ns);
  const bool hot = options_.hot > 0 && traffic_.table()[0].role == Role::kHot;
  if (hot) traffic_.Flood(0, static_cast<uint32_t>(options_.hot));
  bool comparing = false;
  while (step.phase != Step::Phase::kOver) {
    const int64_t allocated = AllocationsSoFar();
    if (!RunUntil(step.until_ns)) break;
    if (step.phase == Step::Phase::kWindow) allocations_ += AllocationsSoFar() - allocated;
    now_ns = MonotonicNs();
    step = timeline.Next(Progress{traffic_.completed() - already, traffic_.intended()});
    const bool measured = step.phase == Step::Phase::kWindow;
    // Without the kernel's stamps the clock of the messages has stood still since `now_ns`.
    const int64_t edge_ns = step.edge_ns > 0 && traffic_.stamped() ? step.edge_ns : now_ns;
    window_ = measured ? &windows[step.window] : nullptr;
    traffic_.CountInto(window_, edge_ns);
    if (measured && !comparing && !options_.held) traffic_.BeginFairness(now_ns);
    comparing = comparing || measured;
    if (step.phase == Step::Phase::kOver) traffic_.EndFairness(now_ns);
    const int64_t stood_still_ns = MonotonicNs() - now_ns;
    pace_.Shift(stood_still_ns);
    traffic_.Shift(stood_still_ns);
    if (step.phase != Step::Phase::kOver) continue;
    // What was due before the edge is of the window that it ends; the pause has moved it as well.
    pace_.End(edge_ns + stood_still_ns);
    traffic_.EndByDue(edge_ns + stood_still_ns);
  }
  window_ = nullptr;
  traffic_.CountInto(nullptr, MonotonicNs());
  traffic_.EndFloods();
  if (error_.empty()) Drain();
  return error_;
}

std::string Load::FillSlow() {
  int64_t now_ns = MonotonicNs();
  const int64_t end_ns = now_ns + options_.fill_timeout_ms * kNsPerMs;
  int64_t taken_at_ns = now_ns;
  int64_t taken = traffic_.slow().bytes_sent;
  while (now_ns < std::min(end_ns, taken_at_ns + kFullAfterNs)) {
    traffic_.PostToSlow(kMostFillBytes);
    if (!Turn(kNsPerMs, false)) return error_;
    now_ns = MonotonicNs();
    if (traffic_.slow().bytes_sent == taken) continue;
    taken = traffic_.slow().bytes_sent;
    taken_at_ns = now_ns;
  }
  return "";
}

/** @returns false if the run cannot go on; the reason is in `error_`. */
bool Load::RunUntil(int64_t end_ns) {
  for (;;) {
    pace_.Send(traffic_);
    if (MonotonicNs() >= end_ns) return true;
    const int64_t due_ns = std::min(pace_.NextDueNs(), end_ns);
    if (!WaitFor(due_ns)) return false;
    if (traffic_.alive() == 0 && traffic_.connections_lost() > 0) {
      error_ = "the server closed or reset every connection";
      return false;
    }
  }
}

bool Load::WaitFor(int64_t due_ns) {
  if (options_.spin != 0) return Spin(due_ns);
  return traffic_.stamped() ? Gather(due_ns) : Turn(alarm_.TimeoutNs(due_ns), true);
}

/**
 * Never sleeps: what is due leaves when it is due, not when this process has been woken. Where the
 * kernel notes when echoes come, they are looked at rarely, so that sending is seldom in their way.
 * A look that finds nothing is part of the waiting.
 */
bool Load::Spin(int64_t due_ns) {
  const int64_t between_ns = traffic_.stamped() ? kSpinLookNs : 0;
  int64_t now_ns = MonotonicNs();
  int64_t waited_ns = 0;
  while (now_ns - looked_at_ns_ < between_ns && now_ns < due_ns) {
    Relax();
    const int64_t before_ns = now_ns;
    now_ns = MonotonicNs();
    waited_ns += std::min(now_ns - before_ns, kLongestSpinStepNs);
  }
  bool goes_on = true;
  if (now_ns < due_ns || now_ns - looked_at_ns_ >= kLongestWithoutLookNs) {
    looked_at_ns_ = now_ns;
    if (traffic_.stamped()) traffic_.CompareClocks();
    int events = 0;
    goes_on = Turn(0, true, &events);
    if (events == 0) waited_ns += std::min(MonotonicNs() - now_ns, kLongestSpinStepNs);
  }
  if (window_ != nullptr) window_->spun_ns += waited_ns;
  return goes_on;
}

/**
 * Takes what has come back, then sleeps until something is due, whatever comes back meanwhile: one
 * sleep for what is sent and what was echoed, and the server's send does not have to wake us. The
 * kernel has noted when each echo came.
 */
bool Load::Gather(int64_t due_ns) {
  const int64_t now_ns = MonotonicNs();
  const bool about_to_be = due_ns - now_ns <= kAboutToBeNs;
  if (about_to_be && now_ns - looked_at_ns_ < kLongestWithoutLookNs) return true;
  looked_at_ns_ = now_ns;
  traffic_.CompareClocks();
  // Not until none is left: behind its schedule the generator would never see the window's end.
  for (int events = kMostEvents; events == kMostEvents;) {
    if (!Turn(0, true, &events)) return false;
    if (MonotonicNs() - now_ns > kLongestWithoutLookNs) return true;
  }
  if (about_to_be) return true;
  const int64_t sleep_until_ns = std::min({due_ns, pace_.NextDueNs(), now_ns + kLongestSleepNs});
  if (sleep_until_ns - MonotonicNs() > kAboutToBeNs) SleepUntil(sleep_until_ns);
  return true;
}

/** One wait and all that it brought; what falls due meanwhile is sent between two events. */
bool Load::Turn(int64_t timeout_ns, bool send, int* events) {
  const Result<int> waited = traffic_.Wait(timeout_ns);
  if (events != nullptr) *events = waited.ok() ? waited.value() : 0;
  if (!waited.ok()) {
    error_ = Format("%s: %s", waited.error().syscall, std::strerror(waited.error().errno_value));
    return false;
  }
  for (int i = 0; i < waited.value(); ++i) {
    const ReadyEvent& event = traffic_.event(i);
    if (i + kAhead < waited.value()) traffic_.Prefetch(traffic_.event(i + kAhead));
    if (event.fd == alarm_.fd() || !traffic_.IsCurrent(event)) continue;
    traffic_.Handle(traffic_.table().IdOf(event.fd), event);
    if (send) pace_.Send(traffic_);
  }
  return true;
}

void Load::Drain() {
  const int64_t end = MonotonicNs() + options_.drain_timeout_ms * kNsPerMs;
  for (int64_t now = MonotonicNs(); now < end; now = MonotonicNs()) {
    pace_.Send(traffic_);
    const bool overdue = pace_.NextDueNs() != Pace::kNever;
    if (!overdue && traffic_.outstanding() == 0) break;
    if (!Turn(overdue ? 0 : end - now, false)) return;
  }
  pace_.Skip(traffic_);
  // The next window has its own messages.
  if (options_.held) return traffic_.DropQueued();
  const int64_t quiet = std::min(end, MonotonicNs() + kListenOnNs);
  for (int64_t now = MonotonicNs(); now < quiet; now = MonotonicNs()) {
    if (!Turn(quiet - now, false)) return;
  }
}

}  // namespace io_selectors
