// ProcFile: a file of proc(5) that stays open and is read again and again from its start, which
// costs one system call per sample. If there is no /proc, nothing opens and the values are unknown.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>

#include "core/owned_fd.h"

namespace io_selectors {

/** The value of a sample that is not available. */
constexpr int64_t kUnknown = -1;

/** The start of a file, as text. */
using ProcText = std::array<char, 4096>;

class ProcFile {
 public:
  ProcFile() = default;
  explicit ProcFile(const char* path);

  /** /proc/<pid>/<name> */
  static ProcFile OfProcess(pid_t pid, const char* name);
  /** /proc/<pid>/task/<thread>/<name> */
  static ProcFile OfThread(pid_t pid, int64_t thread, const char* name);
  /**
   * /proc/<pid>/schedstat of the thread that does the kernel's deferred work (ksoftirqd/N) on the
   * one CPU that this process may run on. Does not open if there are more of them.
   */
  static ProcFile OfSoftirqsBeside(pid_t process);

  bool valid() const { return fd_.valid(); }

  /** Reads it as it is now, ended by NUL. @returns false if it is gone (ESRCH) or never was. */
  bool Read(ProcText* text) const;

  /** All of it, however long. */
  std::string ReadAll() const;

 private:
  OwnedFd fd_;
};

/** The `index`-th (from 0) blank-separated number after `start`, or kUnknown. */
int64_t FieldAfter(const char* start, int index);

/** The number that follows the first `label`, or kUnknown. */
int64_t NumberAfter(const char* text, const char* label);

/** Clock ticks, as proc(5) counts CPU time, in nanoseconds. */
int64_t TicksToNs(int64_t ticks);

}  // namespace io_selectors
