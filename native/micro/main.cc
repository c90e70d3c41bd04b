// micro-baseline: what the micro benchmarks measure, without TypeScript: bare system calls, and the
// native selectors' waits. One run measures one case, as bench/micro/measure.ts does, so that the
// two take turns.

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "backends/backends.h"
#include "core/timeout.h"
#include "net/descriptor.h"
#include "net/open_socket.h"
#include "net/socket.h"

#ifdef __linux__
#include <sys/epoll.h>
#endif

namespace io_selectors {

namespace {

constexpr int kExitUsage = 2;
constexpr int kExitFailure = 1;

/** As EVENTS_PER_WAIT of the library. */
constexpr int kEventsPerWait = 256;
constexpr int kReadySockets = 64;
constexpr size_t kPayloadBytes = 64;

/** A batch is long enough that reading the clock costs it nothing. */
constexpr int64_t kBatchNs = 100'000;
constexpr size_t kFewestBatches = 5;

/** How many operations fill a batch; finding out warms up. */
template <typename Operation>
int64_t FindBatch(Operation& operation, int64_t warm_up_ns, bool* ok) {
  const int64_t end = MonotonicNs() + warm_up_ns;
  int64_t batch = 1;
  for (;;) {
    const int64_t started = MonotonicNs();
    for (int64_t i = 0; i < batch; ++i) *ok &= operation();
    const int64_t now = MonotonicNs();
    if (now - started < kBatchNs) {
      batch *= 2;
    } else if (now >= end || !*ok) {
      return batch;
    }
  }
}

/** Nanoseconds an operation, the median over batches that fill `budget_ns` and at least five. */
template <typename Operation>
Result<double> Measure(int64_t budget_ns, Operation operation) {
  bool ok = true;
  const int64_t batch = FindBatch(operation, budget_ns / 2, &ok);
  std::vector<double> samples;
  const int64_t end = MonotonicNs() + budget_ns;
  for (int64_t now = 0; now < end || samples.size() < kFewestBatches;) {
    const int64_t started = MonotonicNs();
    for (int64_t i = 0; i < batch; ++i) ok &= operation();
    now = MonotonicNs();
    samples.push_back(static_cast<double>(now - started) / static_cast<double>(batch));
  }
  if (!ok) return Error{EIO, "an operation"};  // perhaps fewer events than there are
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

/** Descriptors of socket pairs, of which as many are readable as were asked for. */
class Sockets {
 public:
  static Result<Sockets> Open(int idle, int readable) {
    Sockets sockets;
    for (int i = 0; i < readable + idle / 2; ++i) {
      Result<DescriptorPair> pair = OpenSocketPair(SocketType::kStream);
      if (!pair.ok()) return pair.error();
      sockets.pairs_.push_back(std::move(pair.value()));
      if (i < readable && Send(sockets.pairs_.back().second.get(), "x", 1) != 1) {
        return Error{EIO, "send"};
      }
    }
    sockets.readable_ = readable;
    return sockets;
  }

  const DescriptorPair& Pair(size_t index) const { return pairs_[index]; }

  /** Calls `visit(fd)` for the readable ones, and for both ends of those that are idle. */
  template <typename Visitor>
  void ForEachWatched(Visitor visit) const {
    for (size_t i = 0; i < pairs_.size(); ++i) {
      visit(pairs_[i].first.get());
      if (static_cast<int>(i) >= readable_) visit(pairs_[i].second.get());
    }
  }

 private:
  std::vector<DescriptorPair> pairs_;
  int readable_ = 0;
};

#ifdef __linux__

/** An epoll set, and how the library asks for readability. */
struct EpollSet {
  OwnedFd fd{epoll_create1(EPOLL_CLOEXEC)};

  bool Control(int operation, int watched) const {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.fd = watched;
    return epoll_ctl(fd.get(), operation, watched, &event) == 0;
  }
};

Result<double> MeasureReady(int64_t budget_ns) {
  const Result<Sockets> sockets = Sockets::Open(0, kReadySockets);
  if (!sockets.ok()) return sockets.error();
  const EpollSet set;
  sockets.value().ForEachWatched([&set](int fd) { (void)set.Control(EPOLL_CTL_ADD, fd); });
  std::array<epoll_event, kEventsPerWait> events{};
  return Measure(budget_ns, [&set, &events] {
    return epoll_wait(set.fd.get(), events.data(), kEventsPerWait, 0) == kReadySockets;
  });
}

Result<double> MeasureRegister(int64_t budget_ns) {
  const Result<Sockets> sockets = Sockets::Open(0, 1);
  if (!sockets.ok()) return sockets.error();
  const EpollSet set;
  const int fd = sockets.value().Pair(0).second.get();
  return Measure(budget_ns, [&set, fd] {
    return set.Control(EPOLL_CTL_ADD, fd) && set.Control(EPOLL_CTL_DEL, fd);
  });
}

Result<double> MeasureModify(int64_t budget_ns) {
  const Result<Sockets> sockets = Sockets::Open(0, 1);
  if (!sockets.ok()) return sockets.error();
  const EpollSet set;
  const int fd = sockets.value().Pair(0).second.get();
  if (!set.Control(EPOLL_CTL_ADD, fd)) return LastError("epoll_ctl");
  return Measure(budget_ns, [&set, fd] { return set.Control(EPOLL_CTL_MOD, fd); });
}

#else

Result<double> MeasureReady(int64_t /*budget_ns*/) { return Error{ENOSYS, "epoll_create1"}; }
Result<double> MeasureRegister(int64_t budget_ns) { return MeasureReady(budget_ns); }
Result<double> MeasureModify(int64_t budget_ns) { return MeasureReady(budget_ns); }

#endif

Result<double> MeasureTransfer(int64_t budget_ns) {
  const Result<DescriptorPair> pair = OpenSocketPair(SocketType::kStream);
  if (!pair.ok()) return pair.error();
  const int sender = pair.value().first.get();
  const int receiver = pair.value().second.get();
  std::array<char, kPayloadBytes> bytes{};
  return Measure(budget_ns, [sender, receiver, &bytes] {
    return Send(sender, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
           Receive(receiver, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  });
}

Result<double> MeasureWait(const std::string& backend_name, int idle, int64_t budget_ns) {
  const Backend* backend = FindBackend(backend_name);
  if (backend == nullptr) return Error{ENOSYS, "that backend"};
  const Result<Sockets> sockets = Sockets::Open(idle, 1);
  if (!sockets.ok()) return sockets.error();
  SelectorOptions options;
  options.fd_set_size = 2 * idle + 1024;
  Result<std::unique_ptr<Selector>> made = backend->make(options);
  if (!made.ok()) return made.error();
  Selector& selector = *made.value();
  bool registered = true;
  sockets.value().ForEachWatched([&](int fd) { registered &= selector.Register(fd, kRead).ok(); });
  if (!registered) return LastError("register");
  std::array<ReadyEvent, kEventsPerWait> ring{};
  return Measure(budget_ns, [&selector, &ring] {
    const Result<int> count = selector.Select(ring.data(), kEventsPerWait, 0);
    return count.ok() && count.value() == 1;
  });
}

/** wait-BACKEND-IDLE, or one of the bare system calls. */
Result<double> MeasureCase(const std::string& name, int64_t budget_ns) {
  if (name == "ready-64") return MeasureReady(budget_ns);
  if (name == "register-unregister") return MeasureRegister(budget_ns);
  if (name == "modify") return MeasureModify(budget_ns);
  if (name == "transfer-64") return MeasureTransfer(budget_ns);
  const size_t dash = name.rfind('-');
  if (name.rfind("wait-", 0) != 0 || dash < 5) return Error{EINVAL, "unknown case"};
  return MeasureWait(name.substr(5, dash - 5), std::atoi(name.c_str() + dash + 1), budget_ns);
}

/** Nanoseconds that this thread has waited for a CPU; negative if not available. The
 * second field of /proc/self/schedstat, proc(5). */
double RunQueueWaitNs() {
  double waited = -1;
  if (FILE* file = std::fopen("/proc/self/schedstat", "re")) {
    if (std::fscanf(file, "%*f %lf", &waited) != 1) waited = -1;
    std::fclose(file);
  }
  return waited;
}

void Print(double ns, double waited_ns, double elapsed_ns) {
  std::printf("{\"ns\":{\"baseline\":%.3f},\"waited\":", ns);
  if (waited_ns < 0) {
    std::printf("null}\n");
  } else {
    std::printf("%.6f}\n", waited_ns / elapsed_ns);
  }
}

int Main(int argc, char** argv) {
  const bool understood = argc == 5 && std::strcmp(argv[1], "--case") == 0 &&
                          std::strcmp(argv[3], "--ms") == 0 && std::atoi(argv[4]) > 0;
  if (!understood) {
    std::fprintf(stderr, "micro-baseline: usage: micro-baseline --case NAME --ms N\n");
    return kExitUsage;
  }
  // A second thread that sleeps, as every Node process has some: only a process with one thread is
  // spared the count of references to a descriptor that each system call takes (fdget in Linux).
  std::thread([] {
    for (;;) pause();
  }).detach();
  const int64_t started = MonotonicNs();
  const double waited_before = RunQueueWaitNs();
  const Result<double> ns = MeasureCase(argv[2], std::atoi(argv[4]) * kNsPerMs);
  if (!ns.ok()) {
    std::fprintf(stderr, "micro-baseline: %s: %s\n", ns.error().syscall,
                 std::strerror(ns.error().errno_value));
    return kExitFailure;
  }
  const double waited = waited_before < 0 ? -1 : RunQueueWaitNs() - waited_before;
  Print(ns.value(), waited, static_cast<double>(MonotonicNs() - started));
  return 0;
}

}  // namespace

}  // namespace io_selectors

int main(int argc, char** argv) { return io_selectors::Main(argc, argv); }
