#include "net/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <iterator>

namespace io_selectors {

namespace {

constexpr int kMissing = -1;

#if defined(TCP_KEEPIDLE)
constexpr int kKeepIdle = TCP_KEEPIDLE;
#elif defined(TCP_KEEPALIVE)
constexpr int kKeepIdle = TCP_KEEPALIVE;  // macOS: the same under another name
#else
constexpr int kKeepIdle = kMissing;
#endif

#ifdef TCP_QUICKACK
constexpr int kQuickAck = TCP_QUICKACK;
#else
constexpr int kQuickAck = kMissing;
#endif

struct Row {
  int level;
  int name;
};

constexpr Row kRows[] = {
    {IPPROTO_TCP, TCP_NODELAY}, {SOL_SOCKET, SO_KEEPALIVE}, {IPPROTO_TCP, kKeepIdle},
    {SOL_SOCKET, SO_RCVBUF},    {SOL_SOCKET, SO_SNDBUF},    {IPPROTO_TCP, kQuickAck},
    {SOL_SOCKET, SO_REUSEPORT},
};

Result<Row> Find(SocketOption option, const char* syscall) {
  const auto index = static_cast<size_t>(option);
  if (index >= std::size(kRows)) return Error{EINVAL, syscall};
  if (kRows[index].name == kMissing) return Error{ENOPROTOOPT, syscall};
  return kRows[index];
}

}  // namespace

Result<void> SetSocketOption(int fd, SocketOption option, int value) {
  const Result<Row> row = Find(option, "setsockopt");
  if (!row.ok()) return row.error();
  if (setsockopt(fd, row.value().level, row.value().name, &value, sizeof(value)) < 0) {
    return LastError("setsockopt");
  }
  return {};
}

Result<int> GetSocketOption(int fd, SocketOption option) {
  const Result<Row> row = Find(option, "getsockopt");
  if (!row.ok()) return row.error();
  int value = 0;
  socklen_t length = sizeof(value);
  if (getsockopt(fd, row.value().level, row.value().name, &value, &length) < 0) {
    return LastError("getsockopt");
  }
  return value;
}

}  // namespace io_selectors
