// Watch: a source watched by Node's event loop instead of by a blocked thread, for promises
// (Selector.wait) and for a HostedRun. It uses one uv_poll of the source's own descriptor if that
// can be nested, otherwise one thread that polls.
#pragma once

#include <node_api.h>
#include <uv.h>

#include "addon/hosted_source.h"
#include "addon/pending.h"

namespace io_selectors {

struct Environment;

/**
 * Armed only while a promise or a run waits, because a level trigger would spin. Owned by its uv
 * handle: Close() ends it, or else the environment's asynchronous clean-up.
 */
class Watch {
 public:
  /** The source's watch, made if it has none. */
  static Result<Watch*> Of(napi_env env, Environment& environment, HostedSource& source);

  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /** Whether promises wait. */
  bool is_waited_for() const { return !pending_.empty(); }

  /** A promise that is resolved at the next readiness or wake. */
  Result<napi_value> Next();

  /** Sets `*fired` at each readiness or wake, until it is called with nullptr. Its owner calls
   * Looked() after each look. */
  Result<void> Listen(bool* fired);

  /** Disarms while this thread itself waits. @returns false if it is paused already. */
  bool Pause();
  /** Arms again if something waits. */
  void Resume();

  /** Resolves the promises, and calls the listener. @param persists whether it stays armed. */
  void Fire(bool persists);

  /** The registrations have changed. */
  void Changed() {
    if (armed_) OnChanged();
  }

  /** This thread has looked at the source itself. */
  void Looked();

  /** Before something that may close a circle: see NestedWatch::AddAtOnce(). */
  void BeAdded() {
    if (armed_) AddNow();
  }

  /** Ends the promises that wait, without readiness. */
  void Cancel();

  /** Whether an armed watch keeps the process alive; source.keeps_alive has changed. */
  void ApplyRef();

  /** Cancels, and frees itself once its handle is closed. */
  void Close();

 protected:
  Watch(napi_env env, Environment& environment, HostedSource& source)
      : source_(source), environment_(environment), pending_(env, "io_selectors:wait") {}
  virtual ~Watch() = default;

  /** To be called by the factory once the handle is open. */
  void Opened(napi_env env);

  virtual uv_handle_t* handle() = 0;
  virtual Result<void> Arm() = 0;
  virtual void Disarm() = 0;
  virtual void OnChanged() = 0;
  virtual void AddNow() {}
  /** Before the handle is closed: whatever runs beside the loop ends. */
  virtual void End() {}

  HostedSource& source_;
  Environment& environment_;

 private:
  Result<void> ArmIfWanted();
  /** Node's loop refuses to contain the source: a thread polls it from now on, for what waits here.
   */
  Result<void> BecomeThread();
  /** Disarms unless something waits. */
  void DisarmIfUnwanted();
  bool is_wanted() const { return fired_ != nullptr || !pending_.empty(); }
  void CloseHandle();

  Pending pending_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool* fired_ = nullptr;
  int32_t renewals_ = 0;  // of the source, when it was armed
  bool armed_ = false;
  bool paused_ = false;
  bool closed_ = false;
};

/** nested_watch.cc: for sources with a descriptor of their own. */
Result<Watch*> MakeNestedWatch(napi_env env, Environment& environment, HostedSource& source);
/** thread_watch.cc: for the others. */
Result<Watch*> MakeThreadWatch(napi_env env, Environment& environment, HostedSource& source);

}  // namespace io_selectors
