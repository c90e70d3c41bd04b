// GrowableArray: a vector that reports when there is no memory for more items. The servers are
// compiled without exceptions, and a server must outlive the peer that it has no memory for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace io_selectors {

template <typename T>
class GrowableArray {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return items_.get(); }
  const T* data() const { return items_.get(); }
  T& operator[](size_t index) { return items_[index]; }
  T* begin() { return items_.get(); }
  T* end() { return items_.get() + size_; }

  /**
   * Adds default-initialised items at the end, or drops the last ones.
   * @returns false if there is no memory for so many; nothing has changed then.
   */
  [[nodiscard]] bool Resize(size_t size) {
    if (size > capacity_ && !Reserve(std::max(size, capacity_ * 2))) return false;
    for (size_t i = size; i < size_; ++i) items_[i] = T();
    size_ = size;
    return true;
  }

  /** Drops every item and keeps the memory. */
  void Clear() { (void)Resize(0); }

 private:
  bool Reserve(size_t capacity) {
    std::unique_ptr<T[]> items(new (std::nothrow) T[capacity]);
    if (items == nullptr) return false;
    std::move(begin(), end(), items.get());
    items_ = std::move(items);
    capacity_ = capacity;
    return true;
  }

  std::unique_ptr<T[]> items_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

/** Bytes that a peer has not taken yet. */
class Bytes {
 public:
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  const char* data() const { return bytes_.data(); }

  /** @returns false if there is no memory for them; nothing has changed then. */
  [[nodiscard]] bool Append(const char* data, size_t length) {
    const size_t size = bytes_.size();
    if (!bytes_.Resize(size + length)) return false;
    std::copy(data, data + length, bytes_.begin() + size);
    return true;
  }

 private:
  GrowableArray<char> bytes_;
};

}  // namespace io_selectors
