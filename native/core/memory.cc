#include "core/memory.h"

#include <sys/mman.h>

#include <atomic>
#include <cstdio>
#include <new>

namespace io_selectors {

namespace {

/** More than malloc(3) of glibc maps at once when brk(2) fails. Never touched: address space. */
constexpr size_t kReserveBytes = 2 * 1024 * 1024;

std::atomic<bool> kept{false};
std::atomic<void*> reserve{nullptr};

/** @returns whether the reserve is there. */
bool MakeReserve() {
  if (reserve.load(std::memory_order_relaxed) != nullptr) return true;
  void* mapped =
      mmap(nullptr, kReserveBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return false;
  void* none = nullptr;
  if (!reserve.compare_exchange_strong(none, mapped)) munmap(mapped, kReserveBytes);
  return true;
}

void UseReserve() {
  void* mapped = reserve.exchange(nullptr);
  if (mapped == nullptr) {
    std::fputs("out of memory, and the reserve is used up\n", stderr);
    std::abort();
  }
  munmap(mapped, kReserveBytes);
}

}  // namespace

void KeepMemoryReserve() {
  kept.store(MakeReserve());
  if (kept.load()) std::set_new_handler(UseReserve);
}

void* AllocateForPeer(size_t bytes) {
  if (kept.load(std::memory_order_relaxed) && !MakeReserve()) return nullptr;
  return std::malloc(bytes);
}

}  // namespace io_selectors
