// A Watch by one thread of its own, for backends without a descriptor: it polls a copy of what is
// registered, so the selector itself stays with its thread. Never the thread pool, which four of
// these would exhaust. Enters: a snapshot. Leaves: uv_async_send. poll(2), uv_async_send

#include <poll.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "addon/waker.h"
#include "addon/watch.h"

namespace io_selectors {

namespace {

class ThreadWatch final : public Watch {
 public:
  ThreadWatch(napi_env env, Selector& selector) : Watch(env, selector) {}

  bool Open(napi_env env, uv_loop_t* loop) {
    Result<std::shared_ptr<Waker>> interrupt = Waker::Open();
    if (!interrupt.ok()) return false;
    interrupt_ = std::move(interrupt.value());
    const auto fire = [](uv_async_t* async) { static_cast<ThreadWatch*>(async->data)->OnAsync(); };
    // Before the handle, which could not be freed at once where there is no thread to be had.
    const auto run = [](void* self) { static_cast<ThreadWatch*>(self)->Run(); };
    const int refused = uv_thread_create(&thread_, run, this);
    if (refused != 0) {
      errno = -refused;
      return false;
    }
    if (uv_async_init(loop, &async_, fire) != 0) {
      End();
      return false;
    }
    Opened(env);
    return true;
  }

  void Changed() override {
    if (armed()) Arm();
  }

  /** Its thread polls the descriptors themselves, which the look has not changed. */
  void Looked() override {}

 private:
  uv_handle_t* handle() override { return reinterpret_cast<uv_handle_t*>(&async_); }

  bool Arm() override {
    std::vector<pollfd> snapshot = {pollfd{interrupt_->fd(), POLLIN, 0}};
    selector_.ForEachWatched([&snapshot](int fd, const Registration& registration) {
      const bool reads = (registration.interest & kRead) != 0;
      const bool writes = (registration.interest & kWrite) != 0;
      const int events = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0) |
                         (reads && registration.options.priority ? POLLPRI : 0);
      snapshot.push_back(pollfd{fd, static_cast<short>(events), 0});
    });
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      snapshot_ = std::move(snapshot);
      state_ = State::kArmed;
    }
    Interrupt();
    return true;
  }

  void Disarm() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      state_ = State::kIdle;
    }
    Interrupt();
  }

  void End() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      state_ = State::kEnding;
    }
    Interrupt();
    uv_thread_join(&thread_);
  }

  /** Makes the thread look at its state again, whether it polls or sleeps. */
  void Interrupt() {
    interrupt_->Wake();
    changed_.notify_one();
  }

  /** The thread may have been disarmed between its sending and this callback. */
  void OnAsync() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (state_ != State::kFired) return;
      state_ = State::kIdle;
    }
    Fire();
  }

  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (state_ != State::kEnding) {
      if (state_ != State::kArmed) {
        changed_.wait(lock);
        continue;
      }
      std::vector<pollfd> watched = std::exchange(snapshot_, {});
      state_ = State::kPolling;
      interrupt_->Drain();
      lock.unlock();
      const int ready = poll(watched.data(), static_cast<nfds_t>(watched.size()), -1);
      lock.lock();
      if (state_ != State::kPolling) continue;
      const bool interrupted = ready < 0 || (watched[0].revents != 0 && ready == 1);
      if (interrupted) {
        snapshot_ = std::move(watched);  // EINTR, or a wake for what was seen already
        state_ = State::kArmed;
        continue;
      }
      state_ = State::kFired;
      uv_async_send(&async_);
    }
  }

  enum class State { kIdle, kArmed, kPolling, kFired, kEnding };

  uv_async_t async_{};
  std::shared_ptr<Waker> interrupt_;
  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::kIdle;    // under mutex_
  std::vector<pollfd> snapshot_;  // under mutex_
  uv_thread_t thread_{};
};

}  // namespace

Watch* MakeThreadWatch(napi_env env, uv_loop_t* loop, Selector& selector) {
  auto* watch = new ThreadWatch(env, selector);
  if (watch->Open(env, loop)) return watch;
  delete watch;
  return nullptr;
}

}  // namespace io_selectors
