// The Selector base over a backend that does as the test says: what is checked once, above all
// backends.

#include "core/selector.h"

#include <deque>
#include <string>

#include "native/fixtures.h"

namespace io_selectors {

namespace {

/** Reports what was scripted, a list of events per wait, and notes what it is asked for. */
class ScriptedSelector final : public Selector {
 public:
  explicit ScriptedSelector(Capabilities capabilities) : Selector(capabilities) {}

  struct Scripted {
    int fd;
    int32_t ready;
    int32_t flags = 0;
  };

  std::deque<std::vector<Scripted>> waits;
  std::vector<int64_t> timeouts;
  std::string calls;
  int next_error = 0;  // of the next Add, Change or Wait
  int disarmed = -1;

 private:
  Result<void> Add(int fd, const Registration& registration) override {
    return Note("+", fd, registration);
  }
  Result<void> Change(int fd, const Registration& before, const Registration& after) override {
    CHECK_EQ(before.generation, Generation(fd));
    CHECK(after.generation > before.generation);
    return Note("~", fd, after);
  }
  void Remove(int fd, const Registration& /*registration*/) override {
    calls += "-" + std::to_string(fd) + " ";
  }
  Result<void> Wait(Batch& batch, int64_t timeout_ns) override {
    timeouts.push_back(timeout_ns);
    if (next_error != 0) return Refusal();
    if (waits.empty()) return {};
    for (const Scripted& event : waits.front()) {
      if (!batch.full()) batch.Add(event.fd, Generation(event.fd), event.ready, event.flags);
    }
    waits.pop_front();
    return {};
  }
  bool IsArmed(int fd) const override { return fd != disarmed; }

  Result<void> Note(const char* verb, int fd, const Registration& registration) {
    calls += verb + std::to_string(fd) + ":" + std::to_string(registration.interest) + " ";
    if (next_error != 0) return Refusal();
    return {};
  }
  Error Refusal() { return Error{std::exchange(next_error, 0), "scripted"}; }
};

constexpr Capabilities kAll{true, true, true, true, true, -1, 1};

}  // namespace

TEST(SelectorRefusesWhatIsWrong) {
  Capabilities few;
  few.max_fd = 9;
  ScriptedSelector selector(few);
  CHECK_EQ(ErrorOf(selector.Register(-1, kRead)), EBADF);
  CHECK_EQ(ErrorOf(selector.Register(3, 0)), EINVAL);
  CHECK_EQ(ErrorOf(selector.Register(3, 4)), EINVAL);
  CHECK_EQ(ErrorOf(selector.Register(3, kRead | 8)), EINVAL);
  CHECK_EQ(ErrorOf(selector.Register(10, kRead)), EINVAL);
  RegisterOptions options[4];
  options[0].mode = Mode::kEdge;
  options[1].mode = Mode::kOneshot;
  options[2].exclusive = true;
  options[3].priority = true;
  for (const RegisterOptions& option : options) {
    CHECK_EQ(ErrorOf(selector.Register(3, kRead, option)), EINVAL);
  }
  CHECK_EQ(ErrorOf(selector.Modify(3, kRead)), ENOENT);
  CHECK_EQ(ErrorOf(selector.Modify(-3, kRead)), ENOENT);
  CHECK_EQ(ErrorOf(selector.Modify(1 << 30, kRead)), ENOENT);
  CHECK_EQ(ErrorOf(selector.Unregister(3)), ENOENT);
  CHECK_EQ(selector.Generation(1 << 30), 0);
  CHECK(selector.calls.empty());
  CHECK_EQ(selector.size(), 0);
}

TEST(SelectorKeepsRegistrations) {
  ScriptedSelector selector(kAll);
  const int32_t first = Must(selector.Register(3, kRead));
  CHECK_EQ(ErrorOf(selector.Register(3, kWrite)), EEXIST);
  CHECK(first > 0);
  CHECK_EQ(selector.Interest(3), kRead);
  CHECK_EQ(selector.Interest(4), 0);
  CHECK(selector.Modify(3, kRead | kWrite).ok());
  CHECK_EQ(ErrorOf(selector.Modify(3, 0)), EINVAL);
  const int32_t second = selector.Generation(3);
  CHECK(second != first && second > 0);
  CHECK_EQ(selector.Interest(3), kRead | kWrite);
  CHECK(selector.Unregister(3).ok());
  CHECK_EQ(selector.Generation(3), 0);
  CHECK(Must(selector.Register(3, kWrite)) > second);
  CHECK_EQ(selector.size(), 1);
  CHECK(selector.calls == "+3:1 ~3:3 -3 +3:2 ");
}

TEST(SelectorRollsBack) {
  ScriptedSelector selector(kAll);
  selector.next_error = EPERM;
  CHECK_EQ(ErrorOf(selector.Register(3, kRead)), EPERM);
  CHECK_EQ(selector.Interest(3), 0);
  CHECK_EQ(selector.size(), 0);
  CHECK(selector.Register(3, kRead).ok());
  selector.next_error = ENOSPC;
  CHECK_EQ(ErrorOf(selector.Modify(3, kWrite)), ENOSPC);
  CHECK_EQ(selector.Interest(3), 0);
  CHECK_EQ(selector.size(), 0);
  CHECK(selector.calls == "+3:1 +3:1 ~3:2 -3 ");
}

TEST(SelectorTakesNoTableForWhatNobodyOpened) {
  ScriptedSelector selector(kAll);
  CHECK_EQ(ErrorOf(selector.Register(std::numeric_limits<int>::max(), kRead)), EBADF);
  CHECK_EQ(selector.size(), 0);
}

TEST(SelectorReportsWhatWasAskedFor) {
  ScriptedSelector selector(kAll);
  const int32_t generation = Must(selector.Register(3, kRead));
  CHECK(selector.Register(4, kWrite).ok());
  selector.waits = {{{3, kRead | kWrite}, {4, kRead}},
                    {{4, 0, kFlagHangup}, {3, 0, kFlagError}},
                    {{3, 0, kFlagReadClosed}, {4, 0, kFlagReadClosed}},
                    {{3, 0, kFlagPriority}, {5, kRead}}};
  Ready ready = Wait(selector);
  CHECK_EQ(ready.events.size(), size_t{1});
  CHECK_EQ(ready.Of(3), kRead);
  CHECK_EQ(ready.events[0].generation, generation);
  ready = Wait(selector);
  CHECK_EQ(ready.Of(4), kWrite);
  CHECK_EQ(ready.FlagsOf(4), kFlagHangup);
  CHECK_EQ(ready.Of(3), kRead);
  CHECK_EQ(ready.FlagsOf(3), kFlagError);
  ready = Wait(selector);
  CHECK_EQ(ready.Of(3), kRead);
  CHECK(ready.Find(4) == nullptr);
  ready = Wait(selector);
  CHECK_EQ(ready.FlagsOf(3), kFlagPriority);
  CHECK(ready.Find(5) == nullptr);
}

TEST(SelectorFillsNoMoreThanTheRing) {
  ScriptedSelector selector(kAll);
  for (int fd = 3; fd < 20; ++fd) CHECK(selector.Register(fd, kRead).ok());
  selector.waits.emplace_back();
  for (int fd = 3; fd < 20; ++fd) selector.waits.front().push_back({fd, kRead});
  CHECK_EQ(Wait(selector, 0, 5).events.size(), size_t{5});
}

TEST(SelectorWaitsToItsDeadline) {
  ScriptedSelector selector(kAll);
  CHECK(selector.Register(3, kRead).ok());
  selector.waits = {{{9, kRead}}, {}, {{3, kWrite}}};
  const int64_t begin = MonotonicNs();
  CHECK(Wait(selector, kMomentNs).events.empty());
  CHECK(MonotonicNs() - begin >= kMomentNs);
  CHECK(selector.timeouts.size() >= 4);
  for (size_t i = 1; i < selector.timeouts.size(); ++i) {
    CHECK(selector.timeouts[i] > 0 && selector.timeouts[i] <= selector.timeouts[i - 1]);
  }
  selector.waits = {{}, {}, {{3, kRead}}};
  CHECK_EQ(Wait(selector, kForever).Of(3), kRead);
  CHECK_EQ(selector.timeouts.back(), kForever);
}

TEST(SelectorTakesTheLongestTimeout) {
  ScriptedSelector selector(kAll);
  CHECK(selector.Register(3, kRead).ok());
  selector.waits = {{}, {{3, kRead}}};
  CHECK_EQ(Wait(selector, std::numeric_limits<int64_t>::max()).Of(3), kRead);
}

TEST(SelectorHandsErrorsOn) {
  ScriptedSelector selector(kAll);
  selector.next_error = EINTR;
  CHECK_EQ(WaitOnce(selector, kForever).error, EINTR);
  selector.next_error = ENOMEM;
  CHECK_EQ(Wait(selector, kMomentNs).error, ENOMEM);
}

TEST(SelectorWakeDescriptorIsNoEvent) {
  ScriptedSelector selector(kAll);
  CHECK(selector.SetWakeFd(3).ok());
  CHECK_EQ(selector.size(), 0);
  CHECK(selector.Register(4, kRead).ok());
  selector.waits = {{{3, kRead}}, {{3, kRead}, {4, kRead}}, {}};
  Ready ready = Wait(selector, kForever);
  CHECK(ready.woken && ready.events.empty());
  ready = Wait(selector, kForever);
  CHECK(ready.woken);
  CHECK_EQ(ready.Of(4), kRead);
  CHECK(!Wait(selector).woken);
  CHECK_EQ(ErrorOf(selector.SetWakeFd(4)), EEXIST);
}

TEST(SelectorVisitsWhatIsWatched) {
  ScriptedSelector selector(kAll);
  for (int fd = 3; fd < 6; ++fd) CHECK(selector.Register(fd, kRead).ok());
  CHECK(selector.Modify(5, kWrite).ok());
  selector.disarmed = 4;
  std::string visited;
  for (const pollfd& watched : selector.Watched()) {
    visited +=
        std::to_string(watched.fd) + ((watched.events & POLLIN) != 0 ? " reads " : " writes ");
  }
  CHECK(visited == "3 reads 5 writes ");
}

}  // namespace io_selectors
