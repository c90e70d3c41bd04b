// The operations that the io_uring server submits, each as one entry of the ring, and the token by
// which its completion is known. Enters: descriptors, bytes. Leaves: submission entries.
// io_uring_enter(2); the operations are in io_uring_prep_accept(3) and its neighbours
#pragma once

#include "core/io_uring.h"

#ifdef IO_SELECTORS_HAS_IO_URING

#include <memory>

namespace io_selectors {

/** What completes; in a token's upper half, over the descriptor. */
enum class Operation : uint32_t { kAccept, kStop, kReceive, kSend, kUnwatched };

inline Operation OperationOf(const Completion& completion) {
  return static_cast<Operation>(completion.token >> 32);
}
inline int DescriptorOf(const Completion& completion) {
  return static_cast<int>(static_cast<uint32_t>(completion.token));
}

class Submitter {
 public:
  explicit Submitter(IoUring& ring) : ring_(ring) {}

  /** Completes for each connection, until something ends it. */
  void Accept(int listener);

  /**
   * Completes each time something has arrived, in a buffer of the group, until the end or an error.
   * @param allowance bytes after which it ends as well; 0: none. Linux 6.17
   */
  void Receive(int fd, uint16_t group, uint32_t allowance);

  /** @param waits whether it waits for the peer to take something, or completes at once. */
  void Send(int fd, const char* data, size_t length, bool waits);

  /** Completes when `fd` is readable. */
  void WatchStop(int fd);

  void CancelReceive(int fd);
  void CancelAll();
  void Close(int fd);

  /** Operations that will complete (again) and are watched. */
  int outstanding() const { return outstanding_; }
  /** To be told of each completion. */
  void OnCompletion(const Completion& completion);

  /** Why an entry could not be had, if that ever happened. */
  const Result<void>& failure() const { return failure_; }

 private:
  io_uring_sqe* Prepare(uint8_t opcode, Operation operation, int fd);

  IoUring& ring_;
  std::unique_ptr<io_uring_sqe> nowhere_;  // takes what there is no entry for
  Result<void> failure_;
  int outstanding_ = 0;
};

}  // namespace io_selectors

#endif  // IO_SELECTORS_HAS_IO_URING
