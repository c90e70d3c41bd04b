// Datagrams: UDP sockets, and I/O that carries an address, for UDP and Unix sockets. udp(7),
// recvfrom(2), sendto(2)

import { assertBoolean } from "./arguments.ts";
import { native } from "./native.ts";
import { assertHost, assertOptions, assertPort, orThrowHost } from "./opening.ts";
import { bytesOf, type SocketAddress } from "./socket-address.ts";

/** Options of bindUdp. */
export interface BindUdpOptions {
  /** A numeric IPv4 or IPv6 address; 127.0.0.1 unless given. */
  readonly host?: string;
  /** 0, the default, lets the kernel pick: ask localPort(). */
  readonly port?: number;
  /** SO_REUSEPORT: several sockets share the port, and each datagram goes to one of them. */
  readonly reusePort?: boolean;
  /**
   * SO_REUSEADDR: several receivers of a multicast group, or of broadcasts, share the port, and
   * each such datagram goes to all of them. Other datagrams go to the socket that was bound last.
   */
  readonly reuseAddress?: boolean;
}

/**
 * Opens a non-blocking UDP socket with a port, for recvFrom and sendTo.
 * @returns its descriptor, which the caller closes.
 * @throws {Error} in Node's form: `EADDRINUSE`.
 */
export function bindUdp(options: BindUdpOptions = {}): number {
  assertOptions(options);
  const { host = "127.0.0.1", port = 0, reusePort = false, reuseAddress = false } = options;
  assertHost(host);
  assertPort(port);
  assertBoolean(reusePort, "reusePort");
  assertBoolean(reuseAddress, "reuseAddress");
  const answer = native.bindUdp(host, port, reusePort, reuseAddress);
  return orThrowHost(answer, host, `cannot bind ${host}:${port}`);
}

/**
 * Opens a non-blocking UDP socket that sends to and receives from one peer only: for send and recv.
 * If nothing listens there, a later call returns -ECONNREFUSED.
 * @returns its descriptor, which the caller closes.
 * @throws {Error} in Node's form.
 */
export function connectUdp(options: { readonly host?: string; readonly port: number }): number {
  assertOptions(options);
  const { host = "127.0.0.1", port } = options;
  assertHost(host);
  assertPort(port);
  return orThrowHost(native.connectUdp(host, port), host, `cannot connect to ${host}:${port}`);
}

/**
 * Receives one datagram into `bytes` from `offset` on, cut to `length` bytes (the rest of `bytes`
 * unless given), and its sender into `sender`, which is unchanged if nothing was received.
 * @returns its bytes, 0 for an empty one, or -errno: -EAGAIN if none is there, -EINVAL for an empty
 *   range or one outside `bytes`.
 * @see recvfrom(2)
 */
export function recvFrom(
  fd: number,
  bytes: Uint8Array,
  sender: SocketAddress,
  offset?: number,
  length?: number,
): number {
  return native.recvFrom(fd, bytesOf(sender), bytes, offset, length);
}

/**
 * Sends `length` bytes of `bytes` from `offset` on (the rest unless given) as one datagram.
 * @returns the number of bytes, always all of them, or -errno: -EAGAIN while the receiver's queue
 *   is full, -EMSGSIZE for more than one datagram holds, -ECONNREFUSED or -ENOENT without a
 *   receiver of a Unix datagram.
 * @see sendto(2)
 */
export function sendTo(
  fd: number,
  bytes: Uint8Array,
  receiver: SocketAddress,
  offset?: number,
  length?: number,
): number {
  return native.sendTo(fd, bytesOf(receiver), bytes, offset, length);
}
