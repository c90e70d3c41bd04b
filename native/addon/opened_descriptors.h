// OpenedDescriptors: what the library opened in one Node environment, so that a worker's end closes
// it. Node does the same for fs.openSync() in a worker (the option trackUnmanagedFds).
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <cstdint>
#include <vector>

#include "core/owned_fd.h"

namespace io_selectors {

/**
 * One per environment. A descriptor belongs to the environment that opened it until it is closed or
 * handed over; the owners are known to the whole process, because any thread may close a number.
 * The main thread's environment owns nothing: its end is the process's.
 */
class OpenedDescriptors {
 public:
  explicit OpenedDescriptors(const uv_loop_t* loop);
  /** Closes what still belongs to this environment and is still the same file. */
  ~OpenedDescriptors();
  OpenedDescriptors(const OpenedDescriptors&) = delete;
  OpenedDescriptors& operator=(const OpenedDescriptors&) = delete;

  /** `fd` was opened here and given to JavaScript. */
  void Add(int fd);

  /** Before `fd` is closed, or when its closing becomes the caller's affair, by any environment. */
  static void Remove(int fd);

  /** `fd` is watched here: if another environment opened it, it has been handed over. */
  void Use(int fd) const;

 private:
  /** Distinguishes a file from another one that got its number after a close unknown to the
   * library. */
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    bool has_inode = true;  // of its own
  };
  static bool Identify(int fd, Identity* identity);
  /** Whether `fd` is still the file that Add() saw. */
  bool IsUnchanged(int fd) const;

  int32_t owner_ = 0;                 // 0: owns nothing
  std::vector<Identity> identities_;  // by descriptor
  /** The files without an inode. Never waited for: the set forgets a file when that is closed. */
  OwnedFd anonymous_;
};

}  // namespace io_selectors
