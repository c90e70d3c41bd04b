#include "load_generator/proc_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/timeout.h"

#ifdef __linux__
#include <sched.h>
#endif

namespace io_selectors {

namespace {

/** The only CPU that it may run on; -1 if there are several, or it is unknown. */
int OnlyCpuOf(pid_t process) {
#ifdef __linux__
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (sched_getaffinity(process, sizeof(cpus), &cpus) < 0 || CPU_COUNT(&cpus) != 1) return -1;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &cpus)) return cpu;
  }
#else
  (void)process;
#endif
  return -1;
}

}  // namespace

ProcFile::ProcFile(const char* path) : fd_(open(path, O_RDONLY | O_CLOEXEC)) {}

ProcFile ProcFile::OfProcess(pid_t pid, const char* name) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/%s", static_cast<int>(pid), name);
  return ProcFile(path);
}

ProcFile ProcFile::OfThread(pid_t pid, int64_t thread, const char* name) {
  char path[96];
  std::snprintf(path, sizeof(path), "/proc/%d/task/%lld/%s", static_cast<int>(pid),
                static_cast<long long>(thread), name);
  return ProcFile(path);
}

ProcFile ProcFile::OfSoftirqsBeside(pid_t process) {
  const int cpu = OnlyCpuOf(process);
  DIR* folder = cpu < 0 ? nullptr : opendir("/proc");
  if (folder == nullptr) return ProcFile();
  const std::string name = "ksoftirqd/" + std::to_string(cpu) + "\n";
  ProcFile found;
  while (const dirent* entry = readdir(folder)) {
    const pid_t pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    ProcText text;
    if (pid <= 0 || !OfProcess(pid, "comm").Read(&text) || name != text.data()) continue;
    found = OfProcess(pid, "schedstat");
    break;
  }
  closedir(folder);
  return found;
}

bool ProcFile::Read(ProcText* text) const {
  if (!fd_.valid()) return false;
  const ssize_t length = pread(fd_.get(), text->data(), text->size() - 1, 0);
  if (length <= 0) return false;
  (*text)[static_cast<size_t>(length)] = '\0';
  return true;
}

std::string ProcFile::ReadAll() const {
  std::string all;
  if (!fd_.valid()) return all;
  ProcText piece;
  for (;;) {
    const ssize_t length =
        pread(fd_.get(), piece.data(), piece.size(), static_cast<off_t>(all.size()));
    if (length <= 0) return all;
    all.append(piece.data(), static_cast<size_t>(length));
  }
}

int64_t FieldAfter(const char* start, int index) {
  const char* at = start;
  for (int i = 0;; ++i) {
    at += std::strspn(at, " \t");
    if (*at == '\0' || *at == '\n') return kUnknown;
    if (i == index) return std::strtoll(at, nullptr, 10);
    at += std::strcspn(at, " \t\n");
  }
}

int64_t NumberAfter(const char* text, const char* label) {
  const char* found = std::strstr(text, label);
  return found == nullptr ? kUnknown : FieldAfter(found + std::strlen(label), 0);
}

int64_t TicksToNs(int64_t ticks) {
  static const int64_t ns_per_tick = kNsPerSecond / sysconf(_SC_CLK_TCK);
  return ticks * ns_per_tick;
}

}  // namespace io_selectors
