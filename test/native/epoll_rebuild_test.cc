// epoll's set is rebuilt, and the kernel refuses an entry of the new one: nothing is lost.

#ifdef __linux__

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "native/fixtures.h"

namespace {

/** The next this many additions to a set succeed, and those after them fail; below 0: none fails.
 */
std::atomic<int> additions_left{-1};

}  // namespace

/** In place of libc's: what this process adds to a set can be refused as without memory. */
extern "C" int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  if (operation == EPOLL_CTL_ADD && additions_left >= 0 && additions_left-- == 0) {
    additions_left = 0;
    errno = ENOSPC;
    return -1;
  }
  return static_cast<int>(syscall(SYS_epoll_ctl, epoll, operation, fd, event));
}

namespace io_selectors {

TEST(EpollKeepsItsSetWhereItCannotBeMadeAnew) {
  const Backend* epoll = FindBackend("epoll");
  if (epoll == nullptr) return;
  const auto selector = MakeSelector(*epoll);
  DescriptorPair stale = StreamPair();
  CHECK(selector->Register(stale.first.get(), kRead).ok());
  const OwnedFd duplicate(fcntl(stale.first.get(), F_DUPFD_CLOEXEC, 0));
  const int number = stale.first.get();
  stale.first.Reset();
  CHECK(selector->Unregister(number).ok());
  std::vector<DescriptorPair> pairs;
  for (int i = 0; i < 5; ++i) {
    pairs.push_back(StreamPair());
    CHECK(selector->Register(pairs.back().first.get(), kRead).ok());
  }
  Put(stale.second);
  for (const int allowed : {0, 1, 3}) {
    additions_left = allowed;
    for (int i = 0; i < 100; ++i) CHECK(Wait(*selector).events.empty());
    additions_left = -1;
    for (const DescriptorPair& pair : pairs) {
      Put(pair.second);
      CHECK_EQ(Wait(*selector, kPatienceNs).Of(pair.first.get()), kRead);
      CHECK_EQ(TakeAll(pair.first.get()), size_t{1});
    }
  }
}

TEST(ErrorWithoutErrnoIsNoSuccess) {
  const Result<void> failed = Error{0, "call"};
  CHECK(!failed.ok());
  CHECK_EQ(failed.error().errno_value, EIO);
  const Result<int> value = 5;
  CHECK(value.ok());
  CHECK_EQ(value.error().errno_value, 0);
}

}  // namespace io_selectors

#endif  // __linux__
