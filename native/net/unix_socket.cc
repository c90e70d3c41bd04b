#include "net/unix_socket.h"

#include "net/address.h"
#include "net/socket.h"

namespace io_selectors {

namespace {

Result<OwnedFd> OpenBound(const std::string& path, SocketType type) {
  const Result<Address> address = UnixAddress(path);
  if (!address.ok()) return address.error();
  Result<OwnedFd> fd = OpenSocket(AF_UNIX, type);
  if (!fd.ok()) return fd.error();
  if (bind(fd.value().get(), address.value().get(), address.value().length) < 0) {
    return LastError("bind");
  }
  return fd;
}

}  // namespace

Result<OwnedFd> ListenUnix(const std::string& path, SocketType type, int backlog) {
  Result<OwnedFd> fd = OpenBound(path, type);
  if (!fd.ok()) return fd.error();
  if (listen(fd.value().get(), backlog > 0 ? backlog : DefaultBacklog()) < 0) {
    return LastError("listen");
  }
  return fd;
}

Result<OwnedFd> ConnectUnix(const std::string& path, SocketType type) {
  const Result<Address> address = UnixAddress(path);
  if (!address.ok()) return Error{address.error().errno_value, "connect"};
  Result<OwnedFd> fd = OpenSocket(AF_UNIX, type);
  if (!fd.ok()) return fd.error();
  if (connect(fd.value().get(), address.value().get(), address.value().length) < 0) {
    return LastError("connect");
  }
  return fd;
}

Result<OwnedFd> BindUnix(const std::string& path) { return OpenBound(path, SocketType::kDatagram); }

}  // namespace io_selectors
