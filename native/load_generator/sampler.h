// Sampler: what the server, this process and the machine have used so far, seen from outside, so
// that anybody's server can be measured. clock_getcpuclockid(3), proc(5).
// Enters: the server's pid. Leaves: one Sample a window edge; differences are the reader's.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <vector>

#include "load_generator/proc_file.h"

namespace io_selectors {

/** Running totals; kUnknown where the system does not tell or the process is gone. */
struct Sample {
  int64_t at_ns = 0;  // CLOCK_MONOTONIC
  int64_t server_cpu_ns = kUnknown;
  int64_t server_user_ticks = kUnknown;  // of 10 ms; not for a server with thousands of threads
  int64_t server_system_ticks = kUnknown;
  int64_t server_context_switches = kUnknown;
  int64_t server_run_queue_wait_ns = kUnknown;
  int64_t client_cpu_ns = kUnknown;
  int64_t client_run_queue_wait_ns = kUnknown;
  int64_t steal_ns = kUnknown;  // summed over all CPUs, in ticks of 10 ms
};

/**
 * Context switches and run-queue wait, summed over the threads of a process. A thread that ended
 * keeps what it had. With more threads than kThreadsAtMost both are unknown: reading ten thousand
 * files takes longer than a window.
 */
class ThreadSampler {
 public:
  static constexpr size_t kThreadsAtMost = 24;

  explicit ThreadSampler(pid_t pid) : pid_(pid) { threads_.reserve(kThreadsAtMost); }

  /** @param thread_count of /proc/<pid>/stat; where it changed the threads are listed anew */
  void Add(int64_t thread_count, Sample* sample);

 private:
  struct Thread {
    int64_t id;
    ProcFile status;
    ProcFile schedstat;
    int64_t switches;
    int64_t wait_ns;
    bool alive;
  };

  void List();
  bool Has(int64_t id) const;
  static void Read(Thread* thread);

  pid_t pid_;
  int64_t listed_ = 0;
  std::vector<Thread> threads_;
  int64_t ended_switches_ = 0;
  int64_t ended_wait_ns_ = 0;
};

class Sampler {
 public:
  /** @param server_pid 0: only this process and the machine are sampled */
  explicit Sampler(pid_t server_pid);

  /** The CPU clocks first, at one moment with `at_ns`; then what takes longer to find out. */
  Sample Take();

 private:
  // The kernel adds up all threads for it: two milliseconds for ten thousand of them.
  static constexpr int64_t kThreadsForStat = 1000;

  void AddServer(Sample* sample);

  int64_t server_thread_count_ = 0;
  bool has_clock_ = false;
  clockid_t server_clock_{};
  ProcFile server_stat_;
  ThreadSampler server_threads_;
  ProcFile own_schedstat_;
  ProcFile machine_stat_;
};

}  // namespace io_selectors
