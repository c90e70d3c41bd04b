// One process per connection, forked on accept, with blocking I/O: the oldest kind of Unix server.
// If no process can be created, accepting pauses. The children count in memory that they share with
// the parent. fork(2)
#ifdef __linux__

#include <sys/socket.h>

#include <unordered_map>
#include <vector>

#include "core/shared_array.h"
#include "core/timeout.h"
#include "echo_server/child_processes.h"
#include "echo_server/connection.h"
#include "echo_server/report.h"
#include "echo_server/strategies.h"

namespace io_selectors {

namespace {

/** More processes than any system is set up for; only what is used becomes memory. */
constexpr size_t kMostChildren = 1 << 18;

/** How long children may take to end before they are killed. */
constexpr int64_t kEndingNs = 10 * kNsPerSecond;

class ProcessPerConnection {
 public:
  explicit ProcessPerConnection(Server& server) : server_(server) {}

  Result<void> Run() {
    Result<void> ready = children_.Install();
    if (ready.ok()) ready = counters_.Map(kMostChildren);
    if (!ready.ok()) return ready;
    AnnounceReady(server_);
    const Result<void> served = AcceptUntilStopped();
    EndAll();
    return served;
  }

 private:
  Result<void> AcceptUntilStopped() {
    // The listener last: without it, where accepting pauses.
    pollfd watched[] = {{server_.stop.fd(), POLLIN, 0}, {server_.listener.get(), POLLIN, 0}};
    bool paused = false;
    while (!StopSignal::Raised()) {
      ++server_.counters.wait_calls;
      const Result<int> count =
          children_.Wait(watched, paused ? 1 : 2, paused ? kAcceptPauseNs : kNoDeadline);
      if (!count.ok()) return count.error();
      server_.counters.events_returned += static_cast<uint64_t>(count.value());
      ReapAll();
      paused = !AcceptAll();
    }
    return {};
  }

  /** @returns false if there was no descriptor or no process for one. */
  bool AcceptAll() {
    for (int i = 0; i < kAcceptsPerWake; ++i) {
      if (!accepted_.valid()) {
        ++server_.counters.accept_calls;
        const int fd = Accept(server_.listener.get(), true);
        if (fd == -EAGAIN) return true;
        if (fd < 0) return Refused("accept", -fd);
        accepted_.Reset(fd);
      }
      const pid_t child = StartProcess();
      if (child < 0) return Refused("fork", -child);
      accepted_.Reset();  // the child's now
    }
    return true;
  }

  bool Refused(const char* call, int error) {
    SayOnce(&said_, call, error);
    return false;
  }

  pid_t StartProcess() {
    const size_t slot = free_.empty() ? used_ : free_.back();
    if (slot == kMostChildren) return -EAGAIN;
    const pid_t child = children_.Fork();
    if (child == 0) Serve(std::move(accepted_), counters_[slot].counters);
    if (child < 0) return child;
    if (free_.empty()) {
      ++used_;
      server_.all_counters.Add(&counters_[slot]);
    } else {
      free_.pop_back();
    }
    slots_[child] = slot;
    server_.counters.CountAccepted();
    return child;
  }

  /** The child's life. */
  [[noreturn]] void Serve(OwnedFd fd, Counters& counters) {
    server_.listener.Reset();
    Connection connection;
    connection.fd = std::move(fd);
    EndOnSignal(connection.fd.get());
    EchoHandler handler(counters, server_.blocking);
    Next next = Next::kRead;
    while (next != Next::kClose) {
      // A blocking send takes all; what a signal cut short is sent by the second call.
      next = next == Next::kRead ? handler.OnReadable(connection) : handler.OnWritable(connection);
    }
    _exit(0);
  }

  /** SIGTERM then ends the stream, and the child sees that where it would have seen the peer do it:
   * what it counts stays exact. */
  static void EndOnSignal(int fd) {
    static int connection = -1;
    connection = fd;
    struct sigaction action = {};
    action.sa_handler = [](int) {
      const int saved = errno;
      shutdown(connection, SHUT_RDWR);
      errno = saved;
    };
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, nullptr);
    action.sa_handler = SIG_IGN;  // a terminal's Ctrl-C reaches all; the parent passes it on
    sigaction(SIGINT, &action, nullptr);
    ChildProcesses::UnblockSignals();
  }

  void ReapAll() {
    for (pid_t child = children_.Reap(); child > 0; child = children_.Reap()) {
      const auto found = slots_.find(child);
      if (found == slots_.end()) continue;
      server_.counters.CountClosed();
      free_.push_back(found->second);
      slots_.erase(found);
    }
  }

  void EndAll() {
    accepted_.Reset();
    SignalAll(SIGTERM);
    const int64_t deadline = MonotonicNs() + kEndingNs;
    while (!slots_.empty() && MonotonicNs() < deadline) {
      ReapAll();
      // Ends with the next SIGCHLD; the time is for one that came before the mask was lifted.
      if (!slots_.empty()) (void)children_.Wait(nullptr, 0, kAcceptPauseNs).ok();
    }
    SignalAll(SIGKILL);
    while (!slots_.empty()) {
      ReapAll();
      if (!slots_.empty()) (void)children_.Wait(nullptr, 0, kAcceptPauseNs).ok();
    }
  }

  void SignalAll(int signal) {
    for (const auto& [child, slot] : slots_) kill(child, signal);
  }

  static constexpr int64_t kNoDeadline = -1;

  Server& server_;
  ChildProcesses children_;
  SharedArray<CounterSlot> counters_;        // a slot per child, in use while it lives
  std::unordered_map<pid_t, size_t> slots_;  // of the children that live
  std::vector<size_t> free_;                 // slots of those that have ended
  size_t used_ = 0;                          // slots that were ever taken
  OwnedFd accepted_;                         // waits for a process
  bool said_ = false;
};

}  // namespace

Result<void> RunProcessPerConnection(Server& server) {
  // Never freed: its slots are counted until the process ends.
  static auto* const strategy = new ProcessPerConnection(server);
  return strategy->Run();
}

}  // namespace io_selectors

#endif  // __linux__
