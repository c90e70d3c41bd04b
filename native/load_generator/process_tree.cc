#include "load_generator/process_tree.h"

#include <dirent.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/timeout.h"

namespace io_selectors {

namespace {

// Fields of /proc/<pid>/stat after the parenthesis that ends the command's name; proc(5) counts
// from one and starts before it.
constexpr int kUserTime = 14 - 3;
constexpr int kSystemTime = 15 - 3;
constexpr int kReapedUserTime = 16 - 3;
constexpr int kReapedSystemTime = 17 - 3;
constexpr int kThreads = 20 - 3;

constexpr int kLoadavgLastPid = 4;

// The kernel adds up all threads for /proc/<pid>/stat: two milliseconds for ten thousand of them.
constexpr int64_t kThreadsForStat = 1000;

constexpr int64_t kFirstListNs = kNsPerSecond;
constexpr int64_t kListNs = 8 * kNsPerMs;

}  // namespace

ProcessTree::Process::Process(pid_t id) : pid(id), threads(id) {
#ifdef __linux__
  has_clock = clock_getcpuclockid(id, &clock) == 0;
#endif
  alive = has_clock;
}

ProcessTree::ProcessTree(pid_t root, std::string cgroup)
    : cgroup_(std::move(cgroup)), loadavg_("/proc/loadavg") {
  if (root == 0) return;
  softirqs_ = ProcFile::OfSoftirqsBeside(root);
  processes_.emplace_back(root);
  ReadClock(&processes_.front());
  FindChildren(kFirstListNs);
}

void ProcessTree::LookAtClocks() {
  for (Process& process : processes_) ReadClock(&process);
}

TreeSample ProcessTree::Look() {
  DropEnded();
  if (!processes_.empty() && (SomethingStarted() || !listed_all_)) FindChildren(kListNs);
  TreeSample sample;
  sample.processes = static_cast<int64_t>(processes_.size());
  if (!LookInside(&sample)) {
    sample.user_ticks = sample.system_ticks = kUnknown;
    sample.user_sampled_ns = sample.system_sampled_ns = kUnknown;
    sample.voluntary_switches = sample.involuntary_switches = kUnknown;
    sample.run_queue_wait_ns = kUnknown;
  }
  // Who has very many is not asked again.
  const int64_t threads = CountThreads();
  sample.threads = threads <= kLookedAtAtMost ? threads : kUnknown;
  if (!processes_.empty()) sample.cpu_ns = largest_cpu_ns_ = std::max(largest_cpu_ns_, CpuNs());
  AddWanted(&sample);
  return sample;
}

int64_t ProcessTree::CpuNow() {
  if (processes_.empty()) return kUnknown;
  LookAtClocks();
  return largest_cpu_ns_ = std::max(largest_cpu_ns_, CpuNs());
}

std::vector<pid_t> ProcessTree::Pids() const {
  std::vector<pid_t> pids;
  for (const Process& process : processes_) pids.push_back(process.pid);
  return pids;
}

void ProcessTree::ReadClock(Process* process) {
  timespec time{};
  if (!process->has_clock || clock_gettime(process->clock, &time) < 0) {
    process->alive = false;
    return;
  }
  const int64_t ns = static_cast<int64_t>(time.tv_sec) * kNsPerSecond + time.tv_nsec;
  // Less than it had: another process has got its pid.
  process->alive = ns >= process->cpu_ns;
  if (process->alive) process->cpu_ns = ns;
}

/**
 * User and system time without the scaling of /proc/<pid>/stat, and to the length of a timer
 * interrupt instead of 10 ms. The clock ids are those of include/linux/posix-timers_types.h, which
 * the kernel's ABI keeps: a process's complement, then which clock.
 */
void ProcessTree::ReadSampledClocks([[maybe_unused]] Process* process) {
#ifdef __linux__
  constexpr clockid_t kWhich = 7;
  constexpr clockid_t kUserAndSystem = 0;
  constexpr clockid_t kUser = 1;
  timespec both{};
  timespec user{};
  if (clock_gettime((process->clock & ~kWhich) | kUserAndSystem, &both) < 0) return;
  if (clock_gettime((process->clock & ~kWhich) | kUser, &user) < 0) return;
  const auto ns = [](const timespec& time) {
    return static_cast<int64_t>(time.tv_sec) * kNsPerSecond + time.tv_nsec;
  };
  process->user_sampled_ns = ns(user);
  process->system_sampled_ns = std::max<int64_t>(0, ns(both) - ns(user));
#endif
}

void ProcessTree::DropEnded() {
  const auto ended = std::stable_partition(processes_.begin(), processes_.end(),
                                           [](const Process& process) { return process.alive; });
  if (ended == processes_.end()) return;
  for (auto at = ended; at != processes_.end(); ++at) {
    ended_cpu_ns_ += at->cpu_ns;
    ended_user_sampled_ns_ += at->user_sampled_ns;
    ended_system_sampled_ns_ += at->system_sampled_ns;
    ended_switches_.Add(at->threads.switches());
    ended_wait_ns_ += std::max<int64_t>(0, at->threads.wait_ns());
  }
  processes_.erase(ended, processes_.end());
  sorted_.clear();
  for (const Process& process : processes_) sorted_.push_back(process.pid);
  std::sort(sorted_.begin(), sorted_.end());
}

/** Whether any task of the machine is newer than our list; /proc/loadavg ends with the last pid. */
bool ProcessTree::SomethingStarted() {
  ProcText text;
  if (!loadavg_.Read(&text)) return true;
  const int64_t last = FieldAfter(text.data(), kLoadavgLastPid);
  const bool started = last != last_pid_;
  last_pid_ = last;
  return started;
}

/** Asks every process for its children, new ones too; if time is up, the rest comes next. */
void ProcessTree::FindChildren(int64_t budget_ns) {
  if (sorted_.empty()) sorted_.push_back(processes_.front().pid);
  const int64_t end = MonotonicNs() + budget_ns;
  if (!cgroup_.empty()) TakeGroup(cgroup_);
  TakeChildrenOf(0);
  size_t asked = 1;
  for (; asked < processes_.size() && MonotonicNs() < end; ++asked) {
    if (next_to_ask_ == 0 || next_to_ask_ >= processes_.size()) next_to_ask_ = 1;
    TakeChildrenOf(next_to_ask_++);
  }
  listed_all_ = asked >= processes_.size();
}

/** Any thread may have forked; if there are very many only the first one is asked. */
void ProcessTree::TakeChildrenOf(size_t index) {
  const pid_t pid = processes_[index].pid;
  if (processes_[index].threads_count > kHeldAtMost ||
      static_cast<int64_t>(processes_.size()) > kHeldAtMost) {
    return TakeFrom(ProcFile::OfThread(pid, pid, "children").ReadAll());
  }
  const std::string path = "/proc/" + std::to_string(pid) + "/task";
  DIR* folder = opendir(path.c_str());
  if (folder == nullptr) return;
  while (const dirent* entry = readdir(folder)) {
    const int64_t thread = std::strtoll(entry->d_name, nullptr, 10);
    if (thread > 0) TakeFrom(ProcFile::OfThread(pid, thread, "children").ReadAll());
  }
  closedir(folder);
}

/** The processes of a control group and of those below it. cgroups(7) */
void ProcessTree::TakeGroup(const std::string& folder) {
  TakeFrom(ProcFile((folder + "/cgroup.procs").c_str()).ReadAll());
  DIR* entries = opendir(folder.c_str());
  if (entries == nullptr) return;
  while (const dirent* entry = readdir(entries)) {
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') TakeGroup(folder + "/" + entry->d_name);
  }
  closedir(entries);
}

void ProcessTree::TakeFrom(const std::string& pids) {
  const size_t known = processes_.size();
  const char* at = pids.c_str();
  for (char* next = nullptr; *at != '\0'; at = next) {
    const pid_t pid = static_cast<pid_t>(std::strtol(at, &next, 10));
    if (next == at) break;
    if (pid <= 0 || Has(pid)) continue;
    Process process(pid);
    ReadClock(&process);
    if (process.alive) processes_.push_back(std::move(process));
  }
  if (processes_.size() == known) return;
  for (size_t i = known; i < processes_.size(); ++i) sorted_.push_back(processes_[i].pid);
  std::sort(sorted_.begin(), sorted_.end());
}

bool ProcessTree::Has(pid_t pid) const {
  return std::binary_search(sorted_.begin(), sorted_.end(), pid);
}

/** @returns false if there is too much to look at, or a process does not let us. */
bool ProcessTree::LookInside(TreeSample* sample) {
  const int64_t threads = CountThreads();
  if (processes_.empty()) return false;
  const bool hold = threads <= kHeldAtMost;
  sample->user_ticks = sample->system_ticks = 0;
  sample->user_sampled_ns = ended_user_sampled_ns_;
  sample->system_sampled_ns = ended_system_sampled_ns_;
  sample->voluntary_switches = ended_switches_.voluntary;
  sample->involuntary_switches = ended_switches_.involuntary;
  sample->run_queue_wait_ns = ended_wait_ns_;
  reaped_ticks_ = 0;
  bool all = true;
  // Past the bound the root alone is asked: for what it has waited for, which no clock tells.
  const size_t count = threads <= kLookedAtAtMost ? processes_.size() : 1;
  for (size_t i = 0; i < count; ++i) all = LookInside(&processes_[i], hold, sample) && all;
  if (reaped_before_ticks_ == kUnknown) reaped_before_ticks_ = reaped_ticks_;
  return all && count == processes_.size();
}

bool ProcessTree::LookInside(Process* process, bool hold, TreeSample* sample) {
  if (process->threads_count > kThreadsForStat) return false;
  if (hold && !process->stat.valid()) process->stat = ProcFile::OfProcess(process->pid, "stat");
  ProcText text;
  const bool read = process->stat.valid() ? process->stat.Read(&text)
                                          : ProcFile::OfProcess(process->pid, "stat").Read(&text);
  // The command's name may hold anything, parentheses and blanks too.
  const char* after_name = read ? std::strrchr(text.data(), ')') : nullptr;
  // Gone since its clock was read: it keeps what it had.
  if (after_name != nullptr) {
    const auto field = [after_name](int index) { return FieldAfter(after_name + 1, index); };
    reaped_ticks_ += field(kReapedUserTime) + field(kReapedSystemTime);
    sample->user_ticks += field(kUserTime) + field(kReapedUserTime);
    sample->system_ticks += field(kSystemTime) + field(kReapedSystemTime);
    process->threads_count = field(kThreads);
    if (process->threads_count > kLookedAtAtMost) return false;
    process->threads.Look(process->threads_count, hold && process->threads_count <= kHeldAtMost);
  } else {
    process->threads.Miss();
  }
  ReadSampledClocks(process);
  sample->user_sampled_ns += process->user_sampled_ns;
  sample->system_sampled_ns += process->system_sampled_ns;
  const auto add = [process](int64_t* sum, int64_t switches) {
    const bool known = process->threads.knows_switches() && *sum != kUnknown;
    *sum = known ? *sum + switches : kUnknown;
  };
  add(&sample->voluntary_switches, process->threads.switches().voluntary);
  add(&sample->involuntary_switches, process->threads.switches().involuntary);
  const int64_t wait_ns = process->threads.wait_ns();
  const bool known = wait_ns != kUnknown && sample->run_queue_wait_ns != kUnknown;
  sample->run_queue_wait_ns = known ? sample->run_queue_wait_ns + wait_ns : kUnknown;
  return true;
}

/**
 * While a thread runs or waits to run its CPU is never idle: what of that time the tree did not
 * run, others did.
 */
void ProcessTree::AddWanted(TreeSample* sample) {
  ProcText text;
  const bool read = softirqs_.Read(&text);
  const int64_t softirqs_ns = read ? std::max<int64_t>(0, FieldAfter(text.data(), 0)) : 0;
  int64_t wanted_ns = kUnknown;
  for (const Process& process : processes_) {
    wanted_ns = std::max(wanted_ns, process.threads.most_wanted_ns());
  }
  const bool looked = sample->run_queue_wait_ns != kUnknown;
  // With one thread both come from the same file, which is up to a tick behind its clock.
  sole_ = sole_ && CountThreads() == 1;
  const int64_t tree_ns =
      sole_ && !processes_.empty() ? processes_.front().threads.cpu_ns() : sample->cpu_ns;
  if (looked && wanted_ns != kUnknown && tree_before_ns_ != kUnknown) {
    ready_ns_ += wanted_ns;
    const int64_t own_ns = tree_ns - tree_before_ns_;
    taken_ns_ += std::max<int64_t>(0, wanted_ns - own_ns - (softirqs_ns - softirqs_before_ns_));
  }
  if (looked) {
    sample->taken_ns = taken_ns_;
    sample->ready_ns = ready_ns_;
  }
  tree_before_ns_ = looked ? tree_ns : kUnknown;
  softirqs_before_ns_ = softirqs_ns;
}

int64_t ProcessTree::CountThreads() const {
  int64_t threads = 0;
  for (const Process& process : processes_) threads += process.threads_count;
  return threads;
}

/**
 * The CPU time of all living processes and of those that ended. For the latter it is what they had
 * when they were last seen, or what the living have waited for. That includes processes that came
 * and went between two looks, but it counts in ticks and omits children that are never waited for.
 */
int64_t ProcessTree::CpuNs() const {
  int64_t cpu_ns = 0;
  for (const Process& process : processes_) cpu_ns += process.cpu_ns;
  const int64_t reaped = std::max<int64_t>(0, reaped_ticks_ - reaped_before_ticks_);
  return cpu_ns + std::max(ended_cpu_ns_, TicksToNs(reaped));
}

}  // namespace io_selectors
