// Two kinds of memory. What a peer causes (its unsent bytes, its place in a table) is refused when
// memory is short, and the peer is lost. The process's own bookkeeping (work lists) cannot be
// refused without exceptions, so a reserve is kept for it: operator new takes from the reserve, and
// what peers cause is refused until the reserve is whole again. set_new_handler(3)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

namespace io_selectors {

/** Keeps a reserve for operator new from now on. For a process of its own, not for a library. */
void KeepMemoryReserve();

/** As malloc(3); nullptr also while the reserve is in use and cannot be made whole. */
void* AllocateForPeer(size_t bytes);

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
using PeerBytes = std::unique_ptr<char[], Free>;

/** For `new (std::nothrow)` of a class that a peer causes. */
struct FromPeerMemory {
  static void* operator new(size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
    return AllocateForPeer(bytes);
  }
  static void operator delete(void* memory) { std::free(memory); }
};

/** Room for `size` items, growing geometrically. @returns false if there is no memory for them. */
template <typename T>
[[nodiscard]] bool Reserve(std::vector<T>& items, size_t size) {
  if (size <= items.capacity()) return true;
  const size_t capacity = std::max(size, items.capacity() + items.capacity() / 2);
  void* probe = AllocateForPeer(capacity * sizeof(T));
  if (probe == nullptr) return false;
  std::free(probe);
  items.reserve(capacity);
  return true;
}

/** Grows a table so that it has this index. @returns false if there is no memory for it. */
template <typename T>
[[nodiscard]] bool GrowTo(std::vector<T>& table, size_t index) {
  if (index < table.size()) return true;
  if (!Reserve(table, index + 1)) return false;
  table.resize(table.capacity());
  return true;
}

}  // namespace io_selectors
