// One thread per connection, with blocking I/O and small stacks: the simplest server, and the one
// that C10K is about. If no descriptor or thread is left, accepting pauses. pthreads(7)

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "core/timeout.h"
#include "echo_server/connection.h"
#include "echo_server/report.h"
#include "echo_server/strategies.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

/** The handler's buffer and a few frames. Only what is touched becomes memory. */
constexpr size_t kStackBytes = kReadBufferBytes + 48 * 1024;

class ThreadPerConnection {
 public:
  explicit ThreadPerConnection(Server& server) : server_(server) {}

  Result<void> Run() {
    pthread_attr_init(&attributes_);
    pthread_attr_setdetachstate(&attributes_, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes_, std::max<size_t>(kStackBytes, PTHREAD_STACK_MIN));
    const Result<void> served = AcceptUntilStopped();
    pthread_attr_destroy(&attributes_);
    EndAll();
    return served;
  }

 private:
  struct Start {
    ThreadPerConnection* self;
    int fd;
    CounterSlot* slot;
  };

  Result<void> AcceptUntilStopped() {
    // The listener last: without it, where accepting pauses.
    pollfd watched[] = {{server_.stop.fd(), POLLIN, 0}, {server_.listener.get(), POLLIN, 0}};
    bool paused = false;
    while (!StopSignal::Raised()) {
      ++server_.counters.wait_calls;
      const int count = poll(watched, paused ? 1 : 2, paused ? ToMilliseconds(kAcceptPauseNs) : -1);
      if (count < 0 && errno != EINTR) return LastError("poll");
      if (count > 0) ++server_.counters.events_returned;
      paused = !AcceptAll();
    }
    return {};
  }

  /** @returns false if there was no descriptor or no thread for one. */
  bool AcceptAll() {
    for (int i = 0; i < kAcceptsPerWake && !StopSignal::Raised(); ++i) {
      if (!accepted_.valid()) {
        ++server_.counters.accept_calls;
        const int fd = Accept(server_.listener.get(), true);
        if (fd == -EAGAIN) return true;
        if (fd < 0) return Refused("accept", -fd);
        accepted_.Reset(fd);
      }
      const int error = StartThread(accepted_.get());
      if (error != 0) return Refused("pthread_create", error);
      (void)accepted_.Release();  // the thread's now
    }
    return true;
  }

  bool Refused(const char* call, int error) {
    SayOnce(&said_, call, error);
    return false;
  }

  int StartThread(int fd) {
    // Held until it is counted: the thread may end before pthread_create() has returned.
    const std::lock_guard<std::mutex> lock(mutex_);
    CounterSlot* slot = FreeSlot();
    if (slot == nullptr) return ENOMEM;
    auto start = std::make_unique<Start>(Start{this, fd, slot});
    pthread_t thread;
    const int error = pthread_create(&thread, &attributes_, Serve, start.get());
    if (error != 0) return error;
    free_.pop_back();
    (void)start.release();  // the thread's now
    open_.insert(fd);
    server_.counters.CountAccepted();
    return 0;
  }

  /** The last of `free_`, a new one if need be; null if there is no memory. Under the lock. */
  CounterSlot* FreeSlot() {
    if (!free_.empty()) return free_.back();
    // Room for every slot at the thread's end, which cannot fail.
    if (!Reserve(free_, ++slots_)) return nullptr;
    auto* slot = new (std::nothrow) CounterSlot();
    if (slot == nullptr) return nullptr;
    server_.all_counters.Add(slot);
    free_.push_back(slot);
    return slot;
  }

  static void* Serve(void* argument) {
    const std::unique_ptr<Start> start(static_cast<Start*>(argument));
    EchoHandler handler(start->slot->counters, start->self->server_.blocking);
    Connection connection;
    connection.fd.Reset(start->fd);
    Next next = Next::kRead;
    while (next != Next::kClose) {
      // A blocking send takes all; what a signal cut short is sent by the second call.
      next = next == Next::kRead ? handler.OnReadable(connection) : handler.OnWritable(connection);
    }
    start->self->End(connection.fd.Release(), start->slot);
    return nullptr;
  }

  /** Closes under the lock, so that EndAll() never shuts down a descriptor that has been reused. */
  void End(int fd, CounterSlot* slot) {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_.erase(fd);
    OwnedFd(fd).Reset();
    free_.push_back(slot);
    server_.counters.CountClosed();
    if (open_.empty()) all_ended_.notify_all();
  }

  void EndAll() {
    accepted_.Reset();
    std::unique_lock<std::mutex> lock(mutex_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    all_ended_.wait(lock, [this] { return open_.empty(); });
  }

  Server& server_;
  pthread_attr_t attributes_{};
  OwnedFd accepted_;  // waits for a thread
  bool said_ = false;
  std::mutex mutex_;
  std::condition_variable all_ended_;
  std::unordered_set<int> open_;
  std::vector<CounterSlot*> free_;  // of threads that have ended
  size_t slots_ = 0;                // that were ever made
};

}  // namespace

Result<void> RunThreadPerConnection(Server& server) {
  AnnounceReady(server);
  // Never freed: a detached thread may still be leaving End() when the last one has been counted.
  static auto* const strategy = new ThreadPerConnection(server);
  return strategy->Run();
}

}  // namespace io_selectors
