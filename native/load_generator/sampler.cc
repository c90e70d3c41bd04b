#include "load_generator/sampler.h"

#include <dirent.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/timeout.h"

namespace io_selectors {

namespace {

// Fields of /proc/<pid>/stat after the parenthesis that ends the command's name; proc(5) counts
// from one and starts before it.
constexpr int kUserTime = 14 - 3;
constexpr int kSystemTime = 15 - 3;
constexpr int kThreads = 20 - 3;

constexpr int kSchedstatWait = 1;  // of /proc/<pid>/schedstat: on CPU, waiting, slices
constexpr int kMachineSteal = 8;   // of /proc/stat's first line, its label counted

int64_t ReadClock(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) < 0) return kUnknown;
  return static_cast<int64_t>(time.tv_sec) * kNsPerSecond + time.tv_nsec;
}

ProcFile OpenFor(pid_t pid, const char* name) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/%s", static_cast<int>(pid), name);
  return ProcFile(path);
}

ProcFile OpenForThread(pid_t pid, int64_t thread, const char* name) {
  char path[96];
  std::snprintf(path, sizeof(path), "/proc/%d/task/%lld/%s", static_cast<int>(pid),
                static_cast<long long>(thread), name);
  return ProcFile(path);
}

}  // namespace

void ThreadSampler::Add(int64_t thread_count, Sample* sample) {
  if (thread_count > static_cast<int64_t>(kThreadsAtMost)) return;
  for (Thread& thread : threads_) Read(&thread);
  const bool any_ended =
      std::any_of(threads_.begin(), threads_.end(), [](const Thread& t) { return !t.alive; });
  if (any_ended || thread_count != listed_) List();
  int64_t switches = ended_switches_;
  int64_t wait_ns = ended_wait_ns_;
  bool has_wait = true;
  for (const Thread& thread : threads_) {
    switches += thread.switches;
    wait_ns += thread.wait_ns;
    has_wait = has_wait && thread.wait_ns != kUnknown;  // a kernel without CONFIG_SCHED_INFO
  }
  sample->server_context_switches = switches;
  if (has_wait) sample->server_run_queue_wait_ns = wait_ns;
}

/** Drops the threads that ended, keeping their counts, and takes in the new ones. */
void ThreadSampler::List() {
  for (const Thread& thread : threads_) {
    if (thread.alive) continue;
    ended_switches_ += thread.switches;
    ended_wait_ns_ += std::max<int64_t>(thread.wait_ns, 0);
  }
  threads_.erase(std::remove_if(threads_.begin(), threads_.end(),
                                [](const Thread& thread) { return !thread.alive; }),
                 threads_.end());
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/task", static_cast<int>(pid_));
  DIR* folder = opendir(path);
  if (folder == nullptr) return;
  while (const dirent* entry = readdir(folder)) {
    const int64_t id = std::strtoll(entry->d_name, nullptr, 10);
    if (id <= 0 || Has(id) || threads_.size() == kThreadsAtMost) continue;
    Thread thread{
        id, OpenForThread(pid_, id, "status"), OpenForThread(pid_, id, "schedstat"), 0, 0, true};
    Read(&thread);
    threads_.push_back(std::move(thread));
  }
  closedir(folder);
  listed_ = static_cast<int64_t>(threads_.size());
}

bool ThreadSampler::Has(int64_t id) const {
  return std::any_of(threads_.begin(), threads_.end(),
                     [id](const Thread& t) { return t.id == id; });
}

void ThreadSampler::Read(Thread* thread) {
  ProcText text;
  thread->alive = thread->status.Read(&text);
  if (!thread->alive) return;
  thread->switches = NumberAfter(text, "\nvoluntary_ctxt_switches:") +
                     NumberAfter(text, "\nnonvoluntary_ctxt_switches:");
  const bool has_wait = thread->schedstat.Read(&text);
  thread->wait_ns = has_wait ? FieldAfter(text.data(), kSchedstatWait) : kUnknown;
}

Sampler::Sampler(pid_t server_pid)
    : server_threads_(server_pid),
      own_schedstat_("/proc/self/schedstat"),
      machine_stat_("/proc/stat") {
  if (server_pid == 0) return;
#ifdef __linux__
  has_clock_ = clock_getcpuclockid(server_pid, &server_clock_) == 0;
#endif
  server_stat_ = OpenFor(server_pid, "stat");
}

Sample Sampler::Take() {
  Sample sample;
  sample.at_ns = MonotonicNs();
  if (has_clock_) sample.server_cpu_ns = ReadClock(server_clock_);
  sample.client_cpu_ns = ReadClock(CLOCK_PROCESS_CPUTIME_ID);
  AddServer(&sample);
  ProcText text;
  if (own_schedstat_.Read(&text)) {
    sample.client_run_queue_wait_ns = FieldAfter(text.data(), kSchedstatWait);
  }
  if (machine_stat_.Read(&text)) {
    const int64_t ticks = FieldAfter(text.data(), kMachineSteal);
    if (ticks != kUnknown) sample.steal_ns = TicksToNs(ticks);
  }
  return sample;
}

void Sampler::AddServer(Sample* sample) {
  ProcText text;
  if (server_thread_count_ > kThreadsForStat || !server_stat_.Read(&text)) return;
  // The command's name may hold anything, parentheses and blanks too.
  const char* after_name = std::strrchr(text.data(), ')');
  if (after_name == nullptr) return;
  server_thread_count_ = FieldAfter(after_name + 1, kThreads);
  sample->server_user_ticks = FieldAfter(after_name + 1, kUserTime);
  sample->server_system_ticks = FieldAfter(after_name + 1, kSystemTime);
  server_threads_.Add(server_thread_count_, sample);
}

}  // namespace io_selectors
