// SendQueue: the bytes that a peer has not taken yet, in chunks, so that memory is returned while
// the peer reads and a chunk that the kernel is sending from never moves.
#pragma once

#include <sys/uio.h>

#include <cstddef>

#include "core/memory.h"

namespace io_selectors {

class SendQueue : public FromPeerMemory {
 public:
  SendQueue() = default;
  ~SendQueue();
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

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
  /** The bytes follow it in the same block of memory. */
  struct Chunk {
    Chunk* next;
    size_t capacity;
    size_t filled;
    size_t sent;

    char* bytes() { return reinterpret_cast<char*>(this + 1); }
  };

  /** @returns a chunk at the end with room for some bytes, or nullptr. */
  Chunk* WithRoom(size_t wanted);
  void DropFirst();

  Chunk* first_ = nullptr;
  Chunk* last_ = nullptr;
  size_t size_ = 0;
};

}  // namespace io_selectors
