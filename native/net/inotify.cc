#include "net/inotify.h"

#if __has_include(<sys/inotify.h>)
#include <sys/inotify.h>
#endif

namespace io_selectors {

#ifdef IN_NONBLOCK

Result<OwnedFd> OpenInotify() {
  OwnedFd fd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd.valid()) return LastError("inotify_init1");
  return fd;
}

Result<int> AddWatch(int inotify, const std::string& path, uint32_t mask) {
  const int watch = inotify_add_watch(inotify, path.c_str(), mask);
  if (watch < 0) return LastError("inotify_add_watch");
  return watch;
}

Result<void> RemoveWatch(int inotify, int watch) {
  if (inotify_rm_watch(inotify, watch) < 0) return LastError("inotify_rm_watch");
  return {};
}

Result<OwnedFd> WatchDirectory(const std::string& path) {
  constexpr uint32_t kChanges = IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB |
                                IN_MOVE | IN_DELETE_SELF | IN_MOVE_SELF;
  Result<OwnedFd> fd = OpenInotify();
  if (!fd.ok()) return fd;
  const Result<int> watch = AddWatch(fd.value().get(), path, kChanges | IN_ONLYDIR);
  if (!watch.ok()) return watch.error();
  return fd;
}

#else

Result<OwnedFd> OpenInotify() { return Error{ENOSYS, "inotify_init1"}; }

Result<int> AddWatch(int /*inotify*/, const std::string& /*path*/, uint32_t /*mask*/) {
  return Error{ENOSYS, "inotify_add_watch"};
}

Result<void> RemoveWatch(int /*inotify*/, int /*watch*/) {
  return Error{ENOSYS, "inotify_rm_watch"};
}

Result<OwnedFd> WatchDirectory(const std::string& /*path*/) { return OpenInotify(); }

#endif

}  // namespace io_selectors
