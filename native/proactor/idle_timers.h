// IdleTimers: which connections have moved no byte for how long. Moving a byte costs one store; a
// wheel of buckets visits each timed connection once per timeout and puts those that were active
// back. Slots without a timeout cost nothing. Varghese and Lauck, "Hashed and Hierarchical Timing
// Wheels", 1987.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace io_selectors {

class IdleTimers {
 public:
  /** Milliseconds of CLOCK_MONOTONIC. */
  static int64_t NowMs();

  /**
   * Starts, restarts or, with 0 milliseconds, ends the timeout of a slot.
   * @returns false if there is no memory for it; ending needs none.
   */
  bool Set(int32_t slot, int32_t idle_ms, int64_t now_ms);

  /** The slot has moved a byte. */
  void Touch(int32_t slot, int64_t now_ms) {
    if (static_cast<size_t>(slot) < nodes_.size()) {
      nodes_[static_cast<size_t>(slot)].active_ms = now_ms;
    }
  }

  bool empty() const { return timed_ == 0; }

  /** Milliseconds until Expire() has something to look at; below 0: never. */
  int64_t UntilNextMs(int64_t now_ms);

  /** Calls `idle(slot)` for each slot whose time is up, and times it again. */
  template <typename Visitor>
  void Expire(int64_t now_ms, Visitor idle) {
    if (timed_ == 0) return;
    const int64_t now_tick = now_ms / kTickMs;
    // After a pause longer than one revolution of the wheel, one revolution visits every bucket.
    if (now_tick - next_tick_ >= kBuckets) next_tick_ = now_tick - kBuckets + 1;
    for (; next_tick_ <= now_tick; ++next_tick_) {
      for (int32_t slot = TakeBucket(next_tick_); slot >= 0;) {
        Node& node = nodes_[static_cast<size_t>(slot)];
        const int32_t following = node.next;
        node.tick = kNowhere;
        // Not at that millisecond itself: the last byte may have moved late in its own.
        const bool due = node.active_ms + node.idle_ms < now_ms;
        if (due) node.active_ms = now_ms;
        Insert(slot, now_tick);
        if (due) idle(slot);
        slot = following;
      }
    }
  }

 private:
  static constexpr int64_t kTickMs = 16;
  static constexpr int64_t kBuckets = 1024;
  static constexpr int64_t kNowhere = -1;
  static constexpr int32_t kNone = -1;

  struct Node {
    int64_t active_ms = 0;
    int64_t tick = kNowhere;  // of the bucket that it is in
    int32_t idle_ms = 0;      // 0: not timed
    int32_t next = kNone;
    int32_t previous = kNone;
  };

  static size_t BucketOf(int64_t tick) { return static_cast<size_t>(tick % kBuckets); }
  /** Puts a slot where its time may be up, at the earliest after `now_tick`. */
  void Insert(int32_t slot, int64_t now_tick);
  void Remove(int32_t slot);
  /** @returns the first slot of that bucket, which is empty then; -1: none. */
  int32_t TakeBucket(int64_t tick);

  std::vector<Node> nodes_;        // by slot
  std::vector<int32_t> buckets_;   // the first slot of each
  int64_t next_tick_ = 0;          // that Expire() has not looked at
  int64_t empty_before_tick_ = 0;  // no bucket from next_tick_ to here has a slot
  int timed_ = 0;
};

}  // namespace io_selectors
