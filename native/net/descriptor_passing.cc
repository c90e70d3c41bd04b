#include "net/descriptor_passing.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "net/descriptor.h"
#include "net/open_socket.h"

namespace io_selectors {

namespace {

#ifdef MSG_CMSG_CLOEXEC
constexpr int kReceiveFlags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
void CloseOnExec(const PassedDescriptors& /*passed*/) {}
#else
constexpr int kReceiveFlags = MSG_DONTWAIT;
/** macOS: a fork between recvmsg and here inherits them. */
void CloseOnExec(const PassedDescriptors& passed) {
  for (size_t i = 0; i < passed.count; ++i) (void)SetCloseOnExec(passed.fds[i]).ok();
}
#endif

/** A sender's credentials, for a socket that has SO_PASSCRED set. */
constexpr size_t kOtherControl = 256;

/** Room for the most descriptors, and one more, so that no count is cut to the caller's. */
struct Control {
  alignas(cmsghdr) unsigned char bytes[CMSG_SPACE(sizeof(int) * kMostPassed) + kOtherControl];
};

void Collect(msghdr* message, PassedDescriptors* passed) {
  for (cmsghdr* at = CMSG_FIRSTHDR(message); at != nullptr; at = CMSG_NXTHDR(message, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    const size_t bytes = at->cmsg_len - CMSG_LEN(0);
    const size_t count = std::min(bytes / sizeof(int), kMostPassed - passed->count);
    std::memcpy(passed->fds + passed->count, CMSG_DATA(at), count * sizeof(int));
    passed->count += count;
  }
}

void CloseAll(PassedDescriptors* passed) {
  for (size_t i = 0; i < passed->count; ++i) close(passed->fds[i]);
  passed->count = 0;
}

}  // namespace

ssize_t SendDescriptors(int socket, const void* bytes, size_t length, const int* fds,
                        size_t count) {
  if (length == 0 || count == 0 || count > kMostPassed) return -EINVAL;
  Control control{};
  iovec data{const_cast<void*>(bytes), length};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen =
      static_cast<decltype(message.msg_controllen)>(CMSG_SPACE(sizeof(int) * count));
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = static_cast<decltype(rights->cmsg_len)>(CMSG_LEN(sizeof(int) * count));
  std::memcpy(CMSG_DATA(rights), fds, sizeof(int) * count);
  for (;;) {
    const ssize_t n = sendmsg(socket, &message, kSendFlags | MSG_DONTWAIT);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

ssize_t ReceiveDescriptors(int socket, void* bytes, size_t length, size_t most,
                           PassedDescriptors* passed) {
  passed->count = 0;
  if (length == 0) return -EINVAL;
  Control control;
  iovec data{bytes, length};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  ssize_t n;
  do {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof(control.bytes);
    n = recvmsg(socket, &message, kReceiveFlags);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return -errno;
  Collect(&message, passed);
  CloseOnExec(*passed);
  const bool cut = (message.msg_flags & MSG_CTRUNC) != 0;
  if (!cut && passed->count <= most) return n;
  CloseAll(passed);
  return cut ? -EMFILE : -EMSGSIZE;
}

}  // namespace io_selectors
