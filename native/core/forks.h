// Forks: whether this process is still the one that made something. What it inherited by fork(2) it
// shares with its parent: an epoll set, the memory of a ring. A child that used
// it would change what the parent waits for.
// Enters: nothing. Leaves: a number that differs in every child. pthread_atfork(3)
#pragma once

#include <pthread.h>

#include <atomic>

namespace io_selectors {

/** How often this process has been forked off its ancestors since the first call. */
inline int CountForks() {
  static std::atomic<int> forks{0};
  // ENOMEM, its one error, would leave every count 0: as it is where nobody forks.
  static const int installed = pthread_atfork(nullptr, nullptr, [] { ++forks; });
  (void)installed;
  return forks.load(std::memory_order_relaxed);
}

}  // namespace io_selectors
