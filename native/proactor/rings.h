// The memory that an engine shares with the program that it serves: completions from the engine,
// submissions from the program, and the bytes of both. TypeScript reads and writes it as typed
// arrays (src/engine.ts), so the layout is fixed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace io_selectors {

/** What an engine reports of a slot, which is the number of a descriptor. */
enum class CompletionKind : int32_t {
  kAccepted = 1,  // slot: the new connection; offset, length: its listener and the life of that
  kData = 2,      // offset, length: bytes of `inbound`, valid until the next turn
  kEnd = 3,       // the peer has sent everything
  kQueued = 4,    // offset, length: upper and lower half of the bytes that are not sent yet
  kClosed = 5,    // length: -errno, or 0; offset: 1 if a send was refused; a slot's last one
  kIdle = 6,      // neither direction has moved a byte for the idle timeout
};

/** What a program asks of a slot. */
enum class SubmissionKind : int32_t {
  kWriteOutbound = 1,  // offset, length: bytes of `outbound`
  kWriteInbound = 2,   // offset, length: bytes of `inbound` that this turn has received
  kEnd = 3,            // sends what is queued, then ends the sending direction
  kDestroy = 4,        // closes at once; answered by kClosed
  kPause = 5,          // receives nothing more
  kResume = 6,
  kReport = 7,       // answered by kQueued
  kIdleTimeout = 8,  // length: milliseconds, 0 for none
  kMoreAccepts = 9,  // length: how many connections more a listener may accept
};

/**
 * What an entry is about: a kind, and above it the life of the slot. A descriptor's number may be
 * another connection's before the program has seen the end of the first, so every entry names the
 * life that it belongs to: 1 or more. After kMostLives they begin again, without those of
 * listeners that are open.
 */
template <typename Kind>
class RingLabel {
 public:
  RingLabel() = default;
  RingLabel(Kind kind, int32_t life) : bits_(life * kKinds | static_cast<int32_t>(kind)) {}

  Kind kind() const { return static_cast<Kind>(bits_ & (kKinds - 1)); }
  int32_t life() const { return bits_ / kKinds; }

#ifdef IO_SELECTORS_MOST_LIVES
  static constexpr int32_t kMostLives = IO_SELECTORS_MOST_LIVES;  // a test that reaches it
#else
  static constexpr int32_t kMostLives = (1 << 24) - 1;
#endif

 private:
  static constexpr int32_t kKinds = 16;

  int32_t bits_ = 0;
};

struct RingCompletion {
  int32_t slot;
  RingLabel<CompletionKind> label;
  int32_t offset;
  int32_t length;
};

struct RingSubmission {
  int32_t slot;
  RingLabel<SubmissionKind> label;
  int32_t offset;
  int32_t length;
};

static_assert(sizeof(RingCompletion) == 16 && sizeof(RingSubmission) == 16,
              "TypeScript reads and writes four int32 per entry");

/** What both sides count with. The program fills submissions and outbound bytes from 0 on; a flush
 * takes them all and sets both counts to 0. */
struct RingHead {
  int32_t submissions;
  int32_t outbound_bytes;
  int32_t wish;         // of the run that serves the engine; see HostedSource
  int32_t flushes;      // wraps around; what was written under another number has left the rings
  int32_t completions;  // that the last turn reported
};

/** Owned by the program, which keeps it in place for as long as the engine lives. */
struct Rings {
  RingHead* head = nullptr;
  RingCompletion* completions = nullptr;
  int32_t completion_capacity = 0;
  RingSubmission* submissions = nullptr;
  int32_t submission_capacity = 0;
  uint8_t* inbound = nullptr;
  size_t inbound_bytes = 0;
  uint8_t* outbound = nullptr;
  size_t outbound_bytes = 0;
};

/** Bytes that one receive may bring: the same for every echo server of the benchmark suite. */
constexpr size_t kReceiveBytes = 16 * 1024;

/** The sizes that an Engine is made for. A turn reports what does not fit in the next one. */
constexpr int32_t kRingCompletions = 1024;
constexpr int32_t kRingSubmissions = 1024;
constexpr size_t kInboundBytes = 256 * 1024;
constexpr size_t kOutboundBytes = 256 * 1024;

}  // namespace io_selectors
