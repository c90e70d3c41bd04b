// Every backend and descriptors that end while they are registered: closed, reused, alive in a dup,
// shared with a child. Number 4, 5, 8 and 10 of what each backend must do.

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native/fixtures.h"
#include "net/descriptor.h"

namespace io_selectors {

namespace {

/** Makes `number`, which is closed, name what `fd` names. */
OwnedFd Reuse(int number, int fd) {
  OwnedFd reused(fcntl(fd, F_DUPFD_CLOEXEC, number));
  CHECK_EQ(reused.get(), number);
  return reused;
}

/** Long beside what a wait itself computes. */
constexpr int64_t kLongMomentNs = 100 * kNsPerMs;

/** The reading end first. */
DescriptorPair PipePair() { return Must(MakePipe()); }

int64_t ThreadCpuNs() {
  timespec time{};
  CHECK_EQ(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time), 0);
  return static_cast<int64_t>(time.tv_sec) * kNsPerSecond + time.tv_nsec;
}

/** How often a descriptor was reported in a few short waits, which must not fail. */
int CountReports(Selector& selector, int fd) {
  int reports = 0;
  for (int i = 0; i < 5; ++i) {
    const Ready ready = Wait(selector, kMomentNs);
    CHECK_EQ(ready.error, 0);
    if (ready.Find(fd) != nullptr) ++reports;
  }
  return reports;
}

}  // namespace

BACKEND_TEST(ClosedWhileRegistered) {
  const auto selector = MakeSelector(backend);
  DescriptorPair pair = StreamPair();
  const DescriptorPair other = StreamPair();
  const int fd = pair.first.get();
  CHECK(selector->Register(fd, kRead).ok());
  CHECK(selector->Register(other.first.get(), kRead).ok());
  CHECK(Wait(*selector).events.empty());
  pair.first.Reset();
  CHECK(CountReports(*selector, fd) <= 1);
  Put(other.second);
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(other.first.get()), kRead);
  CHECK(selector->Unregister(fd).ok());
  CHECK_EQ(selector->size(), 1);
  CHECK_EQ(Wait(*selector, kPatienceNs).events.size(), size_t{1});
}

BACKEND_TEST(ClosedAndReusedIsModified) {
  const auto selector = MakeSelector(backend);
  DescriptorPair pair = StreamPair();
  const DescriptorPair other = StreamPair();
  const int fd = pair.first.get();
  const int32_t generation = Must(selector->Register(fd, kRead));
  CHECK(Wait(*selector).events.empty());
  pair.first.Reset();
  const OwnedFd reused = Reuse(fd, other.first.get());
  CHECK(selector->Modify(fd, kRead).ok());
  CHECK(selector->Generation(fd) != generation);
  CHECK(Wait(*selector, kMomentNs).events.empty());
  Put(other.second);
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kRead);
  CHECK(selector->Unregister(fd).ok());
}

BACKEND_TEST(ClosedAndReusedIsRegisteredAnew) {
  const auto selector = MakeSelector(backend);
  DescriptorPair pair = StreamPair();
  const DescriptorPair other = StreamPair();
  const int fd = pair.first.get();
  const int32_t first = Must(selector->Register(fd, kRead | kWrite));
  pair.first.Reset();
  const OwnedFd reused = Reuse(fd, other.first.get());
  CHECK(selector->Unregister(fd).ok());
  const int32_t second = Must(selector->Register(fd, kRead));
  CHECK(second != first);
  Put(other.second);
  const Ready ready = Wait(*selector, kPatienceNs);
  CHECK_EQ(ready.Of(fd), kRead);
  CHECK_EQ(ready.events.size(), size_t{1});
  CHECK_EQ(ready.Find(fd)->generation, second);
}

BACKEND_TEST(ClosedAndReusedForTheSameFileIsRegisteredAnew) {
  const auto selector = MakeSelector(backend);
  for (const int32_t interest : {kRead, kWrite, kRead | kWrite}) {
    DescriptorPair pair = StreamPair();
    const int fd = pair.first.get();
    CHECK(selector->Register(fd, interest).ok());
    const OwnedFd duplicate = Must(Duplicate(fd));
    pair.first.Reset();
    CHECK(selector->Unregister(fd).ok());
    const OwnedFd reused = Reuse(fd, duplicate.get());
    const Result<int32_t> registered = selector->Register(fd, kRead);
    CHECK_EQ(ErrorOf(registered), 0);
    CHECK(Wait(*selector, kMomentNs).events.empty());
    Put(pair.second);
    CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kRead);
    CHECK_EQ(CountReports(*selector, fd), 5);
    CHECK(selector->Unregister(fd).ok());
  }
}

BACKEND_TEST(ClosedAliveInADupIsNobodys) {
  const auto selector = MakeSelector(backend);
  DescriptorPair pair = StreamPair();
  const DescriptorPair other = StreamPair();
  const int fd = pair.first.get();
  CHECK(selector->Register(fd, kRead).ok());
  CHECK(selector->Register(other.first.get(), kRead).ok());
  const OwnedFd duplicate = Must(Duplicate(fd));
  pair.first.Reset();
  CHECK(selector->Unregister(fd).ok());
  Put(pair.second);
  // More often than it takes until a set is rebuilt.
  for (int i = 0; i < 200; ++i) CHECK(Wait(*selector).events.empty());
  const int64_t begin = MonotonicNs();
  CHECK(Wait(*selector, kMomentNs).events.empty());
  CHECK(MonotonicNs() - begin >= kMomentNs);
  Put(other.second);
  const Ready ready = Wait(*selector, kPatienceNs);
  CHECK_EQ(ready.events.size(), size_t{1});
  CHECK_EQ(ready.Of(other.first.get()), kRead);
}

// A wait that the kernel ends again and again for a descriptor that is gone would use the whole
// time.
BACKEND_TEST(ClosedAliveInADupKeepsNoWaitBusy) {
  for (const bool unregistered : {true, false}) {
    for (const auto& make : {StreamPair, TcpPair, PipePair}) {
      const auto selector = MakeSelector(backend);
      DescriptorPair pair = make();
      const int fd = pair.first.get();
      CHECK(selector->Register(fd, kRead).ok());
      const OwnedFd duplicate = Must(Duplicate(fd));
      pair.first.Reset();
      if (unregistered) CHECK(selector->Unregister(fd).ok());
      Put(pair.second);
      pair.second.Reset();
      CHECK(AwaitReadable(duplicate.get()));
      for (int i = 0; i < 100; ++i) CHECK_EQ(Wait(*selector).error, 0);
      const int64_t before_ns = ThreadCpuNs();
      const Ready ready = Wait(*selector, kLongMomentNs);
      CHECK_EQ(ready.error, 0);
      CHECK(ThreadCpuNs() - before_ns < kLongMomentNs / 2);
    }
  }
}

BACKEND_TEST(NumberReusedInABatchHasAnotherGeneration) {
  const auto selector = MakeSelector(backend);
  DescriptorPair pairs[2] = {StreamPair(), StreamPair()};
  const DescriptorPair other = StreamPair();
  for (const DescriptorPair& pair : pairs) {
    CHECK(selector->Register(pair.first.get(), kRead).ok());
    Put(pair.second);
  }
  const Ready ready = Wait(*selector, kPatienceNs);
  CHECK_EQ(ready.events.size(), size_t{2});
  const ReadyEvent& second = ready.events[1];
  OwnedFd& closed = pairs[0].first.get() == second.fd ? pairs[0].first : pairs[1].first;
  CHECK_EQ(second.generation, selector->Generation(second.fd));
  CHECK(selector->Unregister(second.fd).ok());
  CHECK(second.generation != selector->Generation(second.fd));
  closed.Reset();
  const OwnedFd reused = Reuse(second.fd, other.first.get());
  CHECK(selector->Register(second.fd, kRead).ok());
  CHECK(second.generation != selector->Generation(second.fd));
}

BACKEND_TEST(HighNumberThatNobodyOpenedIsNotReady) {
  SelectorOptions options;
  options.fd_set_size = 65'536;
  const auto made = backend.make(options);
  if (!made.ok()) return;
  Selector& selector = *made.value();
  const DescriptorPair pair = StreamPair();
  CHECK(selector.Register(pair.first.get(), kRead).ok());
  const Result<int32_t> registered = selector.Register(50'000, kRead);
  if (!registered.ok()) {
    CHECK_EQ(ErrorOf(registered), EBADF);
    return;
  }
  Put(pair.second);
  CHECK((Wait(selector, kPatienceNs).FlagsOf(50'000) & kFlagError) != 0);
}

BACKEND_TEST(NumberThatNobodyOpenedIsRefusedOrReportedOnce) {
  const auto selector = MakeSelector(backend);
  OwnedFd placeholder = Must(Duplicate(StreamPair().first.get()));
  const int number = placeholder.get();
  placeholder.Reset();
  const Result<int32_t> registered = selector->Register(number, kRead);
  if (!registered.ok()) {
    CHECK_EQ(ErrorOf(registered), EBADF);
    CHECK_EQ(selector->size(), 0);
    return;
  }
  const Ready ready = Wait(*selector);
  CHECK_EQ(ready.Of(number), kRead);
  CHECK((ready.FlagsOf(number) & kFlagError) != 0);
  CHECK_EQ(CountReports(*selector, number), 0);
  CHECK(selector->Watched().empty());
}

BACKEND_TEST(PeerSeesTheCloseAtOnce) {
  const auto selector = MakeSelector(backend);
  for (int kind = 0; kind < 4; ++kind) {
    DescriptorPair pair = TcpPair();
    const int fd = pair.first.get();
    CHECK(selector->Register(fd, kRead).ok());
    CHECK(Wait(*selector).events.empty());
    if (kind == 1) CHECK(selector->Modify(fd, kRead | kWrite).ok());
    if (kind == 2) CHECK_EQ(Wait(*selector).events.size(), size_t{0});
    if (kind == 3) {
      selector->BeforeClose(fd);
    } else {
      CHECK(selector->Unregister(fd).ok());
    }
    pair.first.Reset();
    CHECK(SeesTheEnd(pair.second.get()));
    if (kind == 3) CHECK(selector->Unregister(fd).ok());
  }
}

BACKEND_TEST(PeersSeeTheCloseAfterTheSelectorEnded) {
  auto selector = MakeSelector(backend);
  std::vector<DescriptorPair> pairs;
  for (int i = 0; i < 10; ++i) {
    pairs.push_back(TcpPair());
    CHECK(selector->Register(pairs.back().first.get(), kRead | (i % 2 == 0 ? kWrite : 0)).ok());
  }
  CHECK_EQ(Wait(*selector).events.size(), size_t{5});
  selector.reset();
  for (DescriptorPair& pair : pairs) {
    pair.first.Reset();
    CHECK(SeesTheEnd(pair.second.get()));
  }
}

// An epoll set, a kqueue and a ring are the parent's after fork(2), too: what the child did to them
// would change what the parent waits for.
BACKEND_TEST(ChildCannotUseWhatItInherited) {
  auto selector = MakeSelector(backend);
  DescriptorPair pair = TcpPair();
  const int fd = pair.first.get();
  CHECK(selector->Register(fd, kRead).ok());
  CHECK(Wait(*selector).events.empty());
  const pid_t child = fork();
  if (child == 0) {
    const int looked = Wait(*selector).error;
    const bool changed = selector->Modify(fd, kRead | kWrite).ok();
    const bool removed = selector->Unregister(fd).ok();
    const int waited = Wait(*selector, kMomentNs).error;
    selector.reset();
    _exit(looked == EPERM && waited == EPERM && !changed && !removed ? 0 : 1);
  }
  int status = -1;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  Put(pair.second);
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kRead);
  CHECK(selector->Unregister(fd).ok());
  pair.first.Reset();
  CHECK(SeesTheEnd(pair.second.get()));
}

}  // namespace io_selectors
