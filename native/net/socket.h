// Non-blocking TCP sockets: listen, accept, connect, recv, send, each with its retry rule in one
// place. I/O returns a count, or -errno, and never throws.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/owned_fd.h"
#include "core/result.h"
#include "net/address.h"

namespace io_selectors {

/** min(somaxconn, 4096): the accept backlog that every contender uses. listen(2) */
int DefaultBacklog();

struct ListenOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 0;  // 0: the kernel picks one; ask LocalPort()
  int backlog = 0;    // 0: DefaultBacklog()
  bool reuse_port = false;
};

/** A listening TCP socket, non-blocking, close-on-exec, SO_REUSEADDR. */
Result<OwnedFd> ListenTcp(const ListenOptions& options);

/** The port that a socket is bound to, in host order. getsockname(2) */
Result<uint16_t> LocalPort(int fd);

struct ConnectOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  std::string source;  // bind to this address first, with IP_BIND_ADDRESS_NO_PORT; empty: the
                       // kernel's choice
};

/** A non-blocking socket whose connection is under way: writable once it ended; then ask
 * SocketError(). connect(2) */
Result<OwnedFd> ConnectTcp(const ConnectOptions& options);

/**
 * The same from and to addresses that were read before, so that nothing is allocated.
 * @param source may be nullptr
 * @param receive_buffer SO_RCVBUF, in bytes, before a window is announced to the peer; 0: the
 * system's
 */
Result<OwnedFd> ConnectTcp(const Address& address, const Address* source, int receive_buffer = 0);

/** SO_ERROR: 0, or the errno with which a pending connect ended. */
int SocketError(int fd);

Result<void> SetNoDelay(int fd);

/** Closing then resets the connection (SO_LINGER 0) and leaves no TIME_WAIT behind: for load
 * generators. */
Result<void> SetResetOnClose(int fd);

/**
 * accept(2): whether an error is of a connection that is gone already; the next one in the queue
 * may be fine.
 */
bool ConcernsOnlyThatConnection(int error);

/**
 * Accepts one connection, non-blocking unless `blocking`, close-on-exec, with TCP_NODELAY.
 * @returns the descriptor, or -errno: -EAGAIN when there is none. A connection that its peer took
 * back already is passed over (ECONNABORTED and the pending network errors of accept(2)).
 */
int Accept(int listener, bool blocking = false);

/** recv(2), retried on EINTR. @returns bytes read, 0 at end of file, or -errno (-EAGAIN: nothing
 * there). */
[[gnu::hot]] ssize_t Receive(int fd, void* buffer, size_t length);

/** send(2) with MSG_NOSIGNAL, retried on EINTR. @returns bytes taken, perhaps fewer than `length`,
 * or -errno. */
ssize_t Send(int fd, const void* buffer, size_t length);

}  // namespace io_selectors
