// IoUring: one io_uring(7) by raw system calls, without liburing, which would be a dependency. The
// rings are memory shared with the kernel, and after a fork(2) with the parent, too: a child may
// only destroy what it inherited.
#pragma once

#if defined(__linux__) && __has_include(<linux/io_uring.h>)
#define IO_SELECTORS_HAS_IO_URING 1

#include <linux/io_uring.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/owned_fd.h"
#include "core/result.h"

namespace io_selectors {

struct Completion {
  uint64_t token;  // the submission's user_data
  int32_t result;  // of the operation, or -errno
  uint32_t flags;

  /** Whether the same submission will complete again. */
  bool more() const { return (flags & (1u << 1)) != 0; }  // IORING_CQE_F_MORE

  /** The provided buffer that holds what was received; -1: none. */
  int buffer() const { return (flags & 1u) != 0 ? static_cast<int>(flags >> 16) : -1; }
};

/** How a ring is used. */
enum class RingUse {
  kWatched,    // another event loop may wait for its descriptor
  kOneThread,  // one thread submits and waits, which lets the kernel complete in that wait only
};

/** What a ring uses if the kernel has it. */
struct RingOptions {
  bool registered = false;  // its descriptor is not looked up for each call; for one thread only
  bool order_array = true;  // the indirection of submissions, which Linux 6.6 can do without
};

/** POLL_ADD's flag for a poll that completes again and again, once an edge. */
constexpr uint32_t kPollAddMultishot = 1u << 0;  // IORING_POLL_ADD_MULTI

class IoUring {
 public:
  /**
   * @param submissions entries that can be prepared before they must be submitted; a power of 2.
   * @param completions entries that the kernel keeps in the ring itself; more wait in its memory.
   * @returns ENOSYS also if the kernel is older than 5.13, which cannot poll by multishot.
   */
  static Result<std::unique_ptr<IoUring>> Open(uint32_t submissions, uint32_t completions,
                                               RingUse use = RingUse::kWatched,
                                               const RingOptions& options = {});
  ~IoUring();

  IoUring(const IoUring&) = delete;
  IoUring& operator=(const IoUring&) = delete;

  /** Readable for poll(2) and epoll(7) while there are completions. */
  int fd() const { return fd_.get(); }

  /** The next entry, zeroed and to be filled in; nullptr if all are unsubmitted: Enter() first.
   */
  io_uring_sqe* NextEntry();

  /** Entries that were filled in and not yet submitted. */
  uint32_t unsubmitted() const;

  /** Makes no-ops of them, whose completions have this token: their memory may be freed now. What
   * was to be closed is closed. */
  void DropUnsubmitted(uint64_t token);

  /**
   * Submits what there is and waits for completions. io_uring_enter(2)
   * @param least how many to wait for; 0 only looks.
   * @param timeout_ns nanoseconds; below 0: without a deadline. Its end is no error.
   * @returns EINTR if a signal came first, EPERM in a child process that inherited the ring,
   * EBADR if the kernel had no memory for a completion and lost it.
   */
  Result<void> Enter(uint32_t least, int64_t timeout_ns);

  /** Takes the oldest completion out of the ring. */
  bool Next(Completion* completion);

  /** io_uring_register(2). @param operation IORING_REGISTER_… */
  Result<void> RegisterWithKernel(uint32_t operation, void* argument, uint32_t count);

  /** How often io_uring_enter(2) has been called. */
  uint64_t enter_calls() const { return enter_calls_; }

  /** Whether completions wait in the kernel's memory; Enter() brings them into the ring. */
  bool overflown() const;

 private:
  /** A part of the ring's memory. mmap(2) */
  struct Mapping {
    ~Mapping();
    Result<void> Map(int fd, size_t bytes, uint64_t offset);
    template <typename T>
    T* At(uint32_t offset) const {
      return reinterpret_cast<T*>(static_cast<char*>(address) + offset);
    }

    void* address = nullptr;
    size_t length = 0;
  };

  IoUring() = default;
  /** Gives the kernel a number of its own for the ring; if it has none, nothing changes. */
  void RegisterDescriptor();
  Result<void> MapRings(const io_uring_params& parameters);
  bool Inherited() const;

  OwnedFd fd_;
  Mapping rings_;
  Mapping entries_;
  int registered_ = -1;  // what stands for the descriptor in io_uring_enter(2)
  int forks_ = 0;        // how often this process had been forked off when it was opened

  uint32_t* submission_head_ = nullptr;
  uint32_t* submission_tail_ = nullptr;
  const uint32_t* submission_flags_ = nullptr;
  uint32_t submission_mask_ = 0;
  uint64_t enter_calls_ = 0;
  uint32_t tail_ = 0;  // of the entries handed out; Enter() publishes it to the kernel
  uint32_t* completion_head_ = nullptr;
  uint32_t* completion_tail_ = nullptr;
  uint32_t completion_mask_ = 0;
  const io_uring_cqe* completions_ = nullptr;
};

}  // namespace io_selectors

#endif  // __linux__
