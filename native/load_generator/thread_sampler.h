// ThreadSampler: context switches and run-queue wait of one process, summed over its threads.
// proc(5): /proc/<pid>/task/<tid>/status and schedstat.
// Enters: a pid, how many threads it has. Leaves: running totals; a thread that ended keeps what it
// had.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "load_generator/proc_file.h"

namespace io_selectors {

class ThreadSampler {
 public:
  explicit ThreadSampler(pid_t pid) : pid_(pid) {}

  /**
   * Looks at every thread.
   * @param thread_count of /proc/<pid>/stat; where it changed the threads are listed anew
   * @param hold keeps their files open, two each: the next look costs a third
   */
  void Look(int64_t thread_count, bool hold);

  int64_t switches() const { return switches_; }
  /** kUnknown on a kernel without CONFIG_SCHED_INFO. */
  int64_t wait_ns() const { return wait_ns_; }

 private:
  struct Thread {
    int64_t id;
    ProcFile status;
    ProcFile schedstat;
    int64_t switches;
    int64_t wait_ns;
    bool alive;
  };

  void List(bool hold);
  bool Has(int64_t id) const;
  void Read(Thread* thread) const;
  void Sum();

  pid_t pid_;
  int64_t listed_ = 0;
  std::vector<Thread> threads_;
  int64_t ended_switches_ = 0;
  int64_t ended_wait_ns_ = 0;
  int64_t switches_ = 0;
  int64_t wait_ns_ = 0;
};

}  // namespace io_selectors
