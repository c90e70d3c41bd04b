// Sends and receives descriptors, along with bytes, over a Unix socket to another process or
// thread. Both calls return bytes or -errno and never throw. SCM_RIGHTS in unix(7)

import { native } from "./native.ts";

/**
 * Sends bytes, and duplicates of open descriptors with them; the sender's stay open, and share the
 * open file (its offset, and whether it blocks) with the receiver's.
 * @param socket a connected Unix socket: socketPair, connectUnix, or accepted from listenUnix.
 * @param descriptors one, or up to 253 in an Int32Array.
 * @param bytes what to send, from `offset` on, `length` bytes (the rest unless given): at least
 *   one, because descriptors travel with bytes.
 * @returns bytes taken, perhaps fewer than `length` on a stream: the descriptors went with the
 *   first of them, so send() the rest. Or -errno, and nothing was sent: -EAGAIN while the
 *   receiver's queue is full, -EBADF if one is not open, -ETOOMANYREFS with too many in flight,
 *   -EINVAL for other arguments, -EPIPE or -ECONNRESET once the peer has closed.
 * @see sendmsg(2), unix(7)
 */
export function sendDescriptor(
  socket: number,
  descriptors: number | Int32Array,
  bytes: Uint8Array,
  offset?: number,
  length?: number,
): number {
  return native.sendDescriptor(socket, descriptors, bytes, offset, length);
}

/**
 * Receives bytes, and the descriptors that came with them. They are close-on-exec, the caller
 * closes them, and they block if the sender's did: see setNonBlocking. On a stream a call ends
 * before the next bytes that have descriptors.
 * @param descriptors filled with the descriptors that came, then with -1; unchanged on -errno.
 * @param bytes where to put the bytes, from `offset` on, at most `length` (the rest unless given).
 * @returns bytes received, 0 at end of file, or -errno: -EAGAIN without a message; -EMSGSIZE if
 *   more descriptors came than `descriptors` has room for, and -EMFILE if this process may not
 *   open more: all that came are closed then, and the bytes are lost.
 * @see recvmsg(2), unix(7)
 */
export function receiveDescriptor(
  socket: number,
  descriptors: Int32Array,
  bytes: Uint8Array,
  offset?: number,
  length?: number,
): number {
  return native.receiveDescriptor(socket, descriptors, bytes, offset, length);
}
