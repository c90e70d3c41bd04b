// WorkerPool: a few threads for handlers that block, so that the loop which serves the connections
// does not. A loop has at most one job per connection in it, which bounds the queue by the number
// of connections. The loop waits for fd(), an eventfd, to learn of jobs that are done. eventfd(2)
#pragma once

#ifdef __linux__

#include <pthread.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "core/owned_fd.h"
#include "core/result.h"
#include "echo_server/blocking.h"

namespace io_selectors {

class WorkerPool {
 public:
  struct Job {
    int connection;
    int64_t calls;  // that block, one after the other
  };

  explicit WorkerPool(const Blocking& blocking) : blocking_(blocking) {}
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  /** Ends the threads, also those that block; jobs that are not done are dropped. */
  ~WorkerPool();

  /** Once. @returns why there is no descriptor or no thread; the threads that run end with this. */
  Result<void> Start();

  /** Readable if jobs are done that TakeDone() has not returned yet. */
  int fd() const { return done_event_.get(); }

  void Submit(Job job);

  /** Replaces `connections` by those whose jobs are done, in that order. Never blocks. */
  void TakeDone(std::vector<int>* connections);

 private:
  static void* Work(void* pool);
  void WorkUntilClosed();

  /** @returns false if the pool was closed meanwhile. */
  bool Block(std::unique_lock<std::mutex>* lock, int64_t calls);

  void Wake();

  const Blocking blocking_;
  OwnedFd done_event_;
  std::vector<pthread_t> threads_;
  std::mutex mutex_;  // of all below
  std::condition_variable submitted_;
  std::condition_variable closing_;  // ends what blocks
  std::deque<Job> jobs_;
  std::vector<int> done_;
  bool closed_ = false;
};

}  // namespace io_selectors

#endif  // __linux__
