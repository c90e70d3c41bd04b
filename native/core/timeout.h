// Timeouts: nanoseconds in the form that each system call takes, rounded up so that a wait never
// ends early.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <limits>

namespace io_selectors {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kNsPerMs = 1'000'000;
/** A time that is never reached. */
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

/** CLOCK_MONOTONIC in nanoseconds. clock_gettime(2) */
inline int64_t MonotonicNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * kNsPerSecond + now.tv_nsec;
}

/** CLOCK_MONOTONIC in `timeout_ns` nanoseconds, at most the largest int64. */
inline int64_t DeadlineAfter(int64_t timeout_ns) {
  const int64_t now = MonotonicNs();
  constexpr int64_t kLatest = std::numeric_limits<int64_t>::max();
  return timeout_ns > kLatest - now ? kLatest : now + timeout_ns;
}

/** The sooner of two timeouts, of which those below 0 never end. */
inline int64_t Sooner(int64_t one_ns, int64_t other_ns) {
  if (one_ns < 0 || other_ns < 0) return std::max(one_ns, other_ns);
  return std::min(one_ns, other_ns);
}

inline timespec ToTimespec(int64_t ns) {
  timespec result{};
  result.tv_sec = static_cast<time_t>(ns / kNsPerSecond);
  result.tv_nsec = static_cast<decltype(result.tv_nsec)>(ns % kNsPerSecond);
  return result;
}

/** Milliseconds for poll(2) and epoll_wait(2): rounded up, clamped to what an int holds; negative
 * stays "forever". */
inline int ToMilliseconds(int64_t ns) {
  if (ns < 0) return -1;
  const int64_t ms = ns / kNsPerMs + (ns % kNsPerMs != 0 ? 1 : 0);
  return ms > std::numeric_limits<int>::max() ? std::numeric_limits<int>::max()
                                              : static_cast<int>(ms);
}

}  // namespace io_selectors
