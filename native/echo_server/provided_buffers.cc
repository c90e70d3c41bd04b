#include "echo_server/provided_buffers.h"

#ifdef IO_SELECTORS_HAS_IO_URING

#include <sys/mman.h>

namespace io_selectors {

namespace {

// Of the kernel's interface, by number: the headers may be older than the kernel.
constexpr uint32_t kRegisterBufferRing = 22;  // IORING_REGISTER_PBUF_RING

/** struct io_uring_buf_reg */
struct Registration {
  uint64_t ring_address;
  uint32_t entries;
  uint16_t group;
  uint16_t flags;
  uint64_t reserved[3];
};

void* MapMemory(size_t bytes) {
  void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mapped == MAP_FAILED ? nullptr : mapped;
}

}  // namespace

ProvidedBuffers::~ProvidedBuffers() {
  if (entries_ != nullptr) munmap(entries_, ring_bytes_);
  if (memory_ != nullptr) munmap(memory_, memory_bytes_);
}

Result<void> ProvidedBuffers::Register(IoUring& ring, uint16_t group, uint16_t count,
                                       uint32_t bytes) {
  static_assert(sizeof(Entry) == 16, "the kernel's layout");
  ring_bytes_ = count * sizeof(Entry);
  memory_bytes_ = size_t{count} * bytes;
  entries_ = static_cast<Entry*>(MapMemory(ring_bytes_));
  memory_ = static_cast<char*>(MapMemory(memory_bytes_));
  if (entries_ == nullptr || memory_ == nullptr) return LastError("mmap");
  bytes_ = bytes;
  mask_ = static_cast<uint16_t>(count - 1);
  Registration registration{reinterpret_cast<uintptr_t>(entries_), count, group, 0, {}};
  const Result<void> registered = ring.RegisterWithKernel(kRegisterBufferRing, &registration, 1);
  if (!registered.ok()) return registered;
  for (int buffer = 0; buffer < count; ++buffer) Return(buffer);
  return {};
}

void ProvidedBuffers::Return(int buffer) {
  Entry& entry = entries_[tail_ & mask_];
  entry.address = reinterpret_cast<uintptr_t>(At(buffer));
  entry.length = bytes_;
  entry.buffer = static_cast<uint16_t>(buffer);
  ++tail_;
  __atomic_store_n(&entries_[0].tail, tail_, __ATOMIC_RELEASE);
}

}  // namespace io_selectors

#endif  // IO_SELECTORS_HAS_IO_URING
