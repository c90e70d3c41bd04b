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

#ifdef __linux__
constexpr size_t kMostInstalled = kMostPassed;
#else
/** XNU installs up to 512 of one message (UIPC_MAX_CMSG_FD), however many the receiver takes. */
constexpr size_t kMostInstalled = 512;
#endif

struct Control {
  alignas(cmsghdr) unsigned char bytes[CMSG_SPACE(sizeof(int) * kMostInstalled) + kOtherControl];
};

/** Closes those that there is no room for. @returns whether there was room for all. */
bool Collect(msghdr* message, PassedDescriptors* passed) {
  bool all = true;
  const auto* end =
      static_cast<const unsigned char*>(message->msg_control) + message->msg_controllen;
  for (cmsghdr* at = CMSG_FIRSTHDR(message); at != nullptr; at = CMSG_NXTHDR(message, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    const unsigned char* data = CMSG_DATA(at);
    // Darwin leaves the length of a header that it has cut.
    const size_t bytes =
        std::min<size_t>(at->cmsg_len - CMSG_LEN(0), static_cast<size_t>(end - data));
    for (size_t i = 0; i < bytes / sizeof(int); ++i) {
      int fd;
      std::memcpy(&fd, data + i * sizeof(int), sizeof(fd));
      if (passed->count < kMostPassed) {
        passed->fds[passed->count++] = fd;
      } else {
        close(fd);
        all = false;
      }
    }
  }
  return all;
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
  const bool all = Collect(&message, passed);
  CloseOnExec(*passed);
  const bool cut = (message.msg_flags & MSG_CTRUNC) != 0;
  if (all && !cut && passed->count <= most) return n;
  CloseAll(passed);
  return cut ? -EMFILE : -EMSGSIZE;
}

}  // namespace io_selectors
