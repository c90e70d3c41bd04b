// Non-blocking stream sockets as bare descriptors. Functions that open one throw; I/O returns a
// count or -errno and never throws, whatever its arguments are. accept4(2), recv(2), send(2)

import { assertBoolean, descriptorOf } from "./arguments.ts";
import { answerOfFrame, Lending } from "./lending.ts";
import { native } from "./native.ts";
import {
  assertHost,
  assertInteger,
  assertLocalAddress,
  assertOptions,
  assertPort,
  orThrow,
  orThrowHost,
} from "./opening.ts";

/** The largest backlog that listen(2) takes; the kernel reduces it to its own bound. */
export const LARGEST_BACKLOG = 0x7fffffff;

const receiving = new Lending("receive");
const sending = new Lending("send");

/** Options of connectTcp. */
export interface ConnectTcpOptions {
  /** A numeric IPv4 or IPv6 address; 127.0.0.1 unless given. */
  readonly host?: string;
  /** The port to connect to. */
  readonly port: number;
  /** A numeric address of this machine to connect from; the kernel's choice unless given. */
  readonly localAddress?: string;
}

/** Options of listenTcp. */
export interface ListenOptions {
  /** A numeric IPv4 or IPv6 address; 127.0.0.1 unless given. */
  readonly host?: string;
  /** 0, the default, lets the kernel pick one: see localPort(). */
  readonly port?: number;
  /** Connections that the kernel keeps for accept; min(somaxconn, 4096) unless given. */
  readonly backlog?: number;
  /** SO_REUSEPORT: several sockets share the port. */
  readonly reusePort?: boolean;
}

/**
 * Opens a listening, non-blocking TCP socket.
 * @returns its descriptor, which the caller closes.
 * @throws {Error} in Node's form: `{ code: 'EADDRINUSE', errno, syscall: 'bind' }`.
 * @see listen(2)
 */
export function listenTcp(options: ListenOptions = {}): number {
  const { host, port, backlog, reusePort } = checkedListen(options);
  const answer = native.listenTcp(host, port, backlog, reusePort);
  return orThrowHost(answer, host, `cannot listen on ${host}:${port}`);
}

/** With what is missing filled in. @throws {RangeError | TypeError} */
export function checkedListen(options: ListenOptions): Required<ListenOptions> {
  assertOptions(options);
  const { host = "127.0.0.1", port = 0, backlog = 0, reusePort = false } = options;
  assertHost(host);
  assertPort(port);
  assertInteger(backlog, LARGEST_BACKLOG, "a backlog");
  assertBoolean(reusePort, "reusePort");
  return { host, port, backlog, reusePort };
}

/**
 * Opens a non-blocking TCP socket and starts to connect it. The socket is writable once the attempt
 * has ended; socketError() then returns the result.
 * @returns its descriptor, which the caller closes.
 * @throws {Error} in Node's form if the attempt fails at once.
 * @see connect(2)
 */
export function connectTcp(options: ConnectTcpOptions): number {
  assertOptions(options);
  const { host = "127.0.0.1", port, localAddress } = options;
  assertHost(host);
  assertPort(port);
  assertLocalAddress(localAddress);
  const answer = native.connectTcp(host, port, localAddress ?? "");
  return orThrowHost(answer, host, `cannot connect to ${host}:${port}`);
}

/** Returns the port of a bound socket. @throws {Error} in Node's form. @see getsockname(2) */
export function localPort(fd: number): number {
  return orThrow(native.localPort(descriptorOf(fd)), `cannot read the port of fd ${fd}`);
}

/** Returns how a pending connect ended: 0, or a positive errno. @see SO_ERROR in socket(7) */
export function socketError(fd: number): number {
  return native.socketError(fd);
}

/**
 * Accepts one connection of a TCP or Unix listener: non-blocking, with TCP_NODELAY if it is TCP.
 * @returns its descriptor, which the caller closes, or -errno: -EAGAIN if none is pending.
 */
export function accept(fd: number): number {
  return native.accept(fd);
}

/**
 * Receives into `bytes` from `offset` on, at most `length` bytes: the rest of `bytes` unless given.
 * @returns bytes received, 0 at end of file (or for an empty datagram), or -errno: -EAGAIN if
 *   nothing is there, -EINVAL for an empty range, so that 0 has one meaning, or for a range outside
 *   `bytes`.
 * @see recv(2)
 */
export function recv(fd: number, bytes: Uint8Array, offset?: number, length?: number): number {
  if (receiving.fillFrame(fd, bytes, offset, length)) {
    native.recvLent();
    return answerOfFrame();
  }
  receiving.consider(bytes);
  if (offset === undefined && length === undefined) return native.recv(fd, bytes);
  return native.recv(fd, bytes, offset, length);
}

/**
 * Sends `length` bytes of `bytes` from `offset` on: the rest unless given. Never raises SIGPIPE.
 * @returns bytes sent, perhaps fewer, or -errno: -EAGAIN while the send buffer is full, -EPIPE or
 *   -ECONNRESET once the peer has gone, -EINVAL for a range outside `bytes`.
 * @see send(2)
 */
export function send(fd: number, bytes: Uint8Array, offset?: number, length?: number): number {
  if (sending.fillFrame(fd, bytes, offset, length)) {
    native.sendLent();
    return answerOfFrame();
  }
  sending.consider(bytes);
  if (offset === undefined && length === undefined) return native.send(fd, bytes);
  return native.send(fd, bytes, offset, length);
}

const DIRECTIONS = new Map([
  ["read", 0],
  ["write", 1],
  ["both", 2],
]);

/**
 * Ends one direction of a connection, or both; the descriptor stays open. After `write` the peer
 * reads an end of file.
 * @returns 0, or -errno: -ENOTCONN without a connection.
 * @see shutdown(2)
 */
export function shutdown(fd: number, how: "read" | "write" | "both"): number {
  return native.shutdown(fd, DIRECTIONS.get(how) ?? Number.NaN);
}
