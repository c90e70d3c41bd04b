#include "load_generator/thread_sampler.h"

#include <dirent.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace io_selectors {

namespace {

// Fields of /proc/<pid>/schedstat: on CPU, waiting, slices.
constexpr int kSchedstatCpu = 0;
constexpr int kSchedstatWait = 1;

// Counts as waiting although no other program runs: 0.97 to 1.2 us a switch (Linux 6.18, idle CPU).
constexpr int64_t kDispatchNs = 1000;

}  // namespace

void ThreadSampler::Look(int64_t thread_count, bool hold) {
  for (Thread& thread : threads_) Read(&thread);
  const bool any_ended =
      std::any_of(threads_.begin(), threads_.end(), [](const Thread& t) { return !t.alive; });
  if (any_ended || thread_count != listed_) List(hold);
  Sum();
  FindMostWanted();
}

/** Drops the threads that ended, keeping their counts, and takes in the new ones. */
void ThreadSampler::List(bool hold) {
  for (const Thread& thread : threads_) {
    if (thread.alive) continue;
    ended_switches_.Add(thread.switches);
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
    if (id <= 0 || Has(id)) continue;
    Thread thread{id, ProcFile(), ProcFile(), {}, 0, 0, kUnknown, true};
    if (hold) {
      thread.status = ProcFile::OfThread(pid_, id, "status");
      thread.schedstat = ProcFile::OfThread(pid_, id, "schedstat");
    }
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
  const bool held = thread->status.valid();
  ProcText text;
  thread->alive = held ? thread->status.Read(&text)
                       : ProcFile::OfThread(pid_, thread->id, "status").Read(&text);
  if (!thread->alive) return;
  const int64_t voluntary = NumberAfter(text.data(), "\nvoluntary_ctxt_switches:");
  const int64_t involuntary = NumberAfter(text.data(), "\nnonvoluntary_ctxt_switches:");
  // Cut off by the buffer, below the groups of a user who is in hundreds.
  if (voluntary == kUnknown || involuntary == kUnknown) knows_switches_ = false;
  thread->switches = {voluntary, involuntary};
  const bool has_wait = held ? thread->schedstat.Read(&text)
                             : ProcFile::OfThread(pid_, thread->id, "schedstat").Read(&text);
  // Ended between the two: it keeps what it had.
  if (!has_wait && !ProcFile::OfThread(pid_, thread->id, "status").Read(&text)) {
    thread->alive = false;
    return;
  }
  thread->wait_ns = has_wait ? FieldAfter(text.data(), kSchedstatWait) : kUnknown;
  thread->cpu_ns = has_wait ? FieldAfter(text.data(), kSchedstatCpu) : kUnknown;
}

void ThreadSampler::Sum() {
  switches_ = ended_switches_;
  wait_ns_ = ended_wait_ns_;
  for (const Thread& thread : threads_) {
    switches_.Add(thread.switches);
    if (wait_ns_ == kUnknown || thread.wait_ns == kUnknown) {
      wait_ns_ = kUnknown;
    } else {
      wait_ns_ += thread.wait_ns;
    }
  }
}

void ThreadSampler::FindMostWanted() {
  most_wanted_ns_ = kUnknown;
  cpu_ns_ = 0;
  for (Thread& thread : threads_) {
    if (thread.wait_ns == kUnknown || thread.cpu_ns == kUnknown) continue;
    cpu_ns_ += thread.cpu_ns;
    const int64_t now_ns = thread.cpu_ns + thread.wait_ns - kDispatchNs * thread.switches.all();
    // A thread that was not there before may be older than the interval.
    if (thread.wanted_ns != kUnknown) {
      most_wanted_ns_ = std::max(most_wanted_ns_, now_ns - thread.wanted_ns);
    }
    thread.wanted_ns = now_ns;
  }
}

}  // namespace io_selectors
