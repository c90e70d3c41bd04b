#include "proactor/idle_timers.h"

#include <algorithm>

#include "core/memory.h"
#include "core/timeout.h"

namespace io_selectors {

int64_t IdleTimers::NowMs() { return MonotonicNs() / kNsPerMs; }

bool IdleTimers::Set(int32_t slot, int32_t idle_ms, int64_t now_ms) {
  const size_t index = static_cast<size_t>(slot);
  if (idle_ms == 0 && (index >= nodes_.size() || nodes_[index].idle_ms == 0)) return true;
  if (!GrowTo(nodes_, index)) return false;
  if (buckets_.empty()) buckets_.assign(static_cast<size_t>(kBuckets), kNone);
  if (timed_ == 0) next_tick_ = empty_before_tick_ = now_ms / kTickMs;
  Node& node = nodes_[index];
  if (node.idle_ms != 0) {
    Remove(slot);
    --timed_;
  }
  node.idle_ms = idle_ms;
  node.active_ms = now_ms;
  if (idle_ms == 0) return true;
  ++timed_;
  Insert(slot, now_ms / kTickMs);
  return true;
}

int64_t IdleTimers::UntilNextMs(int64_t now_ms) {
  if (timed_ == 0) return -1;
  int64_t tick = std::max(next_tick_, empty_before_tick_);
  while (tick < next_tick_ + kBuckets && buckets_[BucketOf(tick)] == kNone) ++tick;
  empty_before_tick_ = tick;
  return std::max<int64_t>(0, tick * kTickMs - now_ms);
}

void IdleTimers::Insert(int32_t slot, int64_t now_tick) {
  Node& node = nodes_[static_cast<size_t>(slot)];
  // The first tick that begins after the time is up, so that it is never early; what is further
  // away than the wheel is round is looked at on the way.
  const int64_t due_tick = (node.active_ms + node.idle_ms + kTickMs) / kTickMs;
  node.tick = std::clamp(due_tick, now_tick + 1, now_tick + kBuckets - 1);
  empty_before_tick_ = std::min(empty_before_tick_, node.tick);
  int32_t& first = buckets_[BucketOf(node.tick)];
  node.previous = kNone;
  node.next = first;
  if (first != kNone) nodes_[static_cast<size_t>(first)].previous = slot;
  first = slot;
}

void IdleTimers::Remove(int32_t slot) {
  Node& node = nodes_[static_cast<size_t>(slot)];
  if (node.tick == kNowhere) return;
  if (node.previous != kNone) {
    nodes_[static_cast<size_t>(node.previous)].next = node.next;
  } else {
    buckets_[BucketOf(node.tick)] = node.next;
  }
  if (node.next != kNone) nodes_[static_cast<size_t>(node.next)].previous = node.previous;
  node.tick = kNowhere;
}

int32_t IdleTimers::TakeBucket(int64_t tick) {
  int32_t& first = buckets_[BucketOf(tick)];
  const int32_t slot = first;
  first = kNone;
  return slot;
}

}  // namespace io_selectors
