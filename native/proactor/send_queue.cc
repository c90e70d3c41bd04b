#include "proactor/send_queue.h"

#include <algorithm>
#include <cstring>

namespace io_selectors {

namespace {

constexpr size_t kLeastChunkBytes = 4 * 1024;
constexpr size_t kMostChunkBytes = 256 * 1024;

}  // namespace

SendQueue::~SendQueue() {
  while (first_ != nullptr) DropFirst();
}

bool SendQueue::Append(const void* data, size_t length) {
  const auto* from = static_cast<const char*>(data);
  while (length > 0) {
    Chunk* chunk = WithRoom(length);
    if (chunk == nullptr) return false;
    const size_t part = std::min(length, chunk->capacity - chunk->filled);
    std::memcpy(chunk->bytes() + chunk->filled, from, part);
    chunk->filled += part;
    size_ += part;
    from += part;
    length -= part;
  }
  return true;
}

SendQueue::Chunk* SendQueue::WithRoom(size_t wanted) {
  if (last_ != nullptr && last_->filled < last_->capacity) return last_;
  const size_t capacity = std::clamp(wanted, kLeastChunkBytes, kMostChunkBytes);
  auto* chunk = static_cast<Chunk*>(AllocateForPeer(sizeof(Chunk) + capacity));
  if (chunk == nullptr) return nullptr;
  *chunk = Chunk{nullptr, capacity, 0, 0};
  (last_ == nullptr ? first_ : last_->next) = chunk;
  last_ = chunk;
  return chunk;
}

void SendQueue::DropFirst() {
  Chunk* dropped = first_;
  first_ = dropped->next;
  if (first_ == nullptr) last_ = nullptr;
  std::free(dropped);
}

int SendQueue::Gather(iovec* parts, int most) const {
  int count = 0;
  for (Chunk* chunk = first_; chunk != nullptr && count < most; chunk = chunk->next) {
    parts[count++] = iovec{chunk->bytes() + chunk->sent, chunk->filled - chunk->sent};
  }
  return count;
}

void SendQueue::Consume(size_t length) {
  size_ -= length;
  while (length > 0) {
    const size_t part = std::min(length, first_->filled - first_->sent);
    first_->sent += part;
    length -= part;
    if (first_->sent == first_->filled) DropFirst();
  }
}

}  // namespace io_selectors
