// The table of backends. A factory that this build does not contain is nullptr, and its row gives
// the reason.
#include "backends/backends.h"

#include <sys/resource.h>
#include <sys/select.h>

#include "core/io_uring.h"

namespace io_selectors {

int LargestFdSetSize() {
  rlimit limit{};
#ifdef __linux__
  constexpr rlim_t kLargestSet = 1 << 20;
#else
  constexpr rlim_t kLargestSet = FD_SETSIZE;  // the size of a set is fixed there
#endif
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > kLargestSet) return kLargestSet;
  return static_cast<int>(limit.rlim_cur);
}

// A factory that this build does not contain is nullptr; its row then has the reason.
using Factory = Result<std::unique_ptr<Selector>>(const SelectorOptions& options);

#ifdef __linux__
Factory MakeEpollSelector;
constexpr Factory* kEpoll = MakeEpollSelector;
#else
constexpr Factory* kEpoll = nullptr;
#endif
Factory MakePollSelector;
Factory MakeSelectSelector;

#ifdef IO_SELECTORS_HAS_IO_URING
Factory MakeIoUringSelector;
constexpr Backend kIoUring = {"io_uring", MakeIoUringSelector,
                              "seccomp, kernel.io_uring_disabled, or Linux before 5.13", false};
#else
constexpr Backend kIoUring = {"io_uring", nullptr,
                              "Linux only, and built where <linux/io_uring.h> is", false};
#endif

// libkqueue is an emulation; a program gets it only by asking for it by name.
#if defined(IO_SELECTORS_LIBKQUEUE) || (!defined(__linux__) && __has_include(<sys/event.h>))
Factory MakeKqueueSelector;
#ifdef IO_SELECTORS_LIBKQUEUE
constexpr bool kKqueueIsNative = false;
#else
constexpr bool kKqueueIsNative = true;
#endif
constexpr Backend kKqueue = {"kqueue", MakeKqueueSelector, "", kKqueueIsNative};
#else
constexpr Backend kKqueue = {"kqueue", nullptr,
                             "macOS and the BSDs; elsewhere build with IO_SELECTORS_KQUEUE_PREFIX "
                             "naming an installed libkqueue",
                             false};
#endif

const std::vector<Backend>& Backends() {
  static const std::vector<Backend> backends = [] {
    std::vector<Backend> rows = {
        {"epoll", kEpoll, "Linux only", true},
        {"poll", MakePollSelector, "", true},
        {"select", MakeSelectSelector, "", true},
        kIoUring,
    };
    rows.insert(kKqueue.by_default ? rows.begin() : rows.end(), kKqueue);
    return rows;
  }();
  return backends;
}

const Backend* FindBackend(std::string_view name) {
  for (const Backend& backend : Backends()) {
    if (backend.name == name && backend.make != nullptr) return &backend;
  }
  return nullptr;
}

}  // namespace io_selectors
