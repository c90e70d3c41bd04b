// The operations that the engine over io_uring submits, each as one entry of the ring, and the
// token by which its completion is known. io_uring_enter(2); io_uring_prep_accept(3) and its
// neighbours
#pragma once

#include "core/io_uring.h"

#ifdef IO_SELECTORS_HAS_IO_URING

#include <sys/socket.h>
#include <sys/uio.h>

#include <memory>

namespace io_selectors {

/**
 * What completes: the upper 8 bits of a token. Then 24 bits that distinguish it from others of the
 * same descriptor: the life of the slot, or the place of a send in its flush. Then the descriptor.
 */
enum class Operation : uint8_t { kAccept, kReceive, kSendAtOnce, kSendQueued, kWake, kUnwatched };

inline Operation OperationOf(const Completion& completion) {
  return static_cast<Operation>(completion.token >> 56);
}
inline int32_t MarkOf(const Completion& completion) {
  return static_cast<int32_t>((completion.token >> 32) & 0xffffff);
}
inline int DescriptorOf(const Completion& completion) {
  return static_cast<int>(static_cast<uint32_t>(completion.token));
}

/** Several parts that one operation sends. */
struct Message {
  static constexpr int kMostParts = 64;
  msghdr header{};
  iovec parts[kMostParts];
};

/** ENOSYS before Linux 6.0, which brought multishot receives. */
Result<void> CheckMultishotReceive(IoUring& ring);

class Operations {
 public:
  /** @param skips_success whether what can only be of interest if it fails reports nothing else. */
  Operations(IoUring& ring, bool skips_success) : ring_(ring), skips_success_(skips_success) {}

  /** Whose operation it is. */
  struct Owner {
    int fd;
    int32_t life;
  };

  /** Completes for each connection until something ends it, or for one. */
  void Accept(const Owner& listener, bool multishot);

  /** Completes each time something has arrived, in a buffer of the group, until the end or an
   * error. */
  void Receive(const Owner& owner, uint16_t group);

  /** Which send of a flush it is, and how many parts it has. */
  struct SendLabel {
    int32_t index;
    int count;
  };

  /**
   * Sends what the peer takes now, and completes as it is submitted: with a completion only if
   * something was left over.
   */
  void SendAtOnce(int fd, Message* message, const iovec& part, const SendLabel& label);

  /** Waits until the peer takes some of it. */
  void SendQueued(const Owner& owner, const iovec& part);

  /** Completes when `fd` is readable, once. */
  void WatchWake(int fd);

  void Cancel(Operation operation, const Owner& owner);
  void CancelAll();
  /** What is not submitted yet is never done. */
  void Drop();
  void Close(int fd);

  /** Sends since the last call that completed with a completion as they were submitted. */
  uint32_t TakeAtOnce() { return std::exchange(at_once_, 0u); }

  /** Operations that will complete (again) and are watched. */
  int outstanding() const { return outstanding_; }
  /** To be called with each completion. */
  void OnCompletion(const Completion& completion);

  /** Why the kernel took no more entries, if that ever happened. */
  const Result<void>& failure() const { return failure_; }

 private:
  io_uring_sqe* Prepare(uint8_t opcode, Operation operation, int fd, int32_t mark = 0);
  /** Reports a failure only. */
  void SkipSuccess(io_uring_sqe* entry) const;

  IoUring& ring_;
  bool skips_success_;
  std::unique_ptr<io_uring_sqe> nowhere_;  // takes what there is no entry for
  Result<void> failure_;
  int outstanding_ = 0;
  uint32_t at_once_ = 0;
};

}  // namespace io_selectors

#endif  // IO_SELECTORS_HAS_IO_URING
