// What several threads may touch at once: a Waker while another thread waits, or closes it; the
// stop signal; selectors that share descriptors. ThreadSanitizer is the judge.

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "addon/waker.h"
#include "core/stop_signal.h"
#include "native/fixtures.h"
#include "net/descriptor.h"
#include "net/event_source.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

constexpr int kThreads = 4;

std::vector<std::thread> StartThreads(const std::function<void(int)>& run) {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([&run, i] { run(i); });
  return threads;
}

void JoinAll(std::vector<std::thread>& threads) {
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

BACKEND_TEST(WakesStickAndCoalesce) {
  const auto selector = MakeSelector(backend);
  const std::shared_ptr<Waker> waker = Must(Waker::Open());
  CHECK(selector->SetWakeFd(waker->fd()).ok());
  for (int i = 0; i < 1000; ++i) waker->Wake();
  Ready ready = Wait(*selector, kForever);
  CHECK(ready.woken && ready.events.empty());
  waker->Drain();
  CHECK(!Wait(*selector, kMomentNs).woken);
  const DescriptorPair pair = StreamPair();
  CHECK(selector->Register(pair.first.get(), kRead).ok());
  Put(pair.second);
  waker->Wake();
  ready = Wait(*selector, kForever);
  if (!ready.woken) ready.woken = Wait(*selector, kForever).woken;
  CHECK(ready.woken);
}

BACKEND_TEST(WakesFromThreadsEndEveryWait) {
  constexpr int kWakes = 200;
  const auto selector = MakeSelector(backend);
  const std::shared_ptr<Waker> waker = Must(Waker::Open());
  CHECK(selector->SetWakeFd(waker->fd()).ok());
  std::atomic<int> taken{0};
  std::atomic<int> sent{0};
  const std::function<void(int)> run = [&](int) {
    const std::shared_ptr<Waker> found = Waker::Find(waker->handle());
    for (int i = 0; i < kWakes; ++i) {
      const int before = taken;
      ++sent;
      found->Wake();
      // Not before the waiter has seen this one, or a later one.
      while (taken == before) std::this_thread::yield();
    }
  };
  std::vector<std::thread> threads = StartThreads(run);
  while (sent < kThreads * kWakes) {
    const Ready ready = Wait(*selector, kPatienceNs);
    CHECK(ready.woken);
    if (!ready.woken) break;
    waker->Drain();
    ++taken;
  }
  // The last ones may wait for one more.
  std::atomic<bool> joined{false};
  std::thread pulse([&] {
    while (!joined) {
      ++taken;
      std::this_thread::yield();
    }
  });
  JoinAll(threads);
  joined = true;
  pulse.join();
}

TEST(WakesRaceWithClose) {
  for (int round = 0; round < 50; ++round) {
    std::shared_ptr<Waker> waker = Must(Waker::Open());
    const int32_t handle = waker->handle();
    std::atomic<int> running{0};
    const std::function<void(int)> run = [&](int) {
      ++running;
      for (;;) {
        const std::shared_ptr<Waker> found = Waker::Find(handle);
        if (found == nullptr) return;
        found->Wake();
      }
    };
    std::vector<std::thread> threads = StartThreads(run);
    while (running < kThreads) std::this_thread::yield();
    waker->Close();
    // Takes the number that is free now, and must not be written to.
    const DescriptorPair pipe = Must(MakePipe());
    waker.reset();
    JoinAll(threads);
    char byte;
    CHECK_EQ(Read(pipe.first.get(), &byte, 1), -EAGAIN);
    CHECK(Waker::Find(handle) == nullptr);
  }
}

TEST(WakersHaveHandlesOfTheirOwn) {
  std::atomic<int> distinct{0};
  const std::function<void(int)> run = [&](int) {
    for (int i = 0; i < 100; ++i) {
      const std::shared_ptr<Waker> one = Must(Waker::Open());
      const std::shared_ptr<Waker> other = Must(Waker::Open());
      if (one->handle() != other->handle() && Waker::Find(one->handle()) == one) ++distinct;
    }
  };
  std::vector<std::thread> threads = StartThreads(run);
  JoinAll(threads);
  CHECK_EQ(distinct.load(), kThreads * 100);
  CHECK(Waker::Find(-1) == nullptr);
}

BACKEND_TEST(StopSignalEndsAWaitOfAnotherThread) {
  const StopSignal stop = Must(StopSignal::Install());
  const auto selector = MakeSelector(backend);
  CHECK(selector->Register(stop.fd(), kRead).ok());
  std::thread killer([] { CHECK_EQ(kill(getpid(), SIGTERM), 0); });
  Ready ready = Wait(*selector, kPatienceNs);
  killer.join();
  CHECK_EQ(ready.Of(stop.fd()), kRead);
  CHECK(StopSignal::Raised());
  CHECK_EQ(Wait(*selector, kPatienceNs).Of(stop.fd()), kRead);
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
}

BACKEND_TEST(OneSelectorAThreadOverTheSameListener) {
  constexpr int kConnections = 40;
  const OwnedFd listener = Must(ListenTcp(ListenOptions{}));
  const std::shared_ptr<Waker> stop = Must(Waker::Open());
  std::atomic<int> accepted{0};
  const std::function<void(int)> run = [&](int) {
    const auto selector = MakeSelector(backend);
    CHECK(selector->SetWakeFd(stop->fd()).ok());
    CHECK(selector->Register(listener.get(), kRead).ok());
    while (!Wait(*selector, kPatienceNs).woken) {
      const OwnedFd fd(Accept(listener.get()));
      if (fd.valid()) ++accepted;
    }
  };
  std::vector<std::thread> threads = StartThreads(run);
  ConnectOptions options;
  options.port = Must(LocalPort(listener.get()));
  for (int i = 0; i < kConnections; ++i) {
    const OwnedFd client = Must(ConnectTcp(options));
    CHECK(SeesTheEnd(client.get()));
  }
  stop->Wake();  // left in it, so that each of them sees it
  JoinAll(threads);
  CHECK_EQ(accepted.load(), kConnections);
}

}  // namespace io_selectors
