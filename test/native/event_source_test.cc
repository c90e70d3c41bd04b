// native/net beyond sockets: pipes, FIFOs, duplicates, terminals, counters, timers, folders,
// netlink.

#include "net/event_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "native/fixtures.h"
#include "net/descriptor.h"
#include "net/inotify.h"
#include "net/netlink.h"
#include "net/pty.h"

namespace io_selectors {

TEST(PipesAndDuplicates) {
  DescriptorPair pipe = Must(MakePipe());
  char buffer[8];
  CHECK_EQ(Read(pipe.first.get(), buffer, sizeof(buffer)), -EAGAIN);
  const OwnedFd copy = Must(Duplicate(pipe.second.get()));
  CHECK(copy.get() != pipe.second.get());
  CHECK((fcntl(copy.get(), F_GETFD) & FD_CLOEXEC) != 0);
  pipe.second.Reset();
  CHECK_EQ(Write(copy.get(), "abc", 3), 3);
  CHECK_EQ(Read(pipe.first.get(), buffer, sizeof(buffer)), 3);
  FillUp(copy.get());
  CHECK_EQ(Write(copy.get(), "x", 1), -EAGAIN);
  pipe.first.Reset();
  CHECK_EQ(Write(copy.get(), "x", 1), -EPIPE);
  CHECK_EQ(ErrorOf(Duplicate(-1)), EBADF);
  CHECK_EQ(Read(-1, buffer, 1), -EBADF);
}

TEST(NonBlockingOnAndOff) {
  const DescriptorPair pipe = Must(MakePipe());
  for (const bool on : {false, false, true, true}) {
    CHECK(SetNonBlocking(pipe.first.get(), on).ok());
    CHECK_EQ((fcntl(pipe.first.get(), F_GETFL) & O_NONBLOCK) != 0, on);
  }
  CHECK_EQ(ErrorOf(SetNonBlocking(-1, true)), EBADF);
  CHECK_EQ(ErrorOf(SetCloseOnExec(-1)), EBADF);
}

TEST(FifosOpenWithoutWaiting) {
  Folder folder;
  const std::string path = folder.File("fifo");
  CHECK(MakeFifo(path, 0600).ok());
  CHECK_EQ(ErrorOf(MakeFifo(path, 0600)), EEXIST);
  CHECK_EQ(ErrorOf(OpenFifo(path, FifoEnd::kWrite)), ENXIO);
  const OwnedFd reader = Must(OpenFifo(path, FifoEnd::kRead));
  const OwnedFd writer = Must(OpenFifo(path, FifoEnd::kWrite));
  CHECK_EQ(Write(writer.get(), "x", 1), 1);
  char byte;
  CHECK_EQ(Read(reader.get(), &byte, 1), 1);
  CHECK_EQ(ErrorOf(OpenFifo(path + "/none", FifoEnd::kRead)), ENOTDIR);
}

TEST(TerminalsEcho) {
  const Result<Pty> opened = OpenPty();
  if (!opened.ok()) {
    std::printf("no pseudo-terminals here (%s)\n", opened.error().syscall);
    return;
  }
  const Pty& pty = opened.value();
  CHECK(isatty(pty.terminal.get()) == 1);
  struct stat status = {};
  CHECK_EQ(stat(pty.path.c_str(), &status), 0);
  CHECK_EQ(Write(pty.controller.get(), "hi\n", 3), 3);
  CHECK(AwaitReadable(pty.terminal.get()));
  char buffer[16];
  CHECK_EQ(Read(pty.terminal.get(), buffer, sizeof(buffer)), 3);
  CHECK(AwaitReadable(pty.controller.get()));
  CHECK_EQ(Read(pty.controller.get(), buffer, sizeof(buffer)), 4);  // "hi\r\n"
}

TEST(CountersCount) {
  const Result<OwnedFd> opened = OpenEventfd(2);
  if (ErrorOf(opened) == ENOSYS) return;
  const int fd = opened.value().get();
  uint64_t count = 0;
  CHECK_EQ(WriteCounter(fd, 3), 0);
  CHECK_EQ(ReadCounter(fd, &count), 0);
  CHECK_EQ(count, uint64_t{5});
  CHECK_EQ(ReadCounter(fd, &count), -EAGAIN);
  CHECK_EQ(WriteCounter(fd, UINT64_MAX - 1), 0);
  CHECK_EQ(WriteCounter(fd, 1), -EAGAIN);
  CHECK_EQ(WriteCounter(-1, 1), -EBADF);
  const DescriptorPair pipe = Must(MakePipe());
  Put(pipe.second);
  CHECK_EQ(ReadCounter(pipe.first.get(), &count), -EINVAL);
}

TEST(TimersExpire) {
  const Result<OwnedFd> opened = OpenTimer(1, kNsPerMs);
  if (ErrorOf(opened) == ENOSYS) return;
  uint64_t count = 0;
  for (int i = 0; i < 3; ++i) {
    CHECK(AwaitReadable(opened.value().get()));
    CHECK_EQ(ReadCounter(opened.value().get(), &count), 0);
    CHECK(count >= 1);
  }
  CHECK_EQ(ErrorOf(OpenTimer(-1, 0)), EINVAL);
  const OwnedFd never = Must(OpenTimer(INT64_MAX, 0));
  CHECK_EQ(ReadCounter(never.get(), &count), -EAGAIN);
}

TEST(FoldersTellOfTheirFiles) {
  Folder folder;
  const Result<OwnedFd> opened = WatchDirectory(folder.path());
  if (opened.ok()) {
    char buffer[4096];
    CHECK_EQ(Read(opened.value().get(), buffer, sizeof(buffer)), -EAGAIN);
    const std::string path = folder.File("file");
    OwnedFd(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)).Reset();
    CHECK(AwaitReadable(opened.value().get()));
    CHECK(Read(opened.value().get(), buffer, sizeof(buffer)) > 0);
    CHECK_EQ(unlink(path.c_str()), 0);
    CHECK_EQ(ErrorOf(WatchDirectory(path)), ENOENT);
  } else {
    CHECK(ErrorOf(opened) == ENOSYS || ErrorOf(opened) == EMFILE);
  }
}

TEST(NetlinkOpensOrSaysWhy) {
  const Result<OwnedFd> opened = OpenNetlink(NetlinkFamily::kRoute, {1, 7});
  char buffer[64];
  if (opened.ok()) {
    const ssize_t n = Read(opened.value().get(), buffer, sizeof(buffer));
    CHECK(n == -EAGAIN || n > 0);
  } else {
    CHECK(ErrorOf(opened) != 0);
  }
}

}  // namespace io_selectors
