// Watch: a Selector waited for beside Node's event loop, as a promise instead of a blocked thread.
// Enters: Next(). Leaves: a promise that is resolved when the selector has something, or was woken.
// Nested (one uv_poll of the backend's own descriptor) where there is one, else one thread.
#pragma once

#include <node_api.h>
#include <uv.h>

#include "addon/pending.h"
#include "core/selector.h"

namespace io_selectors {

/**
 * Armed only while somebody waits, since a level trigger would spin. Owned by its uv handle:
 * Close() ends it, and the environment's asynchronous clean-up does where nobody else did.
 */
class Watch {
 public:
  /** @param owner where the pointer to it is kept: set to nullptr once it is closed, by whomever.
   */
  static Result<void> Make(napi_env env, uv_loop_t* loop, Selector& selector, Watch** owner);

  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  bool armed() const { return armed_; }

  /** Arms, where it is not armed. @returns a promise, or nullptr where arming or the engine failed.
   */
  napi_value Next();

  /** Disarms while this thread itself waits, and arms again after it. */
  void Pause();
  void Resume();

  /** The registrations have changed while it is armed. */
  virtual void Changed() = 0;

  /** This thread has looked at the selector itself while it is armed. */
  virtual void Looked() = 0;

  /** Ends the promises that wait, without readiness. */
  void Cancel();

  /** Whether an armed watch keeps the process alive; it does unless told otherwise. */
  void SetRef(bool on);

  /** Cancels, and frees itself once its handle is closed. */
  void Close();

 protected:
  Watch(napi_env env, Selector& selector)
      : selector_(selector), pending_(env, "io_selectors:wait") {}
  virtual ~Watch() = default;

  /** To be called by the factory once the handle is open. */
  void Opened(napi_env env);

  /** To be called by the handle's callback: disarms and resolves. */
  void Fire();

  virtual uv_handle_t* handle() = 0;
  virtual bool Arm() = 0;
  virtual void Disarm() = 0;
  /** Before the handle is closed: whatever runs beside the loop ends. */
  virtual void End() {}

  Selector& selector_;

 private:
  void ApplyRef();
  void CloseHandle();

  Watch** owner_ = nullptr;
  Pending pending_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool armed_ = false;
  bool paused_ = false;
  bool keeps_alive_ = true;
};

/** nested_watch.cc: for backends with a descriptor of their own. */
Watch* MakeNestedWatch(napi_env env, uv_loop_t* loop, Selector& selector);
/** thread_watch.cc: for the others. */
Watch* MakeThreadWatch(napi_env env, uv_loop_t* loop, Selector& selector);

}  // namespace io_selectors
