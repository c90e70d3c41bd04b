// SignalSource: a descriptor that is readable while signals of the process wait to be taken.
//
// Not signalfd(2): that reads a signal only if every thread of the process blocks it, and threads
// of Node and V8 exist before any addon is loaded. One of them would take the signal and run its
// default action. libuv's handler runs on whichever thread the kernel chooses and tells every loop
// that watches the signal; a SignalSource is such a loop, which runs only while signals are taken.
#pragma once

#include <uv.h>

#include <memory>
#include <vector>

#include "core/owned_fd.h"
#include "core/result.h"

namespace io_selectors {

class SignalSource {
 public:
  /** EINVAL for a signal that cannot be caught. uv_signal_start */
  static Result<std::unique_ptr<SignalSource>> Open(const std::vector<int>& signals);
  ~SignalSource();
  SignalSource(const SignalSource&) = delete;
  SignalSource& operator=(const SignalSource&) = delete;

  /** A duplicate of the loop's descriptor, which the caller owns. */
  Result<OwnedFd> Descriptor() const;

  /** The signals that arrived since the last call, in order. */
  std::vector<int> Take();

 private:
  SignalSource() = default;
  Result<void> Start(const std::vector<int>& signals);

  uv_loop_t loop_{};
  bool made_ = false;
  std::vector<std::unique_ptr<uv_signal_t>> handles_;
  std::vector<int> arrived_;
};

}  // namespace io_selectors
