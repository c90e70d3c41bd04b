#include "proactor/provided_buffers.h"

#ifdef IO_SELECTORS_HAS_IO_URING

#include <sys/mman.h>

#include <algorithm>

namespace io_selectors {

namespace {

// The kernel's interface by number, because the headers may be older than the kernel.
constexpr uint32_t kRegisterBufferRing = 22;  // IORING_REGISTER_PBUF_RING
constexpr uint16_t kIncremental = 1u << 1;    // IOU_PBUF_RING_INC
constexpr uint32_t kBufferGoesOn = 1u << 4;   // IORING_CQE_F_BUF_MORE

/** struct io_uring_buf_reg */
struct Registration {
  uint64_t ring_address;
  uint32_t entries;
  uint16_t group;
  uint16_t flags;
  uint64_t reserved[3];
};

}  // namespace

ProvidedBuffers::~ProvidedBuffers() {
  if (entries_ != nullptr) munmap(entries_, ring_bytes_);
}

Result<void> ProvidedBuffers::Register(IoUring& ring, const BufferGroup& group, bool incremental) {
  static_assert(sizeof(Entry) == 16, "the kernel's layout");
  if (entries_ == nullptr) {
    ring_bytes_ = group.count * sizeof(Entry);
    void* mapped =
        mmap(nullptr, ring_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return LastError("mmap");
    entries_ = static_cast<Entry*>(mapped);
  }
  group_ = group;
  filled_.assign(group.count, 0);
  const uint16_t flags = incremental ? kIncremental : uint16_t{0};
  Registration registration{
      reinterpret_cast<uintptr_t>(entries_), group.count, group.group, flags, {}};
  const Result<void> registered = ring.RegisterWithKernel(kRegisterBufferRing, &registration, 1);
  if (!registered.ok()) return registered;
  for (uint16_t buffer = 0; buffer < group.count; ++buffer) Return(buffer);
  return {};
}

ProvidedBuffers::Part ProvidedBuffers::Take(const Completion& completion) {
  const auto buffer = static_cast<size_t>(completion.buffer());
  const size_t offset = buffer * group_.bytes + filled_[buffer];
  filled_[buffer] += static_cast<size_t>(std::max(0, completion.result));
  return Part{offset, (completion.flags & kBufferGoesOn) == 0};
}

void ProvidedBuffers::Return(uint16_t buffer) {
  filled_[buffer] = 0;
  Entry& entry = entries_[tail_ & (group_.count - 1)];
  entry.address = reinterpret_cast<uintptr_t>(group_.memory + buffer * group_.bytes);
  entry.length = static_cast<uint32_t>(group_.bytes);
  entry.buffer = buffer;
  ++tail_;
  __atomic_store_n(&entries_[0].tail, tail_, __ATOMIC_RELEASE);
}

}  // namespace io_selectors

#endif  // IO_SELECTORS_HAS_IO_URING
