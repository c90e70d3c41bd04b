#include "echo_server/worker_pool.h"

#ifdef __linux__

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>

namespace io_selectors {

namespace {

/** As many as bench/contenders/servers/worker-pool.ts has. */
constexpr size_t kThreads = 4;

}  // namespace

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
  }
  submitted_.notify_all();
  closing_.notify_all();
  for (const pthread_t thread : threads_) pthread_join(thread, nullptr);
}

Result<void> WorkerPool::Start() {
  done_event_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!done_event_.valid()) return LastError("eventfd");
  threads_.reserve(kThreads);
  while (threads_.size() < kThreads) {
    pthread_t thread;
    const int error = pthread_create(&thread, nullptr, Work, this);
    if (error != 0) return Error{error, "pthread_create"};
    threads_.push_back(thread);
  }
  return {};
}

void WorkerPool::Submit(Job job) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    jobs_.push_back(job);
  }
  submitted_.notify_one();
}

void WorkerPool::TakeDone(std::vector<int>* connections) {
  connections->clear();
  uint64_t wakes = 0;
  // EAGAIN: an earlier call has taken them. Before the list, so that no later wake is lost.
  const ssize_t drained = read(done_event_.get(), &wakes, sizeof(wakes));
  (void)drained;
  const std::lock_guard<std::mutex> lock(mutex_);
  connections->swap(done_);
}

void* WorkerPool::Work(void* pool) {
  static_cast<WorkerPool*>(pool)->WorkUntilClosed();
  return nullptr;
}

void WorkerPool::WorkUntilClosed() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    submitted_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
    if (closed_) return;
    const Job job = jobs_.front();
    jobs_.pop_front();
    if (!Block(&lock, job.calls)) return;
    done_.push_back(job.connection);
    // The first one wakes the loop, which takes all that are done by then.
    if (done_.size() == 1) Wake();
  }
}

/** Stands for the calls. Without the mutex, until the time is up or the pool is closed. */
bool WorkerPool::Block(std::unique_lock<std::mutex>* lock, int64_t calls) {
  const auto time = std::chrono::milliseconds(blocking_.ms * calls);
  return !closing_.wait_for(*lock, time, [this] { return closed_; });
}

void WorkerPool::Wake() {
  const uint64_t one = 1;
  // EAGAIN: the counter is full, so the descriptor is readable.
  const ssize_t written = write(done_event_.get(), &one, sizeof(one));
  (void)written;
}

}  // namespace io_selectors

#endif  // __linux__
