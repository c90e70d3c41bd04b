// HostedRun: one run on Node's own thread, such as Reactor.run(). It calls TypeScript after each
// wait as Node calls it for its own events, so that ticks, promise jobs and unhandled rejections
// are served there and then.
#pragma once

#include <node_api.h>

#include <cstdint>

#include "core/result.h"

namespace io_selectors {

class Host;
class HostedSource;
struct Environment;

/**
 * Turns happen in the loop's prepare phase only. Between them a run waits in one of two places:
 * - far, in Node's own poll phase: the source is nested in Node's loop. Right by construction, also
 *   for several runs, and Node's event loop utilization counts the wait as idle.
 * - near, in the prepare phase itself, with Node's descriptor in the source's set: a third of the
 *   system calls. For a run that has the thread to itself and is woken about a thousand times per
 *   second or more: while it is busy. Node's loop gets a pass whenever it has anything to do, and
 *   every few milliseconds for what cannot be seen from outside (unreferenced immediates, other
 *   addons' check and prepare handles); after each turn when the run is no longer busy.
 */
class HostedRun {
 public:
  /**
   * Begins with the loop's next pass.
   * @param turn called with what the source's Wait() has returned; returns how many milliseconds
   *   the next wait may last, below 0 without a limit. Called without both if the source has plain
   *   turns.
   * @param over called once, at the end, with 0 or -errno.
   * @param in_context whether both are called in the async context of this call, as those of
   *   AsyncLocalStorage; otherwise in none, as a source serves several callers.
   * @returns EBUSY if the source has a run already, or why Node's loop cannot watch it.
   */
  static Result<void> Start(napi_env env, Environment& environment, HostedSource& source,
                            napi_value turn, napi_value over, bool in_context);

  /** Also ends a run that is not over, without a call. */
  ~HostedRun();
  HostedRun(const HostedRun&) = delete;
  HostedRun& operator=(const HostedRun&) = delete;

  bool over() const { return over_; }
  /** Whether its turns are being taken. */
  bool passing() const { return passing_; }
  bool keeps_alive() const;

  /** The turns of one pass of Node's loop. @param alone whether this is the thread's only run.
   * @returns whether the loop has to come back without sleeping. */
  bool Pass(bool alone);

  /** The source's wish has changed: it is seen before Node's loop sleeps. */
  void Nudge();

  void SourceClosed();

 private:
  HostedRun(napi_env env, Environment& environment, HostedSource& source);

  void TakeTurns();
  void MakeContext();
  /** Whether a turn has something to do. */
  bool IsDue() const;
  /** One wait and the turn after it. @param node_turn_ns as Host::NextTurnNs().
   * @returns whether the run may go on before Node's loop. */
  [[gnu::hot]] bool Step(int64_t node_turn_ns);
  /** @param limit_ns how long the next wait may last. @returns whether TypeScript has answered. */
  [[gnu::hot]] bool Turn(int32_t events, int64_t* limit_ns);
  [[gnu::hot]] void StayNear();
  void LeaveNear();
  bool CanWaitNear() const;
  bool IsWatchingHost() const;
  [[gnu::hot]] Result<int> WaitNear(int64_t node_turn_ns);
  /** How long the next wait may last. */
  [[gnu::hot]] Result<void> Limit(int64_t timeout_ns);
  /** Chooses near or far, and one turn per pass or many, by how often events came lately. */
  [[gnu::hot]] void Measure(bool had_events, bool timer_fired);

  /** The last call. @returns false. */
  bool End(int32_t answer);
  /** @returns whether there is an answer, in `answer` unless that is nullptr. */
  [[gnu::hot]] bool Call(napi_value function, size_t count, const napi_value* arguments,
                         napi_value* answer);
  /** Undoes what Start did to the source. */
  void Release();

  napi_env env_;
  Environment& environment_;
  Host& host_;
  HostedSource* source_;
  napi_ref turn_ref_ = nullptr;
  napi_ref over_ref_ = nullptr;
  napi_async_context context_ = nullptr;
  napi_value receiver_ = nullptr;  // both valid within a pass
  napi_value turn_ = nullptr;
  int64_t due_ns_ = 0;  // of the next turn, on the monotonic clock; 0: at once
  int64_t window_end_ns_ = 0;
  int64_t quiet_end_ns_ = 0;  // of a near run that is not busy
  int window_turns_ = 0;
  bool fired_ = false;  // by the source's watch
  bool passing_ = false;
  bool alone_ = false;
  bool near_ = false;
  bool busy_ = false;  // only a near run: many turns per pass
  bool over_ = false;
};

}  // namespace io_selectors
