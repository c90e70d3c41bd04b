// A Watch by one thread of its own, for sources without a descriptor that can be nested: it polls a
// copy of what is registered, so the source itself stays with its thread. The thread is not one of
// Node's pool, because four sources would exhaust the pool. poll(2), uv_async_send

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "addon/environment.h"
#include "addon/waker.h"
#include "addon/watch.h"

namespace io_selectors {

namespace {

/** How long the thread leaves alone a list that poll(2) has refused, or a hang-up that the source
 * does not report. */
constexpr int kPauseMs = 50;

class ThreadWatch final : public Watch {
 public:
  ThreadWatch(napi_env env, Environment& environment, HostedSource& source)
      : Watch(env, environment, source), all_hangups_(source.ReportsHangupsOfWriters()) {}

  Result<void> Open(napi_env env, uv_loop_t* loop) {
    Result<std::shared_ptr<Waker>> interrupt = Waker::Open();
    if (!interrupt.ok()) return interrupt.error();
    interrupt_ = std::move(interrupt.value());
    const auto fire = [](uv_async_t* async) { static_cast<ThreadWatch*>(async->data)->OnAsync(); };
    // Before the handle, which could not be freed at once if no thread can be created.
    const auto run = [](void* self) { static_cast<ThreadWatch*>(self)->Run(); };
    int refused = uv_thread_create(&thread_, run, this);
    if (refused != 0) return Error{-refused, "uv_thread_create"};
    refused = uv_async_init(loop, &async_, fire);
    if (refused != 0) {
      End();
      return Error{-refused, "uv_async_init"};
    }
    Opened(env);
    return {};
  }

 private:
  uv_handle_t* handle() override { return reinterpret_cast<uv_handle_t*>(&async_); }

  Result<void> Arm() override {
    std::vector<pollfd> snapshot = {pollfd{interrupt_->fd(), POLLIN, 0}};
    source_.PrepareToBeWatched();
    if (source_.fileno() >= 0) {
      snapshot.push_back(pollfd{source_.fileno(), POLLIN, 0});
    } else {
      const std::vector<pollfd> watched = source_.Watched();
      snapshot.insert(snapshot.end(), watched.begin(), watched.end());
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      snapshot_ = std::move(snapshot);
      state_ = State::kArmed;
    }
    Interrupt();
    return {};
  }

  void Disarm() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      state_ = State::kIdle;
    }
    Interrupt();
  }

  /**
   * Lets go of the files at once, so that the peer of one that is closed next learns of it, and
   * copies what is registered in the loop's next pass: a copy per change would make n registrations
   * cost n squared.
   */
  void OnChanged() override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (state_ == State::kStale || state_ == State::kFired) return;
      state_ = State::kStale;
    }
    Interrupt();
    uv_async_send(&async_);
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
    State was;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      was = state_;
      if (was == State::kFired) state_ = State::kIdle;
    }
    if (was == State::kFired) return Fire(false);
    if (was == State::kStale) (void)Arm().ok();  // cannot fail
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
      const int ready = Poll(watched);
      lock.lock();
      if (state_ != State::kPolling) continue;
      const bool interrupted = ready == 0 || (watched[0].revents != 0 && ready == 1);
      if (interrupted) {
        snapshot_ = std::move(watched);  // EINTR, or a wake for what was seen already
        state_ = State::kArmed;
        continue;
      }
      state_ = State::kFired;
      uv_async_send(&async_);
    }
  }

  /** @returns 0 after EINTR; 1 after a pause if the list is refused (more descriptors than
   * RLIMIT_NOFILE, no memory), so that the waiting side looks for itself. */
  int Poll(std::vector<pollfd>& watched) const {
    const int ready = poll(watched.data(), static_cast<nfds_t>(watched.size()), -1);
    if (ready >= 0) return all_hangups_ ? ready : PollOthers(watched, ready);
    if (errno == EINTR) return 0;
    (void)poll(watched.data(), 1, kPauseMs);
    watched[0].revents = 0;
    return 1;
  }

  /** If nothing is ready but hang-ups that the source does not report: polls the others for a
   * while, because these may become writable. @returns as Poll(). */
  static int PollOthers(std::vector<pollfd>& watched, int ready) {
    const auto is_mute = [](const pollfd& one) {
      return one.revents == POLLHUP && (one.events & POLLIN) == 0;
    };
    ready -= static_cast<int>(std::count_if(watched.begin(), watched.end(), is_mute));
    if (ready > 0) return ready;
    std::vector<pollfd> others = watched;
    others.erase(std::remove_if(others.begin(), others.end(), is_mute), others.end());
    ready = std::max(0, poll(others.data(), static_cast<nfds_t>(others.size()), kPauseMs));
    watched[0].revents = others[0].revents;
    return ready;
  }

  enum class State { kIdle, kArmed, kPolling, kStale, kFired, kEnding };

  const bool all_hangups_;
  uv_async_t async_{};
  std::shared_ptr<Waker> interrupt_;
  std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::kIdle;    // under mutex_
  std::vector<pollfd> snapshot_;  // under mutex_
  uv_thread_t thread_{};
};

}  // namespace

Result<Watch*> MakeThreadWatch(napi_env env, Environment& environment, HostedSource& source) {
  auto* watch = new ThreadWatch(env, environment, source);
  const Result<void> opened = watch->Open(env, environment.loop);
  if (opened.ok()) return static_cast<Watch*>(watch);
  delete watch;
  return opened.error();
}

}  // namespace io_selectors
