#include "net/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
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

#ifdef SO_LINGER_SEC
constexpr int kLingerName = SO_LINGER_SEC;  // macOS: SO_LINGER counts ticks there
#else
constexpr int kLingerName = SO_LINGER;
#endif

struct Row {
  int level;
  int name;
};

constexpr Row kRows[] = {
    {IPPROTO_TCP, TCP_NODELAY}, {SOL_SOCKET, SO_KEEPALIVE}, {IPPROTO_TCP, kKeepIdle},
    {SOL_SOCKET, SO_RCVBUF},    {SOL_SOCKET, SO_SNDBUF},    {IPPROTO_TCP, kQuickAck},
    {SOL_SOCKET, SO_REUSEPORT}, {SOL_SOCKET, SO_BROADCAST},
};

Result<Row> Find(SocketOption option, const char* syscall) {
  const auto index = static_cast<size_t>(option);
  if (index >= std::size(kRows)) return Error{EINVAL, syscall};
  if (kRows[index].name == kMissing) return Error{ENOPROTOOPT, syscall};
  return kRows[index];
}

/** The one option that is no integer. */
Result<void> SetLinger(int fd, int seconds) {
  const bool on = seconds != kNoLinger;
  if (on && seconds < 0) return Error{EINVAL, "setsockopt"};
  linger value{};
  value.l_onoff = on ? 1 : 0;
  value.l_linger = on ? seconds : 0;
  if (setsockopt(fd, SOL_SOCKET, kLingerName, &value, sizeof(value)) < 0) {
    return LastError("setsockopt");
  }
  return {};
}

Result<int> GetLinger(int fd) {
  linger value{};
  socklen_t length = sizeof(value);
  if (getsockopt(fd, SOL_SOCKET, kLingerName, &value, &length) < 0) {
    return LastError("getsockopt");
  }
  return value.l_onoff == 0 ? 0 : std::min(value.l_linger, INT_MAX - 1) + 1;
}

}  // namespace

Result<void> SetSocketOption(int fd, SocketOption option, int value) {
  if (option == SocketOption::kLinger) return SetLinger(fd, value);
  const Result<Row> row = Find(option, "setsockopt");
  if (!row.ok()) return row.error();
  if (setsockopt(fd, row.value().level, row.value().name, &value, sizeof(value)) < 0) {
    return LastError("setsockopt");
  }
  return {};
}

Result<int> GetSocketOption(int fd, SocketOption option) {
  if (option == SocketOption::kLinger) return GetLinger(fd);
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
