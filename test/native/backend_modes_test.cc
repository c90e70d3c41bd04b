// Every backend that has them: edge, oneshot, exclusive and priority; the others refuse.

#include <fcntl.h>
#include <sys/socket.h>

#include <atomic>
#include <set>
#include <thread>

#include "native/fixtures.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

constexpr RegisterOptions kEdge{Mode::kEdge, false, false};
constexpr RegisterOptions kOneshot{Mode::kOneshot, false, false};
constexpr RegisterOptions kExclusive{Mode::kLevel, true, false};
constexpr RegisterOptions kPriority{Mode::kLevel, false, true};

}  // namespace

BACKEND_TEST(RefusesModesThatItLacks) {
  const auto selector = MakeSelector(backend);
  const DescriptorPair pair = StreamPair();
  const Capabilities& has = selector->capabilities();
  const std::pair<bool, RegisterOptions> rows[] = {{has.edge, kEdge},
                                                   {has.oneshot, kOneshot},
                                                   {has.exclusive, kExclusive},
                                                   {has.priority, kPriority}};
  for (const auto& [possible, options] : rows) {
    const Result<int32_t> registered = selector->Register(pair.first.get(), kRead, options);
    CHECK_EQ(ErrorOf(registered), possible ? 0 : EINVAL);
    if (registered.ok()) CHECK(selector->Unregister(pair.first.get()).ok());
    CHECK_EQ(selector->size(), 0);
  }
}

BACKEND_TEST(EdgeComesOnceAChange) {
  const auto selector = MakeSelector(backend);
  if (!selector->capabilities().edge) return;
  DescriptorPair pair = StreamPair();
  const int fd = pair.first.get();
  Put(pair.second);
  CHECK(selector->Register(fd, kRead, kEdge).ok());
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kRead);
  CHECK(Wait(*selector, kMomentNs).events.empty());
  for (int round = 0; round < 3; ++round) {
    Put(pair.second);
    CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kRead);
    CHECK(Wait(*selector, kMomentNs).events.empty());
  }
  CHECK(selector->Modify(fd, kRead | kWrite).ok());
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kRead | kWrite);
  CHECK(Wait(*selector, kMomentNs).events.empty());
  pair.second.Reset();
  CHECK((Wait(*selector, kPatienceNs).Of(fd) & kRead) != 0);
  CHECK(selector->Unregister(fd).ok());
}

BACKEND_TEST(EdgesOutlastASmallRing) {
  const auto selector = MakeSelector(backend);
  if (!selector->capabilities().edge) return;
  std::vector<DescriptorPair> pairs;
  for (int i = 0; i < 300; ++i) {
    pairs.push_back(StreamPair());
    CHECK(selector->Register(pairs.back().first.get(), kRead, kEdge).ok());
  }
  CHECK(Wait(*selector).events.empty());
  for (const DescriptorPair& pair : pairs) Put(pair.second);
  std::set<int> seen;
  for (int wait = 0; wait < 100 && seen.size() < pairs.size(); ++wait) {
    for (const ReadyEvent& event : Wait(*selector, kMomentNs, 7).events) {
      CHECK(seen.insert(event.fd).second);
    }
  }
  CHECK_EQ(seen.size(), pairs.size());
  CHECK(Wait(*selector, kMomentNs).events.empty());
}

BACKEND_TEST(EdgesOfWhatWasUnregisteredAreGone) {
  const auto selector = MakeSelector(backend);
  if (!selector->capabilities().edge) return;
  std::vector<DescriptorPair> pairs;
  for (int i = 0; i < 20; ++i) {
    pairs.push_back(StreamPair());
    CHECK(selector->Register(pairs.back().first.get(), kRead, kEdge).ok());
    Put(pairs.back().second);
  }
  CHECK_EQ(Wait(*selector, kPatienceNs, 1).events.size(), size_t{1});
  for (DescriptorPair& pair : pairs) {
    CHECK(selector->Unregister(pair.first.get()).ok());
    pair.first.Reset();
  }
  CHECK(Wait(*selector, kMomentNs).events.empty());
}

BACKEND_TEST(OneshotComesOnceUntilModified) {
  const auto selector = MakeSelector(backend);
  if (!selector->capabilities().oneshot) return;
  const DescriptorPair pair = StreamPair();
  const int fd = pair.first.get();
  CHECK(selector->Register(fd, kRead | kWrite, kOneshot).ok());
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kWrite);
  Put(pair.second);
  CHECK(AwaitReadable(fd));
  CHECK(Wait(*selector, kMomentNs).events.empty());
  CHECK(selector->Modify(fd, kRead | kWrite).ok());
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kRead | kWrite);
  CHECK(Wait(*selector, kMomentNs).events.empty());
  CHECK(selector->Modify(fd, kRead).ok());
  CHECK_EQ(TakeAll(fd), size_t{1});
  CHECK(Wait(*selector, kMomentNs).events.empty());
  Put(pair.second);
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kRead);
  CHECK(Wait(*selector, kMomentNs).events.empty());
  CHECK(selector->Unregister(fd).ok());
  CHECK(selector->Register(fd, kRead).ok());
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kRead);
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kRead);
}

// Stale hits of a closed descriptor rebuild the epoll set, with all its registrations.
BACKEND_TEST(ModesOutlastStaleHits) {
  const auto selector = MakeSelector(backend);
  if (!selector->capabilities().oneshot) return;
  DescriptorPair stale = StreamPair();
  CHECK(selector->Register(stale.first.get(), kRead).ok());
  const OwnedFd duplicate(fcntl(stale.first.get(), F_DUPFD_CLOEXEC, 0));
  const int number = stale.first.get();
  stale.first.Reset();
  CHECK(selector->Unregister(number).ok());
  const DescriptorPair spent = StreamPair();
  const DescriptorPair waiting = StreamPair();
  Put(spent.second);
  CHECK(selector->Register(spent.first.get(), kRead, kOneshot).ok());
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(spent.first.get()), kRead);
  CHECK(selector->Register(waiting.first.get(), kRead, kOneshot).ok());
  Put(stale.second);
  for (int i = 0; i < 200; ++i) CHECK(Wait(*selector).events.empty());
  Put(waiting.second);
  const Ready ready = Wait(*selector, kPatienceNs);
  CHECK_EQ(ready.events.size(), size_t{1});
  CHECK_EQ(ready.Of(waiting.first.get()), kRead);
  CHECK(Wait(*selector, kMomentNs).events.empty());
  CHECK(selector->Modify(spent.first.get(), kRead).ok());
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(spent.first.get()), kRead);
}

BACKEND_TEST(PriorityTellsUrgentDataFromPlain) {
  const auto selector = MakeSelector(backend);
  if (!selector->capabilities().priority) return;
  const DescriptorPair pair = TcpPair();
  const int fd = pair.first.get();
  CHECK(selector->Register(fd, kRead, kPriority).ok());
  CHECK(Wait(*selector).events.empty());
  Put(pair.second);
  CHECK_EQ(Wait(*selector, kPatienceNs).FlagsOf(fd), 0);
  CHECK_EQ(TakeAll(fd), size_t{1});
  CHECK(Wait(*selector).events.empty());
  CHECK_EQ(send(pair.second.get(), "!", 1, MSG_OOB), 1);
  for (int i = 0; i < 2; ++i) {
    const Ready ready = Wait(*selector, kPatienceNs);
    CHECK_EQ(ready.Of(fd), kRead);
    CHECK_EQ(ready.FlagsOf(fd), kFlagPriority);
  }
  char byte;
  CHECK_EQ(recv(fd, &byte, 1, MSG_OOB), 1);
  CHECK(Wait(*selector).events.empty());
}

namespace {

constexpr int kWaiters = 4;

/** How many of the waiters one connection wakes. */
int WokenByOneConnection(const Backend& backend) {
  const OwnedFd listener = Must(ListenTcp(ListenOptions{}));
  std::atomic<int> waiting{0};
  std::atomic<int> woken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kWaiters; ++i) {
    threads.emplace_back([&] {
      const auto selector = MakeSelector(backend);
      CHECK(selector->Register(listener.get(), kRead, kExclusive).ok());
      CHECK(Wait(*selector).events.empty());
      ++waiting;
      if (!Wait(*selector, 200 * kNsPerMs).events.empty()) ++woken;
      const OwnedFd accepted(Accept(listener.get()));
    });
  }
  while (waiting < kWaiters) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ConnectOptions options;
  options.port = Must(LocalPort(listener.get()));
  const OwnedFd client = Must(ConnectTcp(options));
  for (std::thread& thread : threads) thread.join();
  return woken;
}

}  // namespace

BACKEND_TEST(ExclusiveWakesNoThunderingHerd) {
  if (!MakeSelector(backend)->capabilities().exclusive) return;
  // All of them where a slow machine let the first wait end before the others had begun: once.
  int woken = kWaiters;
  for (int round = 0; woken == kWaiters && round < 20; ++round) {
    woken = WokenByOneConnection(backend);
    CHECK(woken >= 1);
  }
  CHECK(woken < kWaiters);
}

// epoll_ctl(2) modifies no exclusive entry: it has to be taken out and put in.
BACKEND_TEST(ExclusiveIsModified) {
  const auto selector = MakeSelector(backend);
  if (!selector->capabilities().exclusive) return;
  const DescriptorPair pair = StreamPair();
  const int fd = pair.first.get();
  CHECK(selector->Register(fd, kRead, kExclusive).ok());
  CHECK(selector->Modify(fd, kWrite).ok());
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kWrite);
  CHECK(selector->Modify(fd, kRead).ok());
  CHECK(Wait(*selector, kMomentNs).events.empty());
  Put(pair.second);
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(fd), kRead);
}

}  // namespace io_selectors
