#include "addon/opened_descriptors.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <memory>

#ifdef __linux__
#include <sys/epoll.h>
#endif

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

#ifdef __linux__

/** All eventfds, timers, inotify queues and the like share one inode, which has no type. */
bool HasInode(const struct stat& file) { return (file.st_mode & S_IFMT) != 0; }

/** An entry of an epoll set is a number and a file: epoll(7), Q1. */
bool AddAnonymous(int fd, OwnedFd* set) {
  if (!set->valid()) set->Reset(epoll_create1(EPOLL_CLOEXEC));
  epoll_event nothing{};
  return epoll_ctl(set->get(), EPOLL_CTL_ADD, fd, &nothing) == 0 || errno == EEXIST;
}

bool IsAnonymous(int fd, const OwnedFd& set) {
  epoll_event nothing{};
  return epoll_ctl(set.get(), EPOLL_CTL_MOD, fd, &nothing) == 0;
}

#else

bool HasInode(const struct stat& /*file*/) { return true; }
bool AddAnonymous(int /*fd*/, OwnedFd* /*set*/) { return true; }
bool IsAnonymous(int /*fd*/, const OwnedFd& /*set*/) { return true; }

#endif

}  // namespace

OpenedDescriptors::OpenedDescriptors(const uv_loop_t* loop)
    : owner_(loop == uv_default_loop() ? 0 : ++last_owner) {}

OpenedDescriptors::~OpenedDescriptors() {
  for (size_t index = 0; index < identities_.size(); ++index) {
    const int fd = static_cast<int>(index);
    Owner* owner = FindOwner(fd);
    int32_t mine = owner_;
    if (owner == nullptr || !owner->compare_exchange_strong(mine, 0)) continue;
    if (IsUnchanged(fd)) close(fd);
  }
}

void OpenedDescriptors::Add(int fd) {
  if (owner_ == 0) return Remove(fd);
  const auto index = static_cast<size_t>(fd);
  if (identities_.size() <= index) {
    identities_.resize(std::max(index + 1, identities_.size() * 2));
  }
  Identity& identity = identities_[index];
  if (!Identify(fd, &identity)) return;
  if (!identity.has_inode && !AddAnonymous(fd, &anonymous_)) return;
  MakeOwner(fd)->store(owner_);
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
  *identity = Identity{file.st_dev, file.st_ino, HasInode(file)};
  return true;
}

bool OpenedDescriptors::IsUnchanged(int fd) const {
  const Identity& then = identities_[static_cast<size_t>(fd)];
  Identity now;
  if (!Identify(fd, &now) || now.device != then.device || now.inode != then.inode) return false;
  return then.has_inode || IsAnonymous(fd, anonymous_);
}

}  // namespace io_selectors
