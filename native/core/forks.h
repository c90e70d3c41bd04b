// Forks: whether this process is still the one that made an object. After fork(2) a child shares an
// epoll set or the memory of a ring with its parent; using it would change what the parent waits
// for. pthread_atfork(3)
#pragma once

#include <pthread.h>

#include <atomic>

namespace io_selectors {

/** How often this process has been forked off its ancestors since the first call. */
inline int CountForks() {
  static std::atomic<int> forks{0};
  // ENOMEM, its one error, would leave every count at 0, as in a program that never forks.
  static const int installed = pthread_atfork(nullptr, nullptr, [] { ++forks; });
  (void)installed;
  return forks.load(std::memory_order_relaxed);
}

}  // namespace io_selectors
