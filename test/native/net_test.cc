// native/net: TCP, Unix sockets, datagrams and their addresses and options; I/O answers n or
// -errno.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "native/fixtures.h"
#include "net/address.h"
#include "net/datagram.h"
#include "net/socket.h"
#include "net/socket_options.h"
#include "net/unix_socket.h"

namespace io_selectors {

namespace {

bool AwaitWritable(int fd) {
  pollfd watched{fd, POLLOUT, 0};
  int ready;
  while ((ready = poll(&watched, 1, -1)) < 0 && errno == EINTR) {
  }
  return ready == 1;
}

int FlagsOf(int fd) { return fcntl(fd, F_GETFL); }

/** "x" from the first to the second, and the end of it. */
void CheckStream(OwnedFd first, const OwnedFd& second) {
  CHECK_EQ(Send(first.get(), "hello", 5), 5);
  CHECK(AwaitReadable(second.get()));
  char buffer[16];
  CHECK_EQ(Receive(second.get(), buffer, sizeof(buffer)), 5);
  CHECK(std::string(buffer, 5) == "hello");
  CHECK_EQ(Receive(second.get(), buffer, sizeof(buffer)), -EAGAIN);
  first.Reset();
  CHECK(AwaitReadable(second.get()));
  CHECK_EQ(Receive(second.get(), buffer, sizeof(buffer)), 0);
}

std::string AbstractName(const char* name) {
  return std::string(1, '\0') + "io-selectors-" + std::to_string(getpid()) + name;
}

}  // namespace

TEST(TcpConnectsAcceptsAndEnds) {
  for (const char* host : {"127.0.0.1", "::1"}) {
    ListenOptions options;
    options.host = host;
    const Result<OwnedFd> listener = ListenTcp(options);
    if (!listener.ok() && std::string(host) == "::1") continue;  // a machine without IPv6
    CHECK(listener.ok());
    const int listening = listener.value().get();
    CHECK_EQ(Accept(listening), -EAGAIN);
    ConnectOptions connect;
    connect.host = host;
    connect.port = Must(LocalPort(listening));
    CHECK(connect.port != 0);
    OwnedFd client = Must(ConnectTcp(connect));
    CHECK(AwaitReadable(listening));
    const OwnedFd server(Accept(listening));
    CHECK(server.valid());
    CHECK(AwaitWritable(client.get()));
    CHECK_EQ(SocketError(client.get()), 0);
    CHECK((FlagsOf(server.get()) & O_NONBLOCK) != 0);
    CHECK((fcntl(server.get(), F_GETFD) & FD_CLOEXEC) != 0);
    const Address peer = Must(PeerAddress(server.get()));
    const Address local = Must(LocalAddress(client.get()));
    CHECK(HostOf(peer) == host);
    CHECK_EQ(PortOf(peer), PortOf(local));
    CheckStream(std::move(client), server);
  }
}

TEST(TcpAcceptsBlockingSocketsToo) {
  const OwnedFd listener = Must(ListenTcp(ListenOptions{}));
  ConnectOptions connect;
  connect.port = Must(LocalPort(listener.get()));
  connect.source = "127.0.0.9";
  const OwnedFd client = Must(ConnectTcp(connect));
  CHECK(AwaitReadable(listener.get()));
  const OwnedFd server(Accept(listener.get(), true));
  CHECK_EQ(FlagsOf(server.get()) & O_NONBLOCK, 0);
  CHECK(HostOf(Must(PeerAddress(server.get()))) == "127.0.0.9");
  CHECK(SetNoDelay(server.get()).ok());
}

TEST(TcpTellsWhyItFailed) {
  OwnedFd listener = Must(ListenTcp(ListenOptions{}));
  ConnectOptions connect;
  connect.port = Must(LocalPort(listener.get()));
  ListenOptions same;
  same.port = connect.port;
  CHECK_EQ(ErrorOf(ListenTcp(same)), EADDRINUSE);
  listener.Reset();
  const Result<OwnedFd> client = ConnectTcp(connect);
  if (client.ok()) {
    CHECK(AwaitWritable(client.value().get()));
    CHECK_EQ(SocketError(client.value().get()), ECONNREFUSED);
  } else {
    CHECK_EQ(ErrorOf(client), ECONNREFUSED);
  }
  connect.host = "nowhere";
  CHECK_EQ(ErrorOf(ConnectTcp(connect)), EINVAL);
  connect.host = "127.0.0.1";
  connect.source = "nowhere";
  CHECK_EQ(ErrorOf(ConnectTcp(connect)), EINVAL);
  CHECK_EQ(ErrorOf(LocalPort(-1)), EBADF);
  CHECK_EQ(SocketError(-1), EBADF);
  char byte;
  CHECK_EQ(Receive(-1, &byte, 1), -EBADF);
  CHECK_EQ(Send(-1, &byte, 1), -EBADF);
  CHECK_EQ(Accept(-1), -EBADF);
}

TEST(TcpResetsAndBrokenPipesAreAnswers) {
  DescriptorPair pair = TcpPair();
  CHECK(SetResetOnClose(pair.first.get()).ok());
  pair.first.Reset();
  CHECK(AwaitReadable(pair.second.get()));
  char byte = 0;
  CHECK_EQ(Receive(pair.second.get(), &byte, 1), -ECONNRESET);
  CHECK_EQ(Send(pair.second.get(), &byte, 1), -EPIPE);
  CHECK(DefaultBacklog() > 0 && DefaultBacklog() <= 4096);
}

TEST(AddressesInWords) {
  const Address v4 = Must(InetAddress("127.1.2.3", 80));
  CHECK(HostOf(v4) == "127.1.2.3");
  CHECK_EQ(PortOf(v4), 80);
  CHECK(PathOf(v4).empty());
  const Address v6 = Must(InetAddress("fe80::1", 65535));
  CHECK(HostOf(v6) == "fe80::1");
  CHECK_EQ(PortOf(v6), 65535);
  for (const std::string& wrong : {std::string(), std::string("localhost"), std::string("1.2.3"),
                                   std::string("127.0.0.1\0x", 11), std::string(1000, '1')}) {
    CHECK_EQ(ErrorOf(InetAddress(wrong, 1)), EINVAL);
  }
  CHECK_EQ(ErrorOf(LocalAddress(-1)), EBADF);
  CHECK_EQ(ErrorOf(PeerAddress(-1)), EBADF);
  CHECK_EQ(Address().family(), AF_UNSPEC);
}

TEST(UnixPathsUpToTheLongest) {
  const std::string longest(LongestUnixPath(), 'p');
  CHECK(PathOf(Must(UnixAddress(longest))) == longest);
  CHECK_EQ(ErrorOf(UnixAddress(longest + "p")), ENAMETOOLONG);
  CHECK_EQ(ErrorOf(UnixAddress("")), EINVAL);
  CHECK_EQ(ErrorOf(UnixAddress(std::string("a\0b", 3))), EINVAL);
#ifdef __linux__
  const std::string name = std::string(1, '\0') + longest;
  CHECK(PathOf(Must(UnixAddress(name))) == name);
  CHECK_EQ(ErrorOf(UnixAddress(name + "p")), ENAMETOOLONG);
#endif
  CHECK(HostOf(Must(UnixAddress("p"))).empty());
}

TEST(UnixStreamsByPathAndName) {
  Folder folder;
  std::vector<std::string> paths = {folder.File("stream")};
#ifdef __linux__
  paths.push_back(AbstractName("stream"));
#endif
  for (const std::string& path : paths) {
    CHECK(!ConnectUnix(path, SocketType::kStream).ok());
    const OwnedFd listener = Must(ListenUnix(path, SocketType::kStream, 0));
    CHECK_EQ(ErrorOf(ListenUnix(path, SocketType::kStream, 0)), EADDRINUSE);
    OwnedFd client = Must(ConnectUnix(path, SocketType::kStream));
    const OwnedFd server(Accept(listener.get()));
    CHECK(server.valid());
    CHECK(PathOf(Must(PeerAddress(client.get()))) == path);
    CHECK(PathOf(Must(PeerAddress(server.get()))).empty());
    CheckStream(std::move(client), server);
  }
}

TEST(UnixSeqpacketKeepsMessagesApart) {
  const DescriptorPair pair = Must(OpenSocketPair(SocketType::kSeqpacket));
  CHECK_EQ(Send(pair.first.get(), "one", 3), 3);
  CHECK_EQ(Send(pair.first.get(), "two", 3), 3);
  char buffer[16];
  CHECK_EQ(Receive(pair.second.get(), buffer, 2), 2);
  CHECK_EQ(Receive(pair.second.get(), buffer, sizeof(buffer)), 3);
  CHECK(std::string(buffer, 3) == "two");
}

TEST(DatagramsCarryTheirSender) {
  const OwnedFd bound = Must(BindUdp(Must(InetAddress("127.0.0.1", 0)), {true, false}));
  const Address receiver = Must(LocalAddress(bound.get()));
  const OwnedFd client = Must(ConnectUdp(receiver));
  char buffer[16];
  Address sender;
  CHECK_EQ(ReceiveFrom(bound.get(), buffer, sizeof(buffer), &sender), -EAGAIN);
  CHECK_EQ(Send(client.get(), "hello", 5), 5);
  CHECK(AwaitReadable(bound.get()));
  CHECK_EQ(ReceiveFrom(bound.get(), buffer, 4, &sender), 4);  // the rest of it is gone
  CHECK_EQ(PortOf(sender), PortOf(Must(LocalAddress(client.get()))));
  CHECK_EQ(SendTo(bound.get(), "", 0, sender), 0);
  CHECK(AwaitReadable(client.get()));
  CHECK_EQ(Receive(client.get(), buffer, sizeof(buffer)), 0);
  CHECK_EQ(SendTo(-1, "", 0, sender), -EBADF);
  CHECK_EQ(ErrorOf(BindUdp(Must(InetAddress("192.0.2.1", 0)), {})), EADDRNOTAVAIL);
}

TEST(UnixDatagramsWithAndWithoutNames) {
  Folder folder;
  const std::string path = folder.File("datagram");
  const OwnedFd bound = Must(BindUnix(path));
  const OwnedFd nameless = Must(ConnectUnix(path, SocketType::kDatagram));
  CHECK_EQ(Send(nameless.get(), "hello", 5), 5);
  char buffer[16];
  Address sender;
  CHECK_EQ(ReceiveFrom(bound.get(), buffer, sizeof(buffer), &sender), 5);
  CHECK(PathOf(sender).empty());
  const OwnedFd other = Must(BindUnix(folder.File("other")));
  CHECK_EQ(SendTo(other.get(), "hi", 2, Must(UnixAddress(path))), 2);
  CHECK_EQ(ReceiveFrom(bound.get(), buffer, sizeof(buffer), &sender), 2);
  CHECK(PathOf(sender) == PathOf(Must(LocalAddress(other.get()))));
}

TEST(SocketOptionsByTable) {
  const DescriptorPair pair = TcpPair();
  const int fd = pair.first.get();
  CHECK(SetSocketOption(fd, SocketOption::kNoDelay, 0).ok());
  CHECK_EQ(Must(GetSocketOption(fd, SocketOption::kNoDelay)), 0);
  CHECK(SetSocketOption(fd, SocketOption::kKeepAlive, 1).ok());
  CHECK(Must(GetSocketOption(fd, SocketOption::kKeepAlive)) != 0);
  CHECK(SetSocketOption(fd, SocketOption::kSendBuffer, 20'000).ok());
  CHECK(Must(GetSocketOption(fd, SocketOption::kSendBuffer)) >= 20'000);
  CHECK_EQ(ErrorOf(SetSocketOption(fd, static_cast<SocketOption>(99), 1)), EINVAL);
  CHECK_EQ(ErrorOf(GetSocketOption(fd, static_cast<SocketOption>(-1))), EINVAL);
  CHECK_EQ(ErrorOf(GetSocketOption(-1, SocketOption::kNoDelay)), EBADF);
}

}  // namespace io_selectors
