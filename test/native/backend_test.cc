// One contract, every backend: what each must do with plain, level-triggered registrations.
// Modes are in backend_modes_test.cc, descriptors that were closed in backend_closed_test.cc.

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <csignal>
#include <limits>
#include <set>
#include <thread>

#include "native/fixtures.h"
#include "net/descriptor.h"

namespace io_selectors {

namespace {

/** CPU time of this thread, ns: whether a wait slept. */
int64_t ThreadCpuNs() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * kNsPerSecond + time.tv_nsec;
}

/** Many connected pairs, as far as descriptors and this backend's largest one go. */
std::vector<DescriptorPair> ManyPairs(size_t wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  std::vector<DescriptorPair> pairs;
  while (pairs.size() < wanted && (pairs.size() + 50) * 2 < limit.rlim_cur) {
    pairs.push_back(StreamPair());
  }
  return pairs;
}

}  // namespace

BACKEND_TEST(ReportsWhatIsReady) {
  const auto selector = MakeSelector(backend);
  const DescriptorPair pair = StreamPair();
  const int fd = pair.first.get();
  const int32_t generation = Must(selector->Register(fd, kRead | kWrite));
  Ready ready = Wait(*selector, kPatienceNs);
  CHECK_EQ(ready.events.size(), size_t{1});
  CHECK_EQ(ready.Of(fd), kWrite);
  CHECK_EQ(ready.Find(fd)->generation, generation);
  CHECK_EQ(ready.FlagsOf(fd), 0);
  Put(pair.second);
  CHECK_EQ(Wait(*selector).Of(fd), kRead | kWrite);
  CHECK(selector->Modify(fd, kRead).ok());
  ready = Wait(*selector);
  CHECK_EQ(ready.Of(fd), kRead);
  CHECK_EQ(ready.Find(fd)->generation, selector->Generation(fd));
  CHECK_EQ(TakeAll(fd), size_t{1});
  CHECK(Wait(*selector, kMomentNs).events.empty());
  CHECK(selector->Modify(fd, kWrite).ok());
  CHECK_EQ(Wait(*selector).Of(fd), kWrite);
  CHECK(selector->Unregister(fd).ok());
  CHECK(Wait(*selector, kMomentNs).events.empty());
}

BACKEND_TEST(LevelComesAgainUntilTaken) {
  const auto selector = MakeSelector(backend);
  const DescriptorPair pair = TcpPair();
  const int fd = pair.first.get();
  CHECK(selector->Register(fd, kRead).ok());
  CHECK(Wait(*selector).events.empty());
  for (int round = 0; round < 3; ++round) {
    Put(pair.second);
    for (int i = 0; i < 3; ++i) CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kRead);
    CHECK_EQ(TakeAll(fd), size_t{1});
    CHECK(Wait(*selector).events.empty());
  }
  // Taken before the wait: what the kernel had noted by then is outdated.
  Put(pair.second);
  CHECK(AwaitReadable(fd));
  CHECK_EQ(TakeAll(fd), size_t{1});
  CHECK(Wait(*selector).events.empty());
}

BACKEND_TEST(RefusesAsTheBaseSays) {
  const auto selector = MakeSelector(backend);
  const DescriptorPair pair = StreamPair();
  const int fd = pair.first.get();
  CHECK(selector->Register(fd, kRead).ok());
  CHECK_EQ(ErrorOf(selector->Register(fd, kRead)), EEXIST);
  CHECK_EQ(ErrorOf(selector->Modify(pair.second.get(), kRead)), ENOENT);
  CHECK_EQ(ErrorOf(selector->Unregister(pair.second.get())), ENOENT);
  CHECK_EQ(ErrorOf(selector->Register(pair.second.get(), 0)), EINVAL);
  CHECK_EQ(selector->size(), 1);
  CHECK(Wait(*selector).events.empty());
}

BACKEND_TEST(TimeoutsAreNeverEarly) {
  const auto selector = MakeSelector(backend);
  const DescriptorPair pair = StreamPair();
  for (const int registered : {0, 1}) {
    if (registered == 1) CHECK(selector->Register(pair.first.get(), kRead).ok());
    for (const int64_t ns : {1, 1000, 50'000, 200'000, 1'000'000, 1'500'000, 7'000'000}) {
      const int64_t begin = MonotonicNs();
      const Ready ready = Wait(*selector, ns);
      CHECK_EQ(ready.error, 0);
      CHECK(ready.events.empty());
      CHECK(MonotonicNs() - begin >= ns);
    }
  }
}

BACKEND_TEST(LongestTimeoutIsClamped) {
  const auto selector = MakeSelector(backend);
  const DescriptorPair pair = StreamPair();
  const int fd = pair.first.get();
  CHECK(selector->Register(fd, kRead).ok());
  for (const int64_t ns :
       {int64_t{1'000'000'000'000'000'000}, std::numeric_limits<int64_t>::max()}) {
    std::thread writer([&pair] {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      Put(pair.second);
    });
    const Ready ready = Wait(*selector, ns);
    writer.join();
    CHECK_EQ(ready.error, 0);
    CHECK_EQ(ready.Of(fd), kRead);
    CHECK_EQ(TakeAll(fd), size_t{1});
  }
}

BACKEND_TEST(SignalEndsAWait) {
  const auto selector = MakeSelector(backend);
  const DescriptorPair pair = StreamPair();
  CHECK(selector->Register(pair.first.get(), kRead).ok());
  struct sigaction before = {};
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  CHECK_EQ(sigaction(SIGALRM, &action, &before), 0);
  constexpr itimerval kTicks{{0, 5000}, {0, 5000}};
  CHECK_EQ(setitimer(ITIMER_REAL, &kTicks, nullptr), 0);
  for (int i = 0; i < 3; ++i) CHECK_EQ(WaitOnce(*selector, kForever).error, EINTR);
  constexpr itimerval kOff{};
  CHECK_EQ(setitimer(ITIMER_REAL, &kOff, nullptr), 0);
  CHECK_EQ(sigaction(SIGALRM, &before, nullptr), 0);
  Put(pair.second);
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(pair.first.get()), kRead);
}

BACKEND_TEST(SignalEndsTheFirstWaitForADescriptor) {
  const auto selector = MakeSelector(backend);
  const DescriptorPair pair = StreamPair();
  struct sigaction before = {};
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  CHECK_EQ(sigaction(SIGALRM, &action, &before), 0);
  bool ended = false;
  for (int i = 0; i < 10 && !ended; ++i) {  // on a busy machine the signal may come before the wait
    CHECK(selector->Register(pair.first.get(), kRead).ok());
    constexpr itimerval kOnce{{0, 0}, {0, 5000}};
    CHECK_EQ(setitimer(ITIMER_REAL, &kOnce, nullptr), 0);
    ended = WaitOnce(*selector, 100 * kNsPerMs).error == EINTR;
    CHECK(selector->Unregister(pair.first.get()).ok());
  }
  CHECK(ended);
  CHECK_EQ(sigaction(SIGALRM, &before, nullptr), 0);
}

BACKEND_TEST(HangUpComesWithItsFlags) {
  const auto selector = MakeSelector(backend);
  DescriptorPair pair = StreamPair();
  const int fd = pair.first.get();
  const bool tells = std::string(backend.name) != "select";
  CHECK(selector->Register(fd, kRead).ok());
  CHECK(Wait(*selector).events.empty());
  CHECK_EQ(shutdown(pair.second.get(), SHUT_WR), 0);
  Ready ready = Wait(*selector, kPatienceNs);
  CHECK_EQ(ready.Of(fd), kRead);
  CHECK(!tells || (ready.FlagsOf(fd) & kFlagReadClosed) != 0);
  pair.second.Reset();
  ready = Wait(*selector, kPatienceNs);
  CHECK_EQ(ready.Of(fd), kRead);
  CHECK(!tells || (ready.FlagsOf(fd) & (kFlagHangup | kFlagReadClosed)) != 0);
  CHECK(selector->Modify(fd, kRead | kWrite).ok());
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kRead | kWrite);
}

BACKEND_TEST(PipesTellOfTheirOtherEnd) {
  const auto selector = MakeSelector(backend);
  DescriptorPair pipe = Must(MakePipe());
  DescriptorPair other = Must(MakePipe());
  CHECK(selector->Register(pipe.first.get(), kRead).ok());
  CHECK(selector->Register(other.second.get(), kWrite).ok());
  CHECK_EQ(Wait(*selector).Of(other.second.get()), kWrite);
  FillUp(other.second.get());
  CHECK(Wait(*selector).events.empty());
  pipe.second.Reset();
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(pipe.first.get()), kRead);
  CHECK(selector->Unregister(pipe.first.get()).ok());
  other.first.Reset();
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(other.second.get()), kWrite);
}

BACKEND_TEST(HalfClosedAndFullDoesNotSpin) {
  const auto selector = MakeSelector(backend);
  const DescriptorPair pair = TcpPair();
  const int fd = pair.first.get();
  FillUp(fd);
  CHECK_EQ(shutdown(pair.second.get(), SHUT_WR), 0);
  CHECK(AwaitReadable(fd));
  CHECK(selector->Register(fd, kWrite).ok());
  CHECK(Wait(*selector).events.empty());
  constexpr int64_t kWhileNs = 100 * kNsPerMs;
  const int64_t begin = MonotonicNs();
  const int64_t cpu = ThreadCpuNs();
  CHECK(Wait(*selector, kWhileNs).events.empty());
  CHECK(MonotonicNs() - begin >= kWhileNs);
  CHECK(ThreadCpuNs() - cpu < kWhileNs / 2);
  Ready ready;
  for (int i = 0; i < 100'000 && ready.events.empty(); ++i) {
    (void)TakeAll(pair.second.get());
    ready = Wait(*selector, kNsPerMs);
  }
  CHECK_EQ(ready.Of(fd), kWrite);
}

BACKEND_TEST(NothingStarves) {
  const auto selector = MakeSelector(backend);
  const std::vector<DescriptorPair> pairs = ManyPairs(300);
  for (const DescriptorPair& pair : pairs) {
    CHECK(selector->Register(pair.first.get(), kRead).ok());
    Put(pair.second);
  }
  std::set<int> seen;
  for (int wait = 0; wait < 60 && seen.size() < pairs.size(); ++wait) {
    const Ready ready = Wait(*selector, 0, 16);
    CHECK(ready.events.size() <= 16);
    for (const ReadyEvent& event : ready.events) seen.insert(event.fd);
  }
  CHECK_EQ(seen.size(), pairs.size());
}

BACKEND_TEST(ManyAtOnceComeOnceEach) {
  const auto selector = MakeSelector(backend);
  const std::vector<DescriptorPair> pairs = ManyPairs(1500);
  for (const DescriptorPair& pair : pairs) CHECK(selector->Register(pair.first.get(), kRead).ok());
  CHECK_EQ(selector->size(), static_cast<int>(pairs.size()));
  CHECK(Wait(*selector).events.empty());
  for (const DescriptorPair& pair : pairs) Put(pair.second);
  std::set<int> seen;
  for (int wait = 0; wait < 100 && seen.size() < pairs.size(); ++wait) {
    for (const ReadyEvent& event : Wait(*selector, kPatienceNs).events) {
      CHECK(seen.insert(event.fd).second);
      CHECK_EQ(event.generation, selector->Generation(event.fd));
      CHECK_EQ(TakeAll(event.fd), size_t{1});
    }
  }
  CHECK_EQ(seen.size(), pairs.size());
  CHECK(Wait(*selector).events.empty());
  for (size_t i = 0; i < pairs.size(); i += 2) {
    CHECK(selector->Unregister(pairs[i].first.get()).ok());
  }
  for (const DescriptorPair& pair : pairs) Put(pair.second);
  const Ready ready = Wait(*selector, kPatienceNs);
  CHECK(!ready.events.empty());
  for (const ReadyEvent& event : ready.events) CHECK(selector->Generation(event.fd) != 0);
}

BACKEND_TEST(RegularFilesAsTheCapabilitySays) {
  const auto selector = MakeSelector(backend);
  const OwnedFd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return;  // no /proc
  const Result<int32_t> registered = selector->Register(file.get(), kRead);
  CHECK_EQ(registered.ok(), selector->capabilities().regular_files);
  CHECK_EQ(ErrorOf(registered), registered.ok() ? 0 : EPERM);
  CHECK_EQ(Wait(*selector).Of(file.get()), registered.ok() ? kRead : 0);
}

BACKEND_TEST(FilenoTellsOfReadiness) {
  const auto selector = MakeSelector(backend);
  if (selector->fileno() < 0) return;
  const DescriptorPair pair = StreamPair();
  CHECK(selector->Register(pair.first.get(), kRead).ok());
  pollfd watched{selector->fileno(), POLLIN, 0};
  selector->PrepareToBeWatched();
  CHECK_EQ(poll(&watched, 1, 2), 0);
  for (int round = 0; round < 3; ++round) {
    Put(pair.second);
    CHECK(AwaitReadable(selector->fileno()));
    CHECK_EQ(Wait(*selector).Of(pair.first.get()), kRead);
    selector->PrepareToBeWatched();  // not taken: it still is
    CHECK(AwaitReadable(selector->fileno()));
    CHECK_EQ(TakeAll(pair.first.get()), size_t{1});
    CHECK(Wait(*selector).events.empty());
    selector->PrepareToBeWatched();
    CHECK_EQ(poll(&watched, 1, 2), 0);
  }
}

}  // namespace io_selectors
