// Buffers that the kernel picks from when something has arrived, so that a silent connection holds
// none. A ring in memory shared with the kernel: it takes from the head, the engine gives back at
// the tail. Incremental buffers take one receive behind the other, so that small messages share
// pages. io_uring_register_buf_ring(3), Linux 5.19; IOU_PBUF_RING_INC, Linux 6.12
#pragma once

#include "core/io_uring.h"

#ifdef IO_SELECTORS_HAS_IO_URING

#include <cstddef>
#include <vector>

namespace io_selectors {

struct BufferGroup {
  uint16_t group;
  uint16_t count;  // a power of 2, at most 32768
  size_t bytes;    // of each
  uint8_t* memory;
};

class ProvidedBuffers {
 public:
  ProvidedBuffers() = default;
  ~ProvidedBuffers();
  ProvidedBuffers(const ProvidedBuffers&) = delete;
  ProvidedBuffers& operator=(const ProvidedBuffers&) = delete;

  /** @returns EINVAL if the kernel is too old, for incremental buffers or for any. */
  Result<void> Register(IoUring& ring, const BufferGroup& group, bool incremental);

  /** Where the bytes of a completion lie in the memory, and whether their buffer is used up. */
  struct Part {
    size_t offset;
    bool spent;
  };
  /** Of each completion that names a buffer, once and in order. */
  Part Take(const Completion& completion);

  /** Gives a buffer that is used up back to the kernel. */
  void Return(uint16_t buffer);

 private:
  /** struct io_uring_buf. The tail of the ring lies in the first one's last field. */
  struct Entry {
    uint64_t address;
    uint32_t length;
    uint16_t buffer;
    uint16_t tail;
  };

  BufferGroup group_{};
  Entry* entries_ = nullptr;
  size_t ring_bytes_ = 0;
  std::vector<size_t> filled_;  // bytes, by buffer
  uint16_t tail_ = 0;
};

}  // namespace io_selectors

#endif  // IO_SELECTORS_HAS_IO_URING
