// The engine over io_uring: accepts and receives are submitted once and complete repeatedly, the
// kernel picks the buffer of each receive inside `inbound`, and everything that a turn sends is
// submitted together with the wait, in one io_uring_enter(2). io_uring(7), Linux 6.0
#pragma once

#include <memory>

#include "proactor/engine.h"

namespace io_selectors {

/** What the engine uses if the kernel has it; each can be switched off to measure its worth. */
struct IoUringFeatures {
  bool deferred = true;         // IORING_SETUP_DEFER_TASKRUN: completes in our own waits only
  bool registered_ring = true;  // the ring's own descriptor is not looked up for each call
  bool no_order_array = true;   // IORING_SETUP_NO_SQARRAY, Linux 6.6
  bool skip_success = true;  // IOSQE_CQE_SKIP_SUCCESS on what can only be of interest if it fails
  bool counts_sends = true;  // waits for one completion more than sends complete at once
  bool incremental = true;   // IOU_PBUF_RING_INC: receives share a buffer, Linux 6.12
};

/**
 * @returns ENOSYS if this build or kernel lacks io_uring, EPERM if a sandbox or
 * kernel.io_uring_disabled forbids it.
 */
Result<std::unique_ptr<Engine>> MakeIoUringEngine(const Rings& rings,
                                                  const IoUringFeatures& features = {});

}  // namespace io_selectors
