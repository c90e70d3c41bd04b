// Buffers that the kernel picks from when something has arrived, so that a connection which is
// silent holds none. A ring in memory shared with the kernel: it takes from the head, we give back
// at the tail. io_uring_register_buf_ring(3), Linux 5.19
// Enters: buffers that are free again. Leaves: received bytes, by buffer id.
#pragma once

#include "core/io_uring.h"

#ifdef IO_SELECTORS_HAS_IO_URING

#include <memory>

namespace io_selectors {

class ProvidedBuffers {
 public:
  ProvidedBuffers() = default;
  ~ProvidedBuffers();
  ProvidedBuffers(const ProvidedBuffers&) = delete;
  ProvidedBuffers& operator=(const ProvidedBuffers&) = delete;

  /**
   * Registers `count` buffers (a power of 2, at most 32768) of `bytes` each under this group.
   * @returns EINVAL where the kernel is older than 5.19.
   */
  Result<void> Register(IoUring& ring, uint16_t group, uint16_t count, uint32_t bytes);

  const char* At(int buffer) const { return memory_ + static_cast<size_t>(buffer) * bytes_; }

  /** Gives a buffer back to the kernel. */
  void Return(int buffer);

 private:
  /** struct io_uring_buf. The tail of the ring lies in the first one's last field. */
  struct Entry {
    uint64_t address;
    uint32_t length;
    uint16_t buffer;
    uint16_t tail;
  };

  Entry* entries_ = nullptr;
  char* memory_ = nullptr;
  size_t ring_bytes_ = 0;
  size_t memory_bytes_ = 0;
  uint32_t bytes_ = 0;
  uint16_t mask_ = 0;
  uint16_t tail_ = 0;
};

}  // namespace io_selectors

#endif  // IO_SELECTORS_HAS_IO_URING
