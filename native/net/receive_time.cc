#include "net/receive_time.h"

#include <sys/socket.h>

#include <cstring>
#include <ctime>

#include "net/socket.h"

namespace io_selectors {

#ifdef SO_TIMESTAMPNS

Result<void> SetReceiveTimestamps(int fd) {
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0) {
    return LastError("setsockopt");
  }
  return {};
}

ssize_t ReceiveStamped(int fd, void* buffer, size_t length, int64_t* realtime_ns) {
  alignas(cmsghdr) unsigned char control[CMSG_SPACE(sizeof(timespec))];
  iovec bytes{buffer, length};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  *realtime_ns = 0;
  ssize_t received;
  do {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    received = recvmsg(fd, &message, 0);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return -errno;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET ||
      header->cmsg_type != SCM_TIMESTAMPNS) {
    return received;
  }
  timespec time;
  std::memcpy(&time, CMSG_DATA(header), sizeof(time));
  *realtime_ns = static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  return received;
}

#else

Result<void> SetReceiveTimestamps(int /*fd*/) { return Error{ENOPROTOOPT, "setsockopt"}; }

ssize_t ReceiveStamped(int fd, void* buffer, size_t length, int64_t* realtime_ns) {
  *realtime_ns = 0;
  return Receive(fd, buffer, length);
}

#endif

}  // namespace io_selectors
