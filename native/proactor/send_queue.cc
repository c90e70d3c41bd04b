#include "proactor/send_queue.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace io_selectors {

namespace {

constexpr size_t kLeastChunkBytes = 4 * 1024;
constexpr size_t kMostChunkBytes = 256 * 1024;

}  // namespace

bool SendQueue::Append(const void* data, size_t length) {
  const auto* from = static_cast<const char*>(data);
  while (length > 0) {
    if (chunks_.empty() || chunks_.back().filled == chunks_.back().capacity) {
      Chunk chunk;
      chunk.capacity = std::clamp(length, kLeastChunkBytes, kMostChunkBytes);
      chunk.bytes.reset(new (std::nothrow) char[chunk.capacity]);
      if (chunk.bytes == nullptr) return false;
      chunks_.push_back(std::move(chunk));
    }
    Chunk& last = chunks_.back();
    const size_t part = std::min(length, last.capacity - last.filled);
    std::memcpy(last.bytes.get() + last.filled, from, part);
    last.filled += part;
    size_ += part;
    from += part;
    length -= part;
  }
  return true;
}

int SendQueue::Gather(iovec* parts, int most) const {
  int count = 0;
  for (const Chunk& chunk : chunks_) {
    if (count == most) break;
    parts[count++] = iovec{chunk.bytes.get() + chunk.sent, chunk.filled - chunk.sent};
  }
  return count;
}

void SendQueue::Consume(size_t length) {
  size_ -= length;
  while (length > 0) {
    Chunk& first = chunks_.front();
    const size_t part = std::min(length, first.filled - first.sent);
    first.sent += part;
    length -= part;
    if (first.sent == first.filled) chunks_.pop_front();
  }
}

}  // namespace io_selectors
