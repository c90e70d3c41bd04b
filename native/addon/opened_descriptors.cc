#include "addon/opened_descriptors.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>

namespace io_selectors {

namespace {

constexpr int kChunkBits = 16;
constexpr size_t kChunkSize = size_t{1} << kChunkBits;
constexpr size_t kChunks = size_t{1} << (31 - kChunkBits);

using Owner = std::atomic<int32_t>;

/** The owner of each descriptor of the process. Chunks are made when first needed and never freed,
 * because threads may outlive static destructors. */
std::array<std::atomic<Owner*>, kChunks> chunks;
std::atomic<int32_t> last_owner{0};

/** nullptr if no environment has owned a descriptor in that range. */
Owner* FindOwner(int fd) {
  if (fd < 0) return nullptr;
  Owner* chunk = chunks[static_cast<size_t>(fd) >> kChunkBits].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : &chunk[static_cast<size_t>(fd) % kChunkSize];
}

Owner* MakeOwner(int fd) {
  std::atomic<Owner*>& place = chunks[static_cast<size_t>(fd) >> kChunkBits];
  if (place.load(std::memory_order_acquire) == nullptr) {
    auto made = std::make_unique<Owner[]>(kChunkSize);
    Owner* none = nullptr;
    if (place.compare_exchange_strong(none, made.get(), std::memory_order_acq_rel)) {
      (void)made.release();
    }
  }
  return FindOwner(fd);
}

}  // namespace

OpenedDescriptors::OpenedDescriptors(const uv_loop_t* loop)
    : owner_(loop == uv_default_loop() ? 0 : ++last_owner) {}

OpenedDescriptors::~OpenedDescriptors() {
  for (size_t index = 0; index < identities_.size(); ++index) {
    const int fd = static_cast<int>(index);
    Owner* owner = FindOwner(fd);
    int32_t mine = owner_;
    if (owner == nullptr || !owner->compare_exchange_strong(mine, 0)) continue;
    Identity now;
    if (!Identify(fd, &now)) continue;
    const Identity& then = identities_[index];
    if (now.device == then.device && now.inode == then.inode) close(fd);
  }
}

void OpenedDescriptors::Add(int fd) {
  if (owner_ == 0) return Remove(fd);
  const auto index = static_cast<size_t>(fd);
  if (identities_.size() <= index) {
    identities_.resize(std::max(index + 1, identities_.size() * 2));
  }
  if (Identify(fd, &identities_[index])) MakeOwner(fd)->store(owner_);
}

void OpenedDescriptors::Remove(int fd) {
  Owner* owner = FindOwner(fd);
  if (owner != nullptr && owner->load(std::memory_order_relaxed) != 0) owner->store(0);
}

void OpenedDescriptors::Use(int fd) const {
  Owner* owner = FindOwner(fd);
  if (owner == nullptr) return;
  int32_t other = owner->load(std::memory_order_relaxed);
  if (other != 0 && other != owner_) owner->compare_exchange_strong(other, 0);
}

bool OpenedDescriptors::Identify(int fd, Identity* identity) {
  struct stat file{};
  if (fstat(fd, &file) < 0) return false;
  *identity = Identity{file.st_dev, file.st_ino};
  return true;
}

}  // namespace io_selectors
