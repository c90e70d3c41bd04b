// Unix sockets by path, or on Linux by abstract name (a leading NUL: "\0name"), and pairs of them.
// I/O on them is socket.ts' accept, recv and send, and datagram.ts' recvFrom and sendTo.
// Enters: names. Leaves: non-blocking descriptors, which the caller closes. unix(7)

import { assertOneOf } from "./arguments.ts";
import { native, SOCKET_TYPES } from "./native.ts";
import { assertInteger, assertOptions, assertUnixPath, nameOf, orThrow } from "./opening.ts";
import { LARGEST_BACKLOG } from "./socket.ts";

/** Bytes in order, single datagrams, or both: a connection that keeps messages apart. */
export type SocketType = "stream" | "datagram" | "seqpacket";

export interface ListenUnixOptions {
  /** At most 107 bytes on Linux, 103 elsewhere. */
  readonly path: string;
  /** `stream` unless given. */
  readonly type?: "stream" | "seqpacket";
  /** Connections that the kernel keeps for accept; min(somaxconn, 4096) unless given. */
  readonly backlog?: number;
}

export interface ConnectUnixOptions {
  readonly path: string;
  /** `stream` unless given. */
  readonly type?: SocketType;
}

const ABSTRACT = "Linux only: an abstract name";

/**
 * A listening Unix socket. Closing it leaves the file: a next listen is EADDRINUSE until somebody
 * removes it.
 * @throws {RangeError} where the path is too long; {Error} in Node's form: `EADDRINUSE`, `EACCES`.
 */
export function listenUnix(options: ListenUnixOptions): number {
  assertOptions(options);
  const { path, type = "stream", backlog = 0 } = options;
  assertUnixPath(path);
  assertInteger(backlog, LARGEST_BACKLOG, "a backlog");
  const answer = native.listenUnix(path, typeIndex(type), backlog);
  return orThrow(answer, `cannot listen on ${nameOf(path)}`, ABSTRACT);
}

/**
 * A connected Unix socket; `datagram` has its receiver set, and no name to be answered at.
 * @throws {Error} in Node's form: `ENOENT` without such a file, `ECONNREFUSED` where nobody
 *   listens, `EAGAIN` while the backlog is full, `EPROTOTYPE` where it is of another type.
 */
export function connectUnix(options: ConnectUnixOptions): number {
  assertOptions(options);
  const { path, type = "stream" } = options;
  assertUnixPath(path);
  const answer = native.connectUnix(path, typeIndex(type));
  return orThrow(answer, `cannot connect to ${nameOf(path)}`, ABSTRACT);
}

/** A datagram socket with a name, for recvFrom and sendTo. @throws {Error} as listenUnix does. */
export function bindUnix(options: { readonly path: string }): number {
  assertOptions(options);
  const { path } = options;
  assertUnixPath(path);
  return orThrow(native.bindUnix(path), `cannot bind ${nameOf(path)}`, ABSTRACT);
}

/**
 * Two Unix sockets connected to each other: what one sends, the other receives.
 * @throws {Error} in Node's form: `EMFILE`; `EPROTONOSUPPORT` for `seqpacket` on macOS.
 * @see socketpair(2)
 */
export function socketPair(type: SocketType = "stream"): [number, number] {
  return orThrow(native.socketPair(typeIndex(type)), "cannot open a socket pair");
}

function typeIndex(type: SocketType): number {
  assertOneOf(type, Object.keys(SOCKET_TYPES), "type");
  return SOCKET_TYPES[type];
}
