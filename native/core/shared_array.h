// SharedArray: zeroed memory that a process shares with its forked children. Untouched pages take
// no memory. mmap(2), MAP_SHARED | MAP_ANONYMOUS
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <type_traits>

#include "core/result.h"

#ifndef MAP_NORESERVE  // FreeBSD
#define MAP_NORESERVE 0
#endif

namespace io_selectors {

template <typename T>
class SharedArray {
  // Zero bytes are its first value, and it is never destroyed.
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  SharedArray() = default;
  /** Empty if there is no memory. */
  explicit SharedArray(size_t count) { (void)Map(count).ok(); }
  ~SharedArray() {
    if (elements_ != nullptr) munmap(elements_, count_ * sizeof(T));
  }
  SharedArray(const SharedArray&) = delete;
  SharedArray& operator=(const SharedArray&) = delete;

  /** Only for an empty array. */
  Result<void> Map(size_t count) {
    void* mapped = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return LastError("mmap");
    elements_ = static_cast<T*>(mapped);
    count_ = count;
    return {};
  }

  size_t size() const { return count_; }
  T* data() { return elements_; }
  T& operator[](size_t index) { return elements_[index]; }
  const T& operator[](size_t index) const { return elements_[index]; }

 private:
  T* elements_ = nullptr;
  size_t count_ = 0;
};

}  // namespace io_selectors
