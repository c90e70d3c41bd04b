// Unix sockets by path, or on Linux by abstract name (a leading NUL: "\0name"), and pairs of them.
// I/O: accept, recv and send of socket.ts, recvFrom and sendTo of datagram.ts. unix(7)

import { assertOneOf } from "./arguments.ts";
import { native, SOCKET_TYPES } from "./native.ts";
import { assertInteger, assertOptions, assertUnixPath, nameOf, orThrow } from "./opening.ts";
import { LARGEST_BACKLOG } from "./socket.ts";

/** A byte stream, single datagrams, or a connection that preserves message boundaries. */
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
 * Opens a listening Unix socket. Closing it leaves its file: the next listen on the path fails with
 * EADDRINUSE until the file is removed.
 * @throws {RangeError} if the path is too long; {Error} in Node's form: `EADDRINUSE`, `EACCES`.
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
 * Opens a connected Unix socket. One of type `datagram` has a receiver, and no name to which that
 * can reply.
 * @throws {Error} in Node's form: `ENOENT` without such a file, `ECONNREFUSED` without a listener,
 *   `EAGAIN` while the backlog is full, `EPROTOTYPE` if the listener is of another type.
 */
export function connectUnix(options: ConnectUnixOptions): number {
  assertOptions(options);
  const { path, type = "stream" } = options;
  assertUnixPath(path);
  const answer = native.connectUnix(path, typeIndex(type));
  return orThrow(answer, `cannot connect to ${nameOf(path)}`, ABSTRACT);
}

/** Opens a datagram socket with a name, for recvFrom and sendTo. @throws what listenUnix throws. */
export function bindUnix(options: { readonly path: string }): number {
  assertOptions(options);
  const { path } = options;
  assertUnixPath(path);
  return orThrow(native.bindUnix(path), `cannot bind ${nameOf(path)}`, ABSTRACT);
}

/**
 * Opens two Unix sockets connected to each other: one receives what the other sends.
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
