// Descriptors over Unix sockets, multicast, inotify and terminals, at the calls that have a shape
// of their own.

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "native/fixtures.h"
#include "net/descriptor.h"
#include "net/descriptor_passing.h"
#include "net/inotify.h"
#include "net/multicast.h"
#include "net/pty.h"
#include "net/terminal.h"

namespace io_selectors {

TEST(PassedDescriptorsAreTheSameFiles) {
  const DescriptorPair sockets = Must(OpenSocketPair(SocketType::kStream));
  DescriptorPair pipe = Must(MakePipe());
  char bytes[8];
  PassedDescriptors passed;
  const auto receive = [&](size_t most) {
    return ReceiveDescriptors(sockets.second.get(), bytes, sizeof(bytes), most, &passed);
  };
  CHECK_EQ(receive(1), -EAGAIN);
  for (const size_t count : {size_t{1}, size_t{2}, kMostPassed}) {
    const std::vector<int> fds(count, pipe.second.get());
    CHECK_EQ(SendDescriptors(sockets.first.get(), "ab", 2, fds.data(), count), 2);
    CHECK_EQ(receive(count), 2);
    CHECK_EQ(passed.count, count);
    for (size_t i = 0; i < passed.count; ++i) {
      const OwnedFd fd(passed.fds[i]);
      CHECK((fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
      CHECK_EQ(Write(fd.get(), "x", 1), 1);
      CHECK_EQ(Read(pipe.first.get(), bytes, sizeof(bytes)), 1);
    }
  }
  // Without room all that came are closed: the pipe has no other writer then.
  const int fds[] = {pipe.second.get(), pipe.second.get()};
  CHECK_EQ(SendDescriptors(sockets.first.get(), "a", 1, fds, 2), 1);
  pipe.second.Reset();
  CHECK_EQ(receive(1), -EMSGSIZE);
  CHECK_EQ(passed.count, size_t{0});
  CHECK_EQ(Read(pipe.first.get(), bytes, sizeof(bytes)), 0);
  CHECK_EQ(SendDescriptors(sockets.first.get(), "a", 0, fds, 1), -EINVAL);
  CHECK_EQ(SendDescriptors(sockets.first.get(), "a", 1, fds, 0), -EINVAL);
  CHECK_EQ(SendDescriptors(sockets.first.get(), "a", 1, fds, kMostPassed + 1), -EINVAL);
}

TEST(TerminalsTakeALineAndGetTheirsBack) {
  Pty pty = Must(OpenPty());
  const int fd = pty.terminal.get();
  const SerialLine before = Must(ReadTerminal(fd));
  CHECK_EQ(before.canonical, 1);
  SerialLine line;
  line.stop_bits = 2;
  line.flow_control = FlowControl::kHardware;
  for (const int32_t baud_rate : {50, 115'200, 4'000'000, 250'000}) {
    line.baud_rate = baud_rate;
    const TerminalState state = Must(EnterRawMode(fd, line));
    const SerialLine taken = Must(ReadTerminal(fd));
    CHECK_EQ(taken.baud_rate, baud_rate);
    CHECK_EQ(taken.stop_bits, 2);
    CHECK(taken.flow_control == FlowControl::kHardware);
    CHECK_EQ(taken.canonical, 0);
    CHECK_EQ(taken.echo, 0);
    CHECK(RestoreTerminal(fd, state).ok());
    CHECK_EQ(Must(ReadTerminal(fd)).baud_rate, before.baud_rate);
    const Pty other = Must(OpenPty());
    CHECK_EQ(ErrorOf(RestoreTerminal(other.terminal.get(), state)), EBADF);
  }
  const DescriptorPair pipe = Must(MakePipe());
  CHECK_EQ(ErrorOf(EnterRawMode(pipe.first.get(), line)), ENOTTY);
  CHECK_EQ(ErrorOf(ReadTerminal(-1)), EBADF);
}

TEST(InterfacesHaveIndices) {
  const uint32_t loopback = Must(InterfaceIndex("127.0.0.1"));
  CHECK(loopback > 0);
  CHECK_EQ(ErrorOf(InterfaceIndex("no-such-interface")), ENODEV);
  CHECK_EQ(ErrorOf(InterfaceIndex("")), ENODEV);
  CHECK_EQ(ErrorOf(InterfaceIndex("192.0.2.77")), ENODEV);
  const OwnedFd v4 = Must(OpenSocket(AF_INET, SocketType::kDatagram));
  CHECK(ChangeMembership(v4.get(), true, {"239.255.77.1", loopback, ""}).ok());
  CHECK(ChangeMembership(v4.get(), false, {"239.255.77.1", loopback, ""}).ok());
  CHECK_EQ(ErrorOf(ChangeMembership(v4.get(), true, {"ff02::1", loopback, ""})), EAFNOSUPPORT);
  for (const MulticastOption option : {MulticastOption::kHops, MulticastOption::kLoop}) {
    CHECK(SetMulticastOption(v4.get(), option, 0).ok());
    CHECK_EQ(Must(GetMulticastOption(v4.get(), option)), 0);
    CHECK_EQ(ErrorOf(SetMulticastOption(v4.get(), option, -1)), EINVAL);
  }
  CHECK_EQ(ErrorOf(SetMulticastOption(v4.get(), MulticastOption::kHops, 256)), EINVAL);
}

TEST(OneInotifyDescriptorHasManyWatches) {
  const Result<OwnedFd> inotify = OpenInotify();
  if (!inotify.ok()) {
    CHECK(ErrorOf(inotify) == ENOSYS || ErrorOf(inotify) == EMFILE);
    return;
  }
  const Folder one;
  const Folder two;
  constexpr uint32_t kCreate = 0x100;  // IN_CREATE
  const int first = Must(AddWatch(inotify.value().get(), one.path(), kCreate));
  const int second = Must(AddWatch(inotify.value().get(), two.path(), kCreate));
  CHECK(first != second);
  CHECK(RemoveWatch(inotify.value().get(), first).ok());
  CHECK_EQ(ErrorOf(RemoveWatch(inotify.value().get(), first)), EINVAL);
  CHECK_EQ(ErrorOf(AddWatch(inotify.value().get(), one.path() + "/none", kCreate)), ENOENT);
}

}  // namespace io_selectors
