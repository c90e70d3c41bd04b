// SendQueue: the bytes that a peer has not taken yet, in chunks, so that memory is returned while
// the peer reads and a chunk that the kernel is sending from never moves.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

namespace io_selectors {

class SendQueue {
 public:
  /** Bytes that are queued. */
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /** Copies bytes to the end of the queue. @returns false if there is no memory for all of them. */
  [[nodiscard]] bool Append(const void* data, size_t length);

  /** Fills in up to `most` parts from the front. @returns how many. */
  int Gather(iovec* parts, int most) const;

  /** Removes bytes from the front. */
  void Consume(size_t length);

 private:
  struct Chunk {
    std::unique_ptr<char[]> bytes;
    size_t capacity = 0;
    size_t filled = 0;
    size_t sent = 0;
  };

  std::deque<Chunk> chunks_;
  size_t size_ = 0;
};

}  // namespace io_selectors
