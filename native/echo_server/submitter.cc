#include "echo_server/submitter.h"

#ifdef IO_SELECTORS_HAS_IO_URING

#include <poll.h>
#include <sys/socket.h>

#include "net/open_socket.h"

namespace io_selectors {

namespace {

// Of the kernel's interface, by number: the headers may be older than the kernel.
constexpr uint16_t kAcceptMultishot = 1u << 0;   // IORING_ACCEPT_MULTISHOT
constexpr uint16_t kReceiveMultishot = 1u << 1;  // IORING_RECV_MULTISHOT
constexpr uint32_t kCancelEvery = 1u << 0;       // IORING_ASYNC_CANCEL_ALL
constexpr uint32_t kCancelAny = 1u << 2;         // IORING_ASYNC_CANCEL_ANY

uint64_t Token(Operation operation, int fd) {
  return uint64_t{static_cast<uint32_t>(operation)} << 32 | static_cast<uint32_t>(fd);
}

}  // namespace

void Submitter::Accept(int listener) {
  io_uring_sqe* entry = Prepare(IORING_OP_ACCEPT, Operation::kAccept, listener);
  entry->ioprio = kAcceptMultishot;
  entry->accept_flags = SOCK_CLOEXEC;
}

void Submitter::Receive(int fd, uint16_t group, uint32_t allowance) {
  io_uring_sqe* entry = Prepare(IORING_OP_RECV, Operation::kReceive, fd);
  entry->ioprio = kReceiveMultishot;
  entry->flags = IOSQE_BUFFER_SELECT;
  entry->buf_group = group;
  // Its optlen; an older kernel expects 0 there, and answers EINVAL.
  entry->splice_fd_in = static_cast<int32_t>(allowance);
}

void Submitter::Send(int fd, const char* data, size_t length, bool waits) {
  io_uring_sqe* entry = Prepare(IORING_OP_SEND, Operation::kSend, fd);
  entry->addr = reinterpret_cast<uintptr_t>(data);
  entry->len = static_cast<uint32_t>(length);
  entry->msg_flags = static_cast<uint32_t>(kSendFlags | (waits ? 0 : MSG_DONTWAIT));
}

void Submitter::WatchStop(int fd) {
  io_uring_sqe* entry = Prepare(IORING_OP_POLL_ADD, Operation::kStop, fd);
  entry->poll_events = POLLIN;
}

void Submitter::CancelReceive(int fd) {
  io_uring_sqe* entry = Prepare(IORING_OP_ASYNC_CANCEL, Operation::kUnwatched, -1);
  entry->addr = Token(Operation::kReceive, fd);
}

void Submitter::CancelAll() {
  io_uring_sqe* entry = Prepare(IORING_OP_ASYNC_CANCEL, Operation::kUnwatched, -1);
  entry->cancel_flags = kCancelEvery | kCancelAny;
}

void Submitter::Close(int fd) { Prepare(IORING_OP_CLOSE, Operation::kUnwatched, fd); }

void Submitter::OnCompletion(const Completion& completion) {
  if (!completion.more() && OperationOf(completion) != Operation::kUnwatched) --outstanding_;
}

io_uring_sqe* Submitter::Prepare(uint8_t opcode, Operation operation, int fd) {
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
  entry->user_data = Token(operation, fd);
  if (operation != Operation::kUnwatched) ++outstanding_;
  return entry;
}

}  // namespace io_selectors

#endif  // IO_SELECTORS_HAS_IO_URING
