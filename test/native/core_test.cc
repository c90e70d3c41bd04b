// native/core without a kernel's event interface: Result, OwnedFd, timeouts, the stop signal.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <limits>
#include <memory>
#include <string>

#include "core/owned_fd.h"
#include "core/result.h"
#include "core/stop_signal.h"
#include "core/timeout.h"
#include "native/fixtures.h"
#include "net/descriptor.h"

namespace io_selectors {

namespace {

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

Result<std::unique_ptr<std::string>> Text(bool fails) {
  if (fails) return Error{ENOENT, "open"};
  return std::make_unique<std::string>("text");
}

}  // namespace

TEST(ResultHoldsValueOrError) {
  Result<std::unique_ptr<std::string>> good = Text(false);
  CHECK(good.ok());
  CHECK(*good.value() == "text");
  const std::unique_ptr<std::string> taken = std::move(good.value());
  CHECK(taken != nullptr && good.value() == nullptr);
  const Result<std::unique_ptr<std::string>> bad = Text(true);
  CHECK(!bad.ok());
  CHECK_EQ(bad.error().errno_value, ENOENT);
  CHECK(std::string(bad.error().syscall) == "open");
  CHECK(Result<void>().ok());
  errno = EMFILE;
  CHECK_EQ(ErrorOf(Result<void>(LastError("dup"))), EMFILE);
}

TEST(OwnedFdClosesOnce) {
  DescriptorPair pipe = Must(MakePipe());
  const int first = pipe.first.get();
  {
    const OwnedFd owner(std::move(pipe.first));
    CHECK(!pipe.first.valid());
    CHECK_EQ(owner.get(), first);
    CHECK(IsOpen(first));
  }
  CHECK(!IsOpen(first));
}

TEST(OwnedFdMovesAndReleases) {
  DescriptorPair pipe = Must(MakePipe());
  const int second = pipe.second.get();
  OwnedFd other = Must(Duplicate(second));
  const int duplicate = other.get();
  other = std::move(pipe.second);
  CHECK(!IsOpen(duplicate));
  CHECK_EQ(other.get(), second);
  OwnedFd& itself = other;
  other = std::move(itself);
  CHECK(IsOpen(second));
  const OwnedFd last(other.Release());
  CHECK(!other.valid());
  other.Reset();
  CHECK(IsOpen(last.get()));
}

TEST(TimeoutsRoundUp) {
  CHECK_EQ(ToMilliseconds(-1), -1);
  CHECK_EQ(ToMilliseconds(0), 0);
  CHECK_EQ(ToMilliseconds(1), 1);
  CHECK_EQ(ToMilliseconds(kNsPerMs), 1);
  CHECK_EQ(ToMilliseconds(kNsPerMs + 1), 2);
  CHECK_EQ(ToMilliseconds(std::numeric_limits<int64_t>::max()), std::numeric_limits<int>::max());
  CHECK_EQ(ToTimespec(kNsPerSecond + 7).tv_sec, 1);
  CHECK_EQ(ToTimespec(kNsPerSecond + 7).tv_nsec, 7);
  const int64_t before = MonotonicNs();
  CHECK(MonotonicNs() >= before);
}

TEST(StopSignalIsReadableAndSticks) {
  CHECK(!StopSignal::Raised());
  {
    const StopSignal stop = Must(StopSignal::Install());
    for (const int signal : {SIGTERM, SIGINT}) {
      CHECK_EQ(raise(signal), 0);
      CHECK(AwaitReadable(stop.fd()));
      CHECK(StopSignal::Raised());
    }
  }
  // The number of the pipe's end is free, and reused by a descriptor that must stay untouched.
  const DescriptorPair pipe = Must(MakePipe());
  const DescriptorPair other = Must(MakePipe());
  CHECK_EQ(raise(SIGTERM), 0);
  char byte;
  CHECK_EQ(Read(pipe.first.get(), &byte, 1), -EAGAIN);
  CHECK_EQ(Read(other.first.get(), &byte, 1), -EAGAIN);
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
}

}  // namespace io_selectors
