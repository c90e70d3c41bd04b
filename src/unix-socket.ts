// Unix sockets by path, or on Linux by abstract name (a leading NUL: "\0name"), and pairs of them.
// I/O: accept, recv and send of socket.ts, recvFrom and sendTo of datagram.ts. unix(7)

import { assertOneOf } from "./arguments.ts";
import { native, SOCKET_TYPES } from "./native.ts";
import {
  assertInteger,
  assertOptions,
  assertUnixPath,
  explained,
  nameOf,
  orThrow,
} from "./opening.ts";
import { LARGEST_BACKLOG } from "./socket.ts";

/** A byte stream, single datagrams, or a connection that preserves message boundaries. */
export type SocketType = "stream" | "datagram" | "seqpacket";

/** Options of listenUnix. */
export interface ListenUnixOptions {
  /** At most 107 bytes on Linux, 103 elsewhere; "\0name" is an abstract name. */
  readonly path: string;
  /** `stream` unless given. */
  readonly type?: "stream" | "seqpacket";
  /** Connections that the kernel keeps for accept; min(somaxconn, 4096) unless given. */
  readonly backlog?: number;
}

/** Options of connectUnix. */
export interface ConnectUnixOptions {
  /** The path of the listener, or "\0name" for an abstract name. */
  readonly path: string;
  /** `stream` unless given. */
  readonly type?: SocketType;
}

const ABSTRACT = "only Linux has abstract names";

/**
 * Opens a non-blocking, listening Unix socket. Closing it leaves its file: the next listen on the
 * path fails with EADDRINUSE until the file is removed.
 * @returns its descriptor, which the caller closes.
 * @throws {RangeError} if the path is too long; {Error} in Node's form: `EADDRINUSE`, `EACCES`.
 */
export function listenUnix(options: ListenUnixOptions): number {
  assertOptions(options);
  const { path, type = "stream", backlog = 0 } = options;
  assertUnixPath(path);
  assertInteger(backlog, LARGEST_BACKLOG, "a backlog");
  const answer = native.listenUnix(path, typeIndex(type), backlog);
  const remove = { EADDRINUSE: "if no server listens there, remove the file" };
  const advice = path.startsWith("\0") ? { ENOSYS: ABSTRACT } : remove;
  return explained(answer, `cannot listen on ${nameOf(path)}`, advice);
}

/**
 * Opens a non-blocking, connected Unix socket. One of type `datagram` has no name of its own, so
 * its receiver cannot reply.
 * @returns its descriptor, which the caller closes.
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
 * Opens two non-blocking Unix sockets that are connected to each other.
 * @returns both descriptors, which the caller closes.
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
