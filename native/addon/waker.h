// Waker: ends a wait from any thread. Wakes coalesce and stick: one before the wait ends it at
// once. eventfd(2), or the self-pipe of signal-safety(7)
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "core/owned_fd.h"
#include "core/result.h"

namespace io_selectors {

/**
 * Shared between the selector's thread and those that wake it, and found by number: a number can be
 * posted to a worker. After Close() a wake does nothing, so it never writes into a descriptor that
 * has been reused meanwhile.
 */
class Waker {
 public:
  /** Opens one and enters it into the process's register. */
  static Result<std::shared_ptr<Waker>> Open();

  /** The open waker of that number, or nullptr. */
  static std::shared_ptr<Waker> Find(int32_t handle);

  ~Waker() { Close(); }

  int32_t handle() const { return handle_; }

  /** What becomes readable; watched edge-triggered, so that it need not be read. */
  int fd() const { return reader_.valid() ? reader_.get() : writer_.get(); }

  void Wake();

  /** Takes what was written, for a level-triggered watcher. By the watching thread only. */
  void Drain();

  void Close();

 private:
  Result<void> OpenDescriptors();

  std::mutex mutex_;
  int32_t handle_ = 0;
  OwnedFd writer_;
  OwnedFd reader_;  // not valid if one descriptor is both ends (eventfd)
};

}  // namespace io_selectors
