// Random operations on every backend, and after each wait poll(2) is asked for the truth: the same
// descriptors, the same readiness. The seed is fixed, and another can be given by the environment:
// IO_SELECTORS_SEED, IO_SELECTORS_OPERATIONS.

#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "native/fixtures.h"
#include "net/descriptor.h"

namespace io_selectors {

namespace {

constexpr size_t kPairs = 20;

unsigned FromEnvironment(const char* name, unsigned otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

/** Readiness as the contract has it, asked of poll(2).
 * @param as_select where a hang-up makes readable only, since select(2) does not tell of it. */
int32_t Truth(int fd, int32_t interest, bool as_select) {
  int events = 0;
  if ((interest & kRead) != 0) events |= POLLIN;
  if ((interest & kWrite) != 0) events |= POLLOUT;
#ifdef POLLRDHUP
  if ((interest & kRead) != 0) events |= POLLRDHUP;
  constexpr int kEndOfRead = POLLRDHUP;
#else
  constexpr int kEndOfRead = 0;
#endif
  pollfd now{fd, static_cast<short>(events), 0};
  if (poll(&now, 1, 0) < 0) return -1;
  int32_t ready = 0;
  if ((now.revents & (POLLIN | kEndOfRead)) != 0) ready |= kRead;
  if ((now.revents & POLLOUT) != 0) ready |= kWrite;
  if ((now.revents & POLLERR) != 0) ready |= kRead | kWrite;
  if ((now.revents & POLLHUP) != 0) ready |= as_select ? kRead : kRead | kWrite;
  return ready & interest;
}

/** Open descriptors, what each is registered for, and the backend under test. */
class World {
 public:
  World(const Backend& backend, unsigned seed)
      : selector_(MakeSelector(backend)),
        is_select_(std::string(backend.name) == "select"),
        random_(seed) {}

  void Step() {
    if (ends_.empty() || (ends_.size() < 2 * kPairs && Draw(8) == 0)) OpenPair();
    const int fd = std::next(ends_.begin(), Draw(ends_.size()))->first;
    switch (Draw(12)) {
      case 0:
      case 1:
        return Register(fd);
      case 2:
        return Modify(fd);
      case 3:
        return Unregister(fd);
      case 4:
      case 5:
        return Transfer(fd);
      case 6:
        return ShutDown(fd);
      case 7:
        return ClosePair(fd);
      default:
        return CheckWait();
    }
  }

  int64_t events() const { return events_; }

 private:
  struct End {
    OwnedFd fd;
    int peer;
    int32_t interest = 0;
  };

  int Draw(size_t bound) { return static_cast<int>(random_() % bound); }

  void OpenPair() {
    DescriptorPair pair;
    switch (Draw(3)) {
      case 0:
        pair = StreamPair();
        break;
      case 1:
        pair = Must(OpenSocketPair(SocketType::kSeqpacket));
        break;
      default:
        pair = Must(MakePipe());
    }
    const int first = pair.first.get();
    const int second = pair.second.get();
    // What was closed while it was registered is unregistered when its number comes again.
    for (const int fd : {first, second}) {
      if (zombies_.erase(fd) > 0) CHECK(selector_->Unregister(fd).ok());
    }
    ends_[first] = End{std::move(pair.first), second};
    ends_[second] = End{std::move(pair.second), first};
  }

  void Register(int fd) {
    const int32_t interest = 1 + Draw(3);
    const bool registered = ends_[fd].interest != 0;
    CHECK_EQ(ErrorOf(selector_->Register(fd, interest)), registered ? EEXIST : 0);
    if (!registered) ends_[fd].interest = interest;
  }

  void Modify(int fd) {
    const int32_t interest = 1 + Draw(3);
    const bool registered = ends_[fd].interest != 0;
    CHECK_EQ(ErrorOf(selector_->Modify(fd, interest)), registered ? 0 : ENOENT);
    if (registered) ends_[fd].interest = interest;
  }

  void Unregister(int fd) {
    const bool registered = ends_[fd].interest != 0;
    CHECK_EQ(ErrorOf(selector_->Unregister(fd)), registered ? 0 : ENOENT);
    ends_[fd].interest = 0;
  }

  void Transfer(int fd) {
    char bytes[100] = {};
    const auto length = static_cast<size_t>(1 + Draw(sizeof(bytes)));
    switch (Draw(6)) {
      case 0:
        return FillUp(fd);
      case 1:
        (void)TakeAll(fd);
        return;
      case 2:
      case 3:
        (void)Read(fd, bytes, length);
        return;
      default:
        (void)Write(fd, bytes, length);
    }
  }

  void ShutDown(int fd) {
    // Of a pipe it is ENOTSOCK.
    if (Draw(6) == 0) (void)shutdown(fd, Draw(3));
  }

  void ClosePair(int fd) {
    if (Draw(5) != 0) return;
    for (const int end : {fd, ends_[fd].peer}) {
      const bool registered = ends_[end].interest != 0;
      const bool stays = registered && Draw(3) == 0;
      if (stays) {
        zombies_.insert(end);
        if (Draw(2) == 0) selector_->BeforeClose(end);
      } else if (registered) {
        CHECK(selector_->Unregister(end).ok());
      }
      ends_.erase(end);
    }
  }

  void CheckWait() {
    const Ready ready = Wait(*selector_, Draw(4) == 0 ? Draw(200'000) : 0, kCapacity);
    CHECK_EQ(ready.error, 0);
    std::set<int> seen;
    bool only_closed = false;
    for (const ReadyEvent& event : ready.events) {
      CHECK(seen.insert(event.fd).second);
      CHECK_EQ(event.generation, selector_->Generation(event.fd));
      CHECK(ends_.count(event.fd) + zombies_.count(event.fd) == 1);
      // select(2) says EBADF for all, so the wait that finds the closed ones reports only them.
      only_closed = only_closed || (is_select_ && zombies_.count(event.fd) != 0);
      ++events_;
    }
    if (only_closed) return;
    for (const auto& [fd, end] : ends_) {
      CHECK_EQ(ready.Of(fd), Truth(fd, end.interest, is_select_));
    }
  }

  static constexpr int kCapacity = 256;  // never full: what is missing is wrong

  std::unique_ptr<Selector> selector_;
  bool is_select_;
  std::mt19937 random_;
  std::map<int, End> ends_;
  std::set<int> zombies_;  // closed while registered
  int64_t events_ = 0;
};

}  // namespace

BACKEND_TEST(AgreesWithPoll) {
  const unsigned operations = FromEnvironment("IO_SELECTORS_OPERATIONS", 20'000);
  const unsigned first_seed = FromEnvironment("IO_SELECTORS_SEED", 1);
  for (unsigned seed = first_seed; seed < first_seed + 2; ++seed) {
    World world(backend, seed);
    for (unsigned i = 0; i < operations; ++i) {
      const int before = FailuresOfCase();
      world.Step();
      if (FailuresOfCase() == before) continue;
      std::printf("%s: seed %u, operation %u\n", backend.name, seed, i);
      return;
    }
    CHECK(world.events() > operations / 100);
  }
}

}  // namespace io_selectors
