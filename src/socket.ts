// Non-blocking TCP sockets as bare descriptors. What opens a socket throws; I/O answers n or -errno
// and never throws.
// Enters: addresses, descriptors, the caller's Uint8Array. Leaves: descriptors and counts.
// accept4(2), recv(2), send(2)

import { constants } from "node:os";
import { invalidType, invalidValue } from "./errors.ts";
import { native, systemError } from "./native.ts";

/**
 * errno values that non-blocking I/O answers with, positive; compare as `n === -EAGAIN`. errno(3)
 */
export const { EAGAIN, EINPROGRESS, ECONNRESET, EPIPE, EMFILE, ENFILE } = constants.errno;

export interface ListenOptions {
  /** A numeric IPv4 or IPv6 address; 127.0.0.1 unless given. */
  readonly host?: string;
  /** 0, the default, lets the kernel pick: ask localPort(). */
  readonly port?: number;
  /** Connections that the kernel keeps for accept; min(somaxconn, 4096) unless given. */
  readonly backlog?: number;
  /** SO_REUSEPORT: several sockets share the port. */
  readonly reusePort?: boolean;
}

/**
 * A listening, non-blocking TCP socket.
 * @returns its descriptor, which the caller closes.
 * @throws {Error} in Node's form: `{ code: 'EADDRINUSE', errno, syscall: 'bind' }`.
 * @see listen(2)
 */
export function listenTcp(options: ListenOptions = {}): number {
  const { host = "127.0.0.1", port = 0, backlog = 0, reusePort = false } = options;
  assertPort(port);
  return orThrow(
    native.listenTcp(host, port, backlog, reusePort),
    `cannot listen on ${host}:${port}`,
  );
}

/**
 * A non-blocking TCP socket whose connection is under way: it is writable once that ended; then ask
 * socketError().
 * @returns its descriptor, which the caller closes.
 * @throws {Error} in Node's form where the attempt is refused at once.
 * @see connect(2)
 */
export function connectTcp(options: { readonly host?: string; readonly port: number }): number {
  const { host = "127.0.0.1", port } = options;
  assertPort(port);
  return orThrow(native.connectTcp(host, port), `cannot connect to ${host}:${port}`);
}

/** The port that a socket is bound to. @throws {Error} in Node's form. @see getsockname(2) */
export function localPort(fd: number): number {
  return orThrow(native.localPort(fd), `cannot tell the port of fd ${fd}`);
}

/** How a pending connect ended: 0, or a positive errno. @see SO_ERROR in socket(7) */
export function socketError(fd: number): number {
  return native.socketError(fd);
}

/**
 * Accepts one connection, non-blocking, with TCP_NODELAY. @returns its descriptor, or -errno:
 * -EAGAIN without one.
 */
export function accept(fd: number): number {
  return native.accept(fd);
}

/**
 * Receives into `bytes` from `offset` on, at most `length` bytes.
 * @returns bytes received, 0 at end of file, or -errno: -EAGAIN with nothing there, -EINVAL for a
 *   range outside `bytes`.
 */
export function recv(
  fd: number,
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): number {
  return native.recv(fd, bytes, offset, length);
}

/**
 * Sends `length` bytes of `bytes` from `offset` on; never raises SIGPIPE.
 * @returns bytes taken, perhaps fewer, or -errno: -EAGAIN while the peer's window is full, -EPIPE
 *   once it has gone.
 */
export function send(
  fd: number,
  bytes: Uint8Array,
  offset = 0,
  length = bytes.length - offset,
): number {
  return native.send(fd, bytes, offset, length);
}

/**
 * Closes a descriptor. @returns 0, or -errno. @throws {TypeError} for anything but a descriptor.
 * @see close(2)
 */
export function close(fd: number): number {
  if (!Number.isInteger(fd) || fd < 0) throw invalidType(`${String(fd)} is not a descriptor`);
  return native.close(fd);
}

function assertPort(port: number): void {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw invalidValue(`${port} is not a port: 0 … 65535`);
  }
}

function orThrow(answer: number, what: string): number {
  if (answer < 0) throw systemError(answer, what);
  return answer;
}
