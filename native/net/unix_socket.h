// Unix sockets: listen, connect and bind by path or abstract name; I/O is that of socket.h and
// datagram.h. unix(7)
#pragma once

#include <string>

#include "core/owned_fd.h"
#include "core/result.h"
#include "net/open_socket.h"

namespace io_selectors {

/**
 * @param path see UnixAddress(); a file that is there already, a stale socket too, is EADDRINUSE.
 * @param backlog 0: DefaultBacklog().
 */
Result<OwnedFd> ListenUnix(const std::string& path, SocketType type, int backlog);

/** Connected at once; EAGAIN while the listener's backlog is full. A datagram socket has its peer
 * set, and no name of its own. */
Result<OwnedFd> ConnectUnix(const std::string& path, SocketType type);

/** A datagram socket with a name, for ReceiveFrom and SendTo. */
Result<OwnedFd> BindUnix(const std::string& path);

}  // namespace io_selectors
