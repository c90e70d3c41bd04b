#include "proactor/io_uring_operations.h"

#ifdef IO_SELECTORS_HAS_IO_URING

#include <poll.h>

#include "net/open_socket.h"

namespace io_selectors {

namespace {

// The kernel's interface by number, because the headers may be older than the kernel.
constexpr uint16_t kAcceptMultishot = 1u << 0;   // IORING_ACCEPT_MULTISHOT
constexpr uint16_t kReceiveMultishot = 1u << 1;  // IORING_RECV_MULTISHOT
constexpr uint32_t kCancelEvery = 1u << 0;       // IORING_ASYNC_CANCEL_ALL
constexpr uint32_t kCancelAny = 1u << 2;         // IORING_ASYNC_CANCEL_ANY
constexpr uint8_t kSkipSuccess = 1u << 6;        // IOSQE_CQE_SKIP_SUCCESS, Linux 5.17

uint64_t Token(Operation operation, int fd, int32_t mark) {
  return uint64_t{static_cast<uint8_t>(operation)} << 56 |
         uint64_t{static_cast<uint32_t>(mark) & 0xffffff} << 32 | static_cast<uint32_t>(fd);
}

}  // namespace

Result<void> CheckMultishotReceive(IoUring& ring) {
  // It has no flag to ask for, and came with an operation that has: IORING_REGISTER_PROBE,
  // IORING_OP_SEND_ZC, and the first byte of struct io_uring_probe, which is the last operation
  // that the kernel knows.
  constexpr uint32_t kRegisterProbe = 8;
  constexpr uint8_t kSendZeroCopy = 47;
  uint8_t probe[16] = {};
  const Result<void> asked = ring.RegisterWithKernel(kRegisterProbe, probe, 0);
  if (!asked.ok()) return asked;
  return probe[0] >= kSendZeroCopy ? Result<void>() : Error{ENOSYS, "io_uring_enter"};
}

void Operations::Accept(const Owner& listener, bool multishot) {
  io_uring_sqe* entry = Prepare(IORING_OP_ACCEPT, Operation::kAccept, listener.fd, listener.life);
  entry->ioprio = multishot ? kAcceptMultishot : 0;
  entry->accept_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
}

void Operations::Receive(const Owner& owner, uint16_t group) {
  io_uring_sqe* entry = Prepare(IORING_OP_RECV, Operation::kReceive, owner.fd, owner.life);
  entry->ioprio = kReceiveMultishot;
  entry->flags = IOSQE_BUFFER_SELECT;
  entry->buf_group = group;
}

void Operations::SendAtOnce(int fd, Message* message, const iovec& part, const SendLabel& label) {
  const uint8_t opcode = message == nullptr ? IORING_OP_SEND : IORING_OP_SENDMSG;
  io_uring_sqe* entry = Prepare(opcode, Operation::kSendAtOnce, fd, label.index);
  if (message == nullptr) {
    entry->addr = reinterpret_cast<uintptr_t>(part.iov_base);
    entry->len = static_cast<uint32_t>(part.iov_len);
  } else {
    message->header.msg_iov = message->parts;
    message->header.msg_iovlen = static_cast<size_t>(label.count);
    entry->addr = reinterpret_cast<uintptr_t>(&message->header);
    entry->len = 1;
  }
  // WAITALL: less than everything is a failure, which completes in spite of the skipping.
  entry->msg_flags = static_cast<uint32_t>(kSendFlags | MSG_DONTWAIT | MSG_WAITALL);
  SkipSuccess(entry);
  if (!skips_success_) ++at_once_;
}

void Operations::SendQueued(const Owner& owner, const iovec& part) {
  io_uring_sqe* entry = Prepare(IORING_OP_SEND, Operation::kSendQueued, owner.fd, owner.life);
  entry->addr = reinterpret_cast<uintptr_t>(part.iov_base);
  entry->len = static_cast<uint32_t>(part.iov_len);
  entry->msg_flags = static_cast<uint32_t>(kSendFlags);
}

void Operations::WatchWake(int fd) {
  io_uring_sqe* entry = Prepare(IORING_OP_POLL_ADD, Operation::kWake, fd);
  entry->poll_events = POLLIN;
}

void Operations::Cancel(Operation operation, const Owner& owner) {
  io_uring_sqe* entry = Prepare(IORING_OP_ASYNC_CANCEL, Operation::kUnwatched, -1);
  entry->addr = Token(operation, owner.fd, owner.life);
  SkipSuccess(entry);
}

void Operations::CancelAll() {
  io_uring_sqe* entry = Prepare(IORING_OP_ASYNC_CANCEL, Operation::kUnwatched, -1);
  entry->cancel_flags = kCancelEvery | kCancelAny;
}

void Operations::Drop() { ring_.DropUnsubmitted(Token(Operation::kUnwatched, -1, 0)); }

void Operations::Close(int fd) { SkipSuccess(Prepare(IORING_OP_CLOSE, Operation::kUnwatched, fd)); }

void Operations::SkipSuccess(io_uring_sqe* entry) const {
  if (skips_success_) entry->flags = static_cast<uint8_t>(entry->flags | kSkipSuccess);
}

void Operations::OnCompletion(const Completion& completion) {
  const Operation operation = OperationOf(completion);
  const bool counted = operation != Operation::kUnwatched && operation != Operation::kSendAtOnce;
  if (counted && !completion.more()) --outstanding_;
}

io_uring_sqe* Operations::Prepare(uint8_t opcode, Operation operation, int fd, int32_t mark) {
  io_uring_sqe* entry = ring_.NextEntry();
  if (entry == nullptr) {
    const Result<void> submitted = ring_.Enter(0, 0);
    entry = ring_.NextEntry();
    if (entry == nullptr) {
      failure_ = submitted.ok() ? Error{EBUSY, "io_uring_enter"} : submitted.error();
      nowhere_ = std::make_unique<io_uring_sqe>();
      return nowhere_.get();
    }
  }
  entry->opcode = opcode;
  entry->fd = fd;
  entry->user_data = Token(operation, fd, mark);
  if (operation != Operation::kUnwatched && operation != Operation::kSendAtOnce) ++outstanding_;
  return entry;
}

}  // namespace io_selectors

#endif  // IO_SELECTORS_HAS_IO_URING
