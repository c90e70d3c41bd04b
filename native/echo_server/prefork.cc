// prefork: a fixed number of processes, each a level-triggered epoll reactor; the parent only
// restarts those that end. Either all accept from one listener, and each event wakes one of them
// (EPOLLEXCLUSIVE); a worker without free descriptors stops watching it, and the others accept. Or
// each has a listener of its own (SO_REUSEPORT): the kernel picks one by a hash of the addresses,
// and a connection that it gave to a full worker waits there. epoll_ctl(2), socket(7)
#ifdef __linux__

#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

#include "core/shared_array.h"
#include "core/timeout.h"
#include "echo_server/child_processes.h"
#include "echo_server/report.h"
#include "echo_server/selector_loop.h"
#include "echo_server/strategies.h"

namespace io_selectors {

namespace {

/** A worker that dies at once is not restarted more often than this. */
constexpr int64_t kRestartIntervalNs = kNsPerSecond;

/** How long workers may take to close what they have before they are killed. */
constexpr int64_t kEndingNs = 60 * kNsPerSecond;

int AllowedCpus() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0) return 1;
  return std::max(CPU_COUNT(&cpus), 1);
}

class Prefork {
 public:
  Prefork(Server& server, bool own_listeners)
      : server_(server),
        own_listeners_(own_listeners),
        workers_(static_cast<size_t>(server.workers > 0 ? server.workers : AllowedCpus())) {}

  Result<void> Run() {
    Result<void> prepared = Prepare();
    if (!prepared.ok()) return prepared;
    for (Worker& worker : workers_) {
      Start(worker);
      if (worker.pid < 0) {
        EndAll();
        return Error{-worker.pid, "fork"};
      }
    }
    AnnounceReady(server_);
    const Result<void> supervised = Supervise();
    EndAll();
    return supervised;
  }

 private:
  struct Worker {
    OwnedFd listener;  // SO_REUSEPORT only
    pid_t pid = 0;     // below 1: none
    int64_t started_ns = 0;
  };

  size_t IndexOf(const Worker& worker) const {
    return static_cast<size_t>(&worker - workers_.data());
  }

  Result<void> Prepare() {
    Result<void> done = children_.Install();
    if (done.ok()) done = counters_.Map(workers_.size());
    if (done.ok()) done = gauge_.Map(1);
    if (!done.ok()) return done;
    for (size_t i = 0; i < workers_.size(); ++i) {
      counters_[i].counters.gauge = &gauge_[0];
      server_.all_counters.Add(&counters_[i]);
    }
    if (!own_listeners_) return {};
    // All of them before the first connection: a listener that joins or leaves moves the others'.
    workers_[0].listener = std::move(server_.listener);
    for (size_t i = 1; i < workers_.size(); ++i) {
      Result<OwnedFd> listener = ListenTcp(server_.listen);
      if (!listener.ok()) return listener.error();
      workers_[i].listener = std::move(listener.value());
    }
    return {};
  }

  void Start(Worker& worker) {
    worker.started_ns = MonotonicNs();
    worker.pid = children_.Fork();
    if (worker.pid == 0) _exit(Serve(worker));
  }

  /** The worker's life. @returns its exit code. */
  int Serve(Worker& worker) {
    Result<StopSignal> stop = StopSignal::Install();  // the inherited one is the parent's
    if (!stop.ok()) return 1;
    ChildProcesses::UnblockSignals();
    OwnedFd listener = own_listeners_ ? std::move(worker.listener) : std::move(server_.listener);
    for (Worker& other : workers_) other.listener.Reset();
    Server server{std::move(listener),
                  server_.listen,
                  1,
                  std::move(stop.value()),
                  counters_[IndexOf(worker)].counters,
                  server_.all_counters,
                  {},
                  server_.blocking};
    const Result<void> served = ServeWithSelector(
        server, "epoll", own_listeners_ ? ListenerSharing::kOurs : ListenerSharing::kShared);
    if (served.ok()) return 0;
    std::fprintf(stderr, "echo-server: worker: %s: %s\n", served.error().syscall,
                 std::strerror(served.error().errno_value));
    return 1;
  }

  Result<void> Supervise() {
    pollfd watched[] = {{server_.stop.fd(), POLLIN, 0}};
    while (!StopSignal::Raised()) {
      const Result<int> waited = children_.Wait(watched, 1, UntilNextStart());
      if (!waited.ok()) return waited.error();
      ReapAll();
      if (StopSignal::Raised()) break;
      for (Worker& worker : workers_) {
        if (worker.pid <= 0 && MonotonicNs() - worker.started_ns >= kRestartIntervalNs) {
          Start(worker);
        }
      }
    }
    return {};
  }

  int64_t UntilNextStart() const {
    int64_t least = -1;
    for (const Worker& worker : workers_) {
      if (worker.pid > 0) continue;
      const int64_t left =
          std::max<int64_t>(worker.started_ns + kRestartIntervalNs - MonotonicNs(), 0);
      if (least < 0 || left < least) least = left;
    }
    return least;
  }

  void ReapAll() {
    for (pid_t child = ChildProcesses::Reap(); child > 0; child = ChildProcesses::Reap()) {
      for (Worker& worker : workers_) {
        if (worker.pid != child) continue;
        worker.pid = 0;
        CloseForTheDead(counters_[IndexOf(worker)].counters);
        if (StopSignal::Raised()) continue;
        std::fprintf(stderr, "echo-server: worker %d has died; another one takes its place\n",
                     static_cast<int>(child));
      }
    }
  }

  /** What it had open the kernel has closed. */
  static void CloseForTheDead(Counters& counters) {
    counters.gauge->Remove(counters.connections_accepted - counters.connections_closed);
    counters.connections_closed = counters.connections_accepted;
  }

  void EndAll() {
    SignalAll(SIGTERM);
    const int64_t deadline = MonotonicNs() + kEndingNs;
    bool killed = false;
    for (ReapAll(); AnyAlive(); ReapAll()) {
      if (!killed && MonotonicNs() > deadline) {
        SignalAll(SIGKILL);
        killed = true;
      }
      (void)children_.Wait(nullptr, 0, kAcceptPauseNs).ok();
    }
    server_.counters.peak_connections = gauge_[0].peak.load();
  }

  void SignalAll(int signal) {
    for (const Worker& worker : workers_) {
      if (worker.pid > 0) kill(worker.pid, signal);
    }
  }

  bool AnyAlive() const {
    return std::any_of(workers_.begin(), workers_.end(),
                       [](const Worker& worker) { return worker.pid > 0; });
  }

  Server& server_;
  bool own_listeners_;
  ChildProcesses children_;
  std::vector<Worker> workers_;
  SharedArray<CounterSlot> counters_;  // one per worker; the next one in its place counts on
  SharedArray<OpenGauge> gauge_;
};

/** Never freed: its slots are counted until the process ends. */
Result<void> Serve(Server& server, bool own_listeners) {
  static auto* const prefork = new Prefork(server, own_listeners);
  return prefork->Run();
}

}  // namespace

Result<void> RunPrefork(Server& server) { return Serve(server, false); }

Result<void> RunPreforkReuseport(Server& server) { return Serve(server, true); }

}  // namespace io_selectors

#endif  // __linux__
