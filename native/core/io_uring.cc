#include "core/io_uring.h"

#ifdef IO_SELECTORS_HAS_IO_URING

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "core/forks.h"
#include "core/timeout.h"

namespace io_selectors {

namespace {

// The kernel's interface by number, because the headers may be older than the kernel.
constexpr uint32_t kSetupCompletionSize = 1u << 3;    // IORING_SETUP_CQSIZE
constexpr uint32_t kSetupClamp = 1u << 4;             // IORING_SETUP_CLAMP
constexpr uint32_t kSetupSubmitAll = 1u << 7;         // IORING_SETUP_SUBMIT_ALL, Linux 5.18
constexpr uint32_t kSetupCoopTaskrun = 1u << 8;       // IORING_SETUP_COOP_TASKRUN, Linux 5.19
constexpr uint32_t kSetupSingleIssuer = 1u << 12;     // IORING_SETUP_SINGLE_ISSUER, Linux 6.0
constexpr uint32_t kSetupDeferTaskrun = 1u << 13;     // IORING_SETUP_DEFER_TASKRUN, Linux 6.1
constexpr uint32_t kSetupNoOrderArray = 1u << 16;     // IORING_SETUP_NO_SQARRAY, Linux 6.6
constexpr uint32_t kEnterRegisteredRing = 1u << 4;    // IORING_ENTER_REGISTERED_RING, Linux 5.18
constexpr uint32_t kRegisterRing = 20;                // IORING_REGISTER_RING_FDS
constexpr uint32_t kUnregisterRing = 21;              // IORING_UNREGISTER_RING_FDS
constexpr uint32_t kFeatureResourceTags = 1u << 10;   // IORING_FEAT_RSRC_TAGS: Linux 5.13
constexpr uint32_t kEnterGetEvents = 1u << 0;         // IORING_ENTER_GETEVENTS
constexpr uint32_t kEnterExtendedArgument = 1u << 3;  // IORING_ENTER_EXT_ARG
constexpr uint32_t kOverflown = 1u << 1;              // IORING_SQ_CQ_OVERFLOW

/** struct __kernel_timespec */
struct Timeout {
  int64_t seconds;
  int64_t nanoseconds;
};

/** struct io_uring_getevents_arg */
struct EnterArgument {
  uint64_t signal_mask;
  uint32_t signal_mask_size;
  uint32_t padding;
  uint64_t timeout;
};

/**
 * COOP_TASKRUN avoids the interrupts that would notify a running thread of completions: each of our
 * waits enters the kernel anyway. DEFER_TASKRUN completes in those waits only, in one go, which is
 * cheaper still; but a ring watched by another loop then never becomes readable.
 */
int Setup(uint32_t submissions, RingUse use, const RingOptions& options,
          io_uring_params* parameters) {
  const io_uring_params wanted = *parameters;
  constexpr uint32_t kDeferred = kSetupSubmitAll | kSetupSingleIssuer | kSetupDeferTaskrun;
  constexpr uint32_t kCooperative = kSetupSubmitAll | kSetupCoopTaskrun;
  const uint32_t best = use == RingUse::kOneThread ? kDeferred : kCooperative;
  // The best first; a kernel that does not know a flag fails with EINVAL.
  long fd = -1;
  for (const uint32_t flags : {best | kSetupNoOrderArray, best, kCooperative, 0u}) {
    if (options.order_array && (flags & kSetupNoOrderArray) != 0) continue;
    *parameters = wanted;
    parameters->flags |= flags;
    fd = syscall(__NR_io_uring_setup, submissions, parameters);
    if (fd >= 0 || errno != EINVAL) break;
  }
  return static_cast<int>(fd);
}

uint32_t Load(const uint32_t* shared) { return __atomic_load_n(shared, __ATOMIC_ACQUIRE); }
void Store(uint32_t* shared, uint32_t value) { __atomic_store_n(shared, value, __ATOMIC_RELEASE); }

}  // namespace

Result<std::unique_ptr<IoUring>> IoUring::Open(uint32_t submissions, uint32_t completions,
                                               RingUse use, const RingOptions& options) {
  io_uring_params parameters{};
  parameters.flags = kSetupCompletionSize | kSetupClamp;
  parameters.cq_entries = completions;
  std::unique_ptr<IoUring> ring(new IoUring());
  ring->fd_.Reset(Setup(submissions, use, options, &parameters));
  if (!ring->fd_.valid()) return LastError("io_uring_setup");
  if ((parameters.features & kFeatureResourceTags) == 0) return Error{ENOSYS, "io_uring_setup"};
  const Result<void> mapped = ring->MapRings(parameters);
  if (!mapped.ok()) return mapped.error();
  ring->forks_ = CountForks();
  if (options.registered) ring->RegisterDescriptor();
  return ring;
}

namespace {

/** struct io_uring_rsrc_update */
struct DescriptorUpdate {
  uint32_t index;
  uint32_t reserved;
  uint64_t fd;
};

}  // namespace

void IoUring::RegisterDescriptor() {
  constexpr uint32_t kAnyIndex = UINT32_MAX;
  DescriptorUpdate update{kAnyIndex, 0, static_cast<uint64_t>(fd())};
  if (RegisterWithKernel(kRegisterRing, &update, 1).ok()) {
    registered_ = static_cast<int>(update.index);
  }
}

IoUring::~IoUring() {
  // Its thread would hold the ring open until its end.
  if (registered_ < 0 || Inherited()) return;
  DescriptorUpdate update{static_cast<uint32_t>(registered_), 0, 0};
  (void)RegisterWithKernel(kUnregisterRing, &update, 1).ok();
}

Result<void> IoUring::MapRings(const io_uring_params& parameters) {
  // Without the order array its offset is 0, and the completions lie behind everything else.
  const size_t submission_bytes =
      parameters.sq_off.array + parameters.sq_entries * sizeof(uint32_t);
  const size_t completion_bytes =
      parameters.cq_off.cqes + parameters.cq_entries * sizeof(io_uring_cqe);
  Result<void> mapped =
      rings_.Map(fd(), std::max(submission_bytes, completion_bytes), IORING_OFF_SQ_RING);
  if (!mapped.ok()) return mapped;
  mapped = entries_.Map(fd(), parameters.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES);
  if (!mapped.ok()) return mapped;

  submission_head_ = rings_.At<uint32_t>(parameters.sq_off.head);
  submission_tail_ = rings_.At<uint32_t>(parameters.sq_off.tail);
  submission_flags_ = rings_.At<uint32_t>(parameters.sq_off.flags);
  submission_mask_ = *rings_.At<uint32_t>(parameters.sq_off.ring_mask);
  completion_head_ = rings_.At<uint32_t>(parameters.cq_off.head);
  completion_tail_ = rings_.At<uint32_t>(parameters.cq_off.tail);
  completion_mask_ = *rings_.At<uint32_t>(parameters.cq_off.ring_mask);
  completions_ = rings_.At<io_uring_cqe>(parameters.cq_off.cqes);
  if ((parameters.flags & kSetupNoOrderArray) != 0) return {};
  // Entries are used in their own order, so the indirection stays the identity.
  auto* order = rings_.At<uint32_t>(parameters.sq_off.array);
  for (uint32_t i = 0; i < parameters.sq_entries; ++i) order[i] = i;
  return {};
}

io_uring_sqe* IoUring::NextEntry() {
  if (unsubmitted() > submission_mask_ || Inherited()) return nullptr;
  io_uring_sqe* entry = entries_.At<io_uring_sqe>(0) + (tail_++ & submission_mask_);
  std::memset(entry, 0, sizeof(*entry));
  return entry;
}

uint32_t IoUring::unsubmitted() const { return tail_ - Load(submission_head_); }

void IoUring::DropUnsubmitted(uint64_t token) {
  for (uint32_t i = Load(submission_head_); i != tail_; ++i) {
    io_uring_sqe* entry = entries_.At<io_uring_sqe>(0) + (i & submission_mask_);
    if (entry->opcode == IORING_OP_CLOSE) close(entry->fd);
    *entry = io_uring_sqe();  // IORING_OP_NOP
    entry->user_data = token;
  }
}

Result<void> IoUring::Enter(uint32_t least, int64_t timeout_ns) {
  if (Inherited()) return Error{EPERM, "io_uring_enter"};
  const Timeout timeout{timeout_ns / kNsPerSecond, timeout_ns % kNsPerSecond};
  const bool ends = least > 0 && timeout_ns >= 0;
  const int64_t deadline = ends ? DeadlineAfter(timeout_ns) : kNever;
  const EnterArgument argument{0, 0, 0, ends ? reinterpret_cast<uintptr_t>(&timeout) : 0};
  const int number = registered_ < 0 ? fd() : registered_;
  const uint32_t flags =
      kEnterGetEvents | kEnterExtendedArgument | (registered_ < 0 ? 0 : kEnterRegisteredRing);
  Store(submission_tail_, tail_);
  long submitted;
  do {  // a refused entry completes with its error, and before Linux 5.18 ends the submission
    ++enter_calls_;
    submitted = syscall(__NR_io_uring_enter, number, unsubmitted(), least, flags, &argument,
                        sizeof(argument));
    if (submitted < 0 && errno != ETIME) return LastError("io_uring_enter");
  } while (submitted > 0 && unsubmitted() > 0);
  // The call returns the number of submissions also if a signal ended its wait. Before Linux 5.18
  // a timeout may end it up to a jiffy early.
  constexpr int64_t kJiffyNs = 10 * kNsPerMs;
  const bool empty = Load(completion_tail_) == *completion_head_;
  if (least > 0 && empty && MonotonicNs() < deadline - kJiffyNs) {
    return Error{EINTR, "io_uring_enter"};
  }
  return {};
}

bool IoUring::Next(Completion* completion) {
  const uint32_t head = *completion_head_;  // ours to write
  if (head == Load(completion_tail_) || Inherited()) return false;
  const io_uring_cqe& entry = completions_[head & completion_mask_];
  *completion = Completion{entry.user_data, entry.res, entry.flags};
  Store(completion_head_, head + 1);
  return true;
}

Result<void> IoUring::RegisterWithKernel(uint32_t operation, void* argument, uint32_t count) {
  if (Inherited()) return Error{EPERM, "io_uring_register"};
  if (syscall(__NR_io_uring_register, fd(), operation, argument, count) < 0) {
    return LastError("io_uring_register");
  }
  return {};
}

bool IoUring::overflown() const { return (Load(submission_flags_) & kOverflown) != 0; }

bool IoUring::Inherited() const { return forks_ != CountForks(); }

Result<void> IoUring::Mapping::Map(int fd, size_t bytes, uint64_t offset) {
  void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                      static_cast<off_t>(offset));
  if (mapped == MAP_FAILED) return LastError("mmap");
  address = mapped;
  length = bytes;
  return {};
}

IoUring::Mapping::~Mapping() {
  if (address != nullptr) munmap(address, length);
}

}  // namespace io_selectors

#endif  // IO_SELECTORS_HAS_IO_URING
