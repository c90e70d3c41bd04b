// SharedArray: zeroed memory that a process shares with its forked children. Untouched pages take
// no memory. mmap(2), MAP_SHARED | MAP_ANONYMOUS
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace io_selectors {

template <typename T>
class SharedArray {
  // Zero bytes are its first value, and it is never destroyed.
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  explicit SharedArray(size_t count) {
    if (count == 0) return;
    void* memory =
        mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    elements_ = static_cast<T*>(memory);
    count_ = count;
  }
  ~SharedArray() {
    if (elements_ != nullptr) munmap(elements_, count_ * sizeof(T));
  }
  SharedArray(const SharedArray&) = delete;
  SharedArray& operator=(const SharedArray&) = delete;

  size_t size() const { return count_; }
  T* data() { return elements_; }
  T& operator[](size_t index) { return elements_[index]; }
  const T& operator[](size_t index) const { return elements_[index]; }

 private:
  T* elements_ = nullptr;
  size_t count_ = 0;
};

}  // namespace io_selectors
