// connect and adopt: connections that this program opens, or takes over as descriptors. Schmidt's
// Connector pattern.

import { descriptorOf } from "./arguments.ts";
import { type ConnectTarget, connectDescriptor } from "./connect-descriptor.ts";
import type { Connection, ConnectionHandlers } from "./connection.ts";
import { opened } from "./connection-symbols.ts";
import { close } from "./descriptor.ts";
import type { EngineConnection } from "./engine-connection.ts";
import { adoptInto, type ConnectionOptions, makeRole } from "./engines.ts";
import type { FileLike } from "./selector.ts";
import { setNoDelay } from "./socket-options.ts";

/** Options of connect: where to, how long to try, and the options of the connection. */
export interface ConnectOptions extends ConnectionOptions, ConnectTarget {}

/**
 * Connects to a host name, an address or a Unix socket. All addresses of a name are tried, IPv6 and
 * IPv4 in turn: the next one `attemptDelayMs` after the previous one, or as soon as that one has
 * failed. The first to connect is used. Without a `data` handler the connection starts paused, for
 * `for await`, a stream, or `setHandlers` and `resume`.
 * @returns the connection, after its `open` handler.
 * @throws {Error} in Node's form: `{ code: 'ECONNREFUSED', errno, syscall: 'connect', address, port
 *   }`, `ETIMEDOUT` after `timeoutMs`, `ENOTFOUND` for a name; the signal's reason; an
 *   AggregateError with the code of the first error if several addresses fail.
 * @see RFC 8305, connect(2)
 */
export async function connect<T = undefined>(
  options: ConnectOptions,
  handlers: ConnectionHandlers<T> = {},
): Promise<Connection<T>> {
  const role = makeRole(handlers, options, null); // refuses before anything is opened
  const fd = await connectDescriptor(options);
  setNoDelay(fd); // refused by a Unix socket, which never delays
  try {
    const connection = adoptInto(fd, role, options.idleTimeoutMs);
    open(connection);
    return connection;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/**
 * Makes a connection from a descriptor that was opened elsewhere: a connected socket or, on the
 * readiness engine, one end of a pipe or a terminal. The descriptor becomes non-blocking and is
 * closed with the connection.
 * @returns the connection, after its `open` handler.
 * @throws {Error} in Node's form: `EBADF`; `ENOTSOCK` on the io_uring engine; `EPERM` for a regular
 *   file, which epoll does not watch: without a `data` handler the first read fails with it. The
 *   caller then closes the descriptor.
 */
export function adopt<T = undefined>(
  file: FileLike,
  handlers: ConnectionHandlers<T> = {},
  options: ConnectionOptions = {},
): Connection<T> {
  const fd = descriptorOf(file);
  const connection = adoptInto(fd, makeRole(handlers, options, null), options.idleTimeoutMs);
  open(connection);
  return connection;
}

function open<T>(connection: Connection<T>): void {
  (connection as EngineConnection<T>)[opened]();
}
