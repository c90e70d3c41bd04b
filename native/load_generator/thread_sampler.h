// ThreadSampler: context switches and run-queue wait of one process, summed over its threads, and
// the longest time for which one of them ran or waited to run. proc(5):
// /proc/<pid>/task/<tid>/status and schedstat.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "load_generator/proc_file.h"

namespace io_selectors {

/** Context switches: the thread waited for something, or lost its CPU to another one. */
struct Switches {
  int64_t voluntary = 0;
  int64_t involuntary = 0;

  int64_t all() const { return voluntary + involuntary; }
  void Add(const Switches& other) {
    voluntary += other.voluntary;
    involuntary += other.involuntary;
  }
};

class ThreadSampler {
 public:
  explicit ThreadSampler(pid_t pid) : pid_(pid) {}

  /**
   * Looks at every thread.
   * @param thread_count of /proc/<pid>/stat; if it changed, the threads are listed again
   * @param hold keeps their files open, two each: the next look costs a third
   */
  void Look(int64_t thread_count, bool hold);

  /** It was not looked at this time: what one thread wanted is not known. */
  void Miss() { most_wanted_ns_ = -1; }

  const Switches& switches() const { return switches_; }
  /** Whether the kernel's account of every thread could be read whole. */
  bool knows_switches() const { return knows_switches_; }
  /** The CPU time of living threads, as old as the last clock tick if one is running. */
  int64_t cpu_ns() const { return cpu_ns_; }
  /** kUnknown on a kernel without CONFIG_SCHED_INFO. */
  int64_t wait_ns() const { return wait_ns_; }
  /**
   * Since the look before: the longest time for which one thread ran or waited to run, without what
   * it takes to be given a CPU that is free. kUnknown at the first look.
   */
  int64_t most_wanted_ns() const { return most_wanted_ns_; }

 private:
  struct Thread {
    int64_t id;
    ProcFile status;
    ProcFile schedstat;
    Switches switches;
    int64_t wait_ns;
    int64_t cpu_ns;
    int64_t wanted_ns;  // at the look before
    bool alive;
  };

  void List(bool hold);
  bool Has(int64_t id) const;
  void Read(Thread* thread);
  void Sum();
  void FindMostWanted();

  pid_t pid_;
  int64_t listed_ = 0;
  std::vector<Thread> threads_;
  Switches ended_switches_;
  int64_t ended_wait_ns_ = 0;
  Switches switches_;
  bool knows_switches_ = true;
  int64_t wait_ns_ = 0;
  int64_t cpu_ns_ = 0;
  int64_t most_wanted_ns_ = kUnknown;
};

}  // namespace io_selectors
