// Host: how an environment's runs and blocking waits share the thread with Node's event loop. Runs
// take their turns in the loop's prepare phase, when libuv has handed out everything that it
// polled. http://docs.libuv.org/en/v1.x/design.html#the-i-o-loop
#pragma once

#include <node_api.h>
#include <uv.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace io_selectors {

class HostedRun;

class Host {
 public:
  /** Lives until its environment's asynchronous clean-up has closed the handles; frees itself. */
  static Host* Make(napi_env env, uv_loop_t* loop);

  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  uv_loop_t* loop() const { return loop_; }

  /** The run goes on in each prepare phase, beginning with the next, until it is over. */
  void Add(std::unique_ptr<HostedRun> run);

  /** A run has something to do that its descriptor does not show: the loop does not sleep before.
   */
  void Nudge();

  /** Keeps Node's loop alive while the source of a run does. */
  void ApplyRef();

  /**
   * When Node's loop has something to do that its descriptor does not show: 0 now (an immediate, a
   * handle to be closed, a watcher that the kernel does not know yet), else the time of its next
   * timer on the monotonic clock; kNever without one.
   */
  [[gnu::hot]] int64_t NextTurnNs() const;

  /** Node's descriptor has been seen ready. An edge is reported once, so this is remembered. */
  void SawEvents();

  /** Whether Node's descriptor was seen ready and its loop has not handed out those events since.
   */
  bool HasEvents() const { return seen_at_ >= 0 && checked_ <= seen_at_; }

  /**
   * When a wait without a deadline ends empty, so that its caller yields (CLOCK_MONOTONIC): 0 if
   * Node has events, else at the latest when Node's next timer is due. kNever after one has ended
   * for that reason in this phase of the loop, so that a caller that never yields does not spin.
   */
  int64_t YieldByNs();

  /** Whether that time has come. */
  bool AsksForTurn();

  /** For a thread that does not wait: whether Node has something to do now. Also false after a wait
   * has ended empty for that reason. */
  bool HasWork();

  /** A wait has ended empty for Node's sake. */
  void AskedForTurn() { asked_in_ = Phase(); }

  /** Whether one did in this phase of the loop, and no event of Node came since. */
  bool HasAsked() const { return asked_in_ == Phase(); }

  /** Changes twice in each pass of the loop: when it polls, and with its check phase. */
  int64_t Pass() const { return Iterations() + checked_; }

 private:
  /** Timers run after the check phase, by a later clock. setTimeout() moves that clock as well. */
  int64_t Phase() const { return Pass() + static_cast<int64_t>(uv_now(loop_)); }

  explicit Host(uv_loop_t* loop);
  ~Host();

  void OnPrepare();
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data);
  void Close(uv_handle_t* handle);

  /** Polls that the loop has begun. */
  int64_t Iterations() const;
  /** As NextTurnNs(), but a loop that nothing keeps alive has no work. */
  int64_t NextWorkNs();

  uv_loop_t* loop_;
  uv_prepare_t prepare_{};
  uv_idle_t idle_{};  // started while a run wants the loop to go round without sleeping
  uv_check_t check_{};
  int open_handles_ = 3;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  std::vector<std::unique_ptr<HostedRun>> runs_;

  int64_t checked_;            // the iteration whose events have all been handed out
  int64_t seen_at_ = -1;       // the iteration in which Node's descriptor was last seen ready
  int64_t asked_in_ = -1;      // the phase in which a wait last ended for Node's sake
  int64_t pass_ = -1;          // of the loop, when a wait last asked how long it may take
  int64_t pass_began_ns_ = 0;  // when the first wait of that pass did
};

}  // namespace io_selectors
