// The vocabulary of readiness: interest bits, raw flags, and the layout of one event in the ring.
// The backends, the addon, and TypeScript (as an Int32Array) use the same layout.
#pragma once

#include <cstdint>

namespace io_selectors {

/** Interest and readiness: the same two bits (EVENT_READ, EVENT_WRITE in TypeScript). */
constexpr int32_t kRead = 1;
constexpr int32_t kWrite = 2;

/** What the kernel reports besides readable and writable (FLAG_HANGUP … in TypeScript). */
constexpr int32_t kFlagHangup = 1;
constexpr int32_t kFlagError = 2;
constexpr int32_t kFlagReadClosed = 4;
constexpr int32_t kFlagPriority = 8;

/** One ready descriptor: four int32, the layout of the ring that TypeScript owns. */
struct ReadyEvent {
  int32_t fd;
  int32_t ready;       // kRead | kWrite, always a subset of the registered interest
  int32_t generation;  // of the registration; compare it before dispatch
  int32_t flags;       // kFlag…
};
static_assert(sizeof(ReadyEvent) == 16, "TypeScript reads the ring as four int32 per event");

}  // namespace io_selectors
