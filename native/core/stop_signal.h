// StopSignal: SIGTERM and SIGINT as a readable descriptor, so that a loop which waits for
// descriptors can be stopped. The self-pipe of signal-safety(7).
#pragma once

#include "core/owned_fd.h"
#include "core/result.h"

namespace io_selectors {

class StopSignal {
 public:
  /** Installs the handlers; at most one StopSignal lives in a process. SIGPIPE is ignored as well.
   */
  static Result<StopSignal> Install();

  StopSignal() = default;
  StopSignal(StopSignal&&) = default;
  StopSignal& operator=(StopSignal&&) = delete;
  ~StopSignal();

  /** Readable from the first signal on; it is never drained. */
  int fd() const { return reader_.get(); }

  /** Whether a signal came: cheap enough for a busy loop. */
  static bool Raised();

 private:
  OwnedFd reader_;
  OwnedFd writer_;
};

}  // namespace io_selectors
