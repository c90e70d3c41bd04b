// ProcessTree: what a process and all its descendants have used so far, seen from outside. CPU
// clocks need no files (clock_getcpuclockid(3)); the tree is found through
// /proc/<pid>/task/<tid>/children (CONFIG_PROC_CHILDREN), again whenever the machine has started
// something since the last look.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "load_generator/proc_file.h"
#include "load_generator/thread_sampler.h"

namespace io_selectors {

/** Running totals of a tree; kUnknown if not available, or not fast enough. */
struct TreeSample {
  int64_t cpu_ns = kUnknown;
  int64_t user_ticks = kUnknown;  // of 10 ms, like system_ticks
  int64_t system_ticks = kUnknown;
  // The same two as the kernel keeps them, per timer interrupt: finer than 10 ms, and right only
  // over many windows.
  int64_t user_sampled_ns = kUnknown;
  int64_t system_sampled_ns = kUnknown;
  int64_t voluntary_switches = kUnknown;
  int64_t involuntary_switches = kUnknown;
  int64_t run_queue_wait_ns = kUnknown;
  /**
   * CPU time that went to others while a thread of the tree wanted it: at least so much. Threads
   * and processes of the tree are no others to each other, nor is the kernel's deferred work. What
   * children did that came and went counts when they are waited for, so this is for trees that do
   * not fork.
   */
  int64_t taken_ns = kUnknown;
  /** The time in which its busiest thread ran or was ready to run, by intervals between looks. */
  int64_t ready_ns = kUnknown;
  int64_t processes = 0;  // alive
  int64_t threads = 0;    // a process that was not asked counts as one; kUnknown for very many
};

class ProcessTree {
 public:
  /**
   * @param root 0: nothing is sampled
   * @param cgroup a control group's folder, whose processes belong to it as well; empty: none
   */
  explicit ProcessTree(pid_t root, std::string cgroup = "");

  /** The CPU clocks of all, the quickest and most exact part: call it first, at the edge. */
  void LookAtClocks();

  /** New descendants, threads, switches and waits, within about 20 ms. @returns all there is. */
  TreeSample Look();

  /** The CPU time of all as it is now, for a begin whose other counters were read before. */
  int64_t CpuNow();

  /** Every process that is known to be alive. */
  std::vector<pid_t> Pids() const;

 private:
  // Two files per thread and one per process are kept open below this; the generator's share of
  // descriptors counts on it.
  static constexpr int64_t kHeldAtMost = 24;
  // To open, read and close takes some 15 us a thread: the bound on an edge.
  static constexpr int64_t kLookedAtAtMost = 1000;

  struct Process {
    explicit Process(pid_t id);

    pid_t pid;
    bool has_clock = false;
    bool alive = true;
    clockid_t clock{};
    int64_t cpu_ns = 0;
    int64_t user_sampled_ns = 0;
    int64_t system_sampled_ns = 0;
    int64_t threads_count = 1;
    ProcFile stat;
    ThreadSampler threads;
  };

  void ReadClock(Process* process);
  static void ReadSampledClocks(Process* process);
  void DropEnded();
  bool SomethingStarted();
  void FindChildren(int64_t budget_ns);
  void TakeChildrenOf(size_t index);
  void TakeFrom(const std::string& pids);
  void TakeGroup(const std::string& folder);
  bool Has(pid_t pid) const;
  bool LookInside(TreeSample* sample);
  bool LookInside(Process* process, bool hold, TreeSample* sample);
  void AddWanted(TreeSample* sample);
  int64_t CountThreads() const;
  int64_t CpuNs() const;

  std::string cgroup_;
  std::vector<Process> processes_;  // the root first, while it lives
  std::vector<pid_t> sorted_;       // their pids
  size_t next_to_ask_ = 0;
  int64_t last_pid_ = kUnknown;  // that the machine had given out when we listed
  bool listed_all_ = false;
  ProcFile loadavg_;
  ProcFile softirqs_;
  int64_t ended_cpu_ns_ = 0;  // what vanished processes had when they were last seen
  int64_t ended_user_sampled_ns_ = 0;
  int64_t ended_system_sampled_ns_ = 0;
  Switches ended_switches_;
  int64_t ended_wait_ns_ = 0;
  int64_t reaped_ticks_ = 0;  // what the tree's processes have waited for since the first look
  int64_t reaped_before_ticks_ = kUnknown;
  int64_t largest_cpu_ns_ = 0;
  // At the look before, and what was taken from the first one to the last.
  int64_t tree_before_ns_ = kUnknown;
  int64_t softirqs_before_ns_ = 0;
  bool sole_ = true;  // there has never been more than one thread
  int64_t taken_ns_ = 0;
  int64_t ready_ns_ = 0;
};

}  // namespace io_selectors
