// Socket options. Each function returns 0 or the value, or -errno, and never throws: -ENOPROTOOPT
// or -EOPNOTSUPP if the platform, or that kind of socket, lacks the option. socket(7), tcp(7)

import { isInt32, switchOf } from "./arguments.ts";
import { EINVAL } from "./errno.ts";
import { LINGER_OFF, native, SOCKET_OPTIONS } from "./native.ts";

/** TCP_NODELAY: small segments are sent at once. */
export function setNoDelay(fd: number, on = true): number {
  return native.setOption(fd, SOCKET_OPTIONS.noDelay, switchOf(on));
}

/** @returns 1 if it is on, 0 if it is off, or -errno. */
export function getNoDelay(fd: number): number {
  return asBoolean(native.getOption(fd, SOCKET_OPTIONS.noDelay));
}

/**
 * SO_KEEPALIVE: an idle connection is probed, and fails if the peer is gone.
 * @param idleSeconds without traffic before the first probe; the system's default (two hours)
 *   unless given. TCP_KEEPIDLE
 */
export function setKeepAlive(fd: number, on = true, idleSeconds?: number): number {
  if (idleSeconds !== undefined && !isInt32(idleSeconds)) return -EINVAL;
  const answer = native.setOption(fd, SOCKET_OPTIONS.keepAlive, switchOf(on));
  if (answer < 0 || !on || idleSeconds === undefined) return answer;
  return native.setOption(fd, SOCKET_OPTIONS.keepAliveIdle, idleSeconds);
}

/** @returns the idle seconds before the first probe, 0 if keep-alive is off, or -errno. */
export function getKeepAlive(fd: number): number {
  const on = native.getOption(fd, SOCKET_OPTIONS.keepAlive);
  return on > 0 ? native.getOption(fd, SOCKET_OPTIONS.keepAliveIdle) : on;
}

/**
 * SO_RCVBUF, in bytes. The kernel applies its bounds, and Linux doubles the value to account for
 * overhead: getReceiveBuffer returns the doubled value.
 */
export function setReceiveBuffer(fd: number, bytes: number): number {
  return native.setOption(fd, SOCKET_OPTIONS.receiveBuffer, bytes);
}

/** @returns bytes as the kernel counts them, or -errno. */
export function getReceiveBuffer(fd: number): number {
  return native.getOption(fd, SOCKET_OPTIONS.receiveBuffer);
}

/** SO_SNDBUF, in bytes; bounded and doubled as for setReceiveBuffer. */
export function setSendBuffer(fd: number, bytes: number): number {
  return native.setOption(fd, SOCKET_OPTIONS.sendBuffer, bytes);
}

/** @returns bytes as the kernel counts them, or -errno. */
export function getSendBuffer(fd: number): number {
  return native.getOption(fd, SOCKET_OPTIONS.sendBuffer);
}

/**
 * TCP_QUICKACK: acknowledgements are sent at once. Linux only, -ENOPROTOOPT elsewhere. The kernel
 * may leave this mode by itself.
 */
export function setQuickAck(fd: number, on = true): number {
  return native.setOption(fd, SOCKET_OPTIONS.quickAck, switchOf(on));
}

/** @returns 1 if it is on, 0 if it is off, or -errno. */
export function getQuickAck(fd: number): number {
  return asBoolean(native.getOption(fd, SOCKET_OPTIONS.quickAck));
}

/** SO_REUSEPORT, which is set as a socket is opened. @returns 1, 0, or -errno. */
export function getReusePort(fd: number): number {
  return asBoolean(native.getOption(fd, SOCKET_OPTIONS.reusePort));
}

/**
 * SO_LINGER: what close does with bytes that the peer has not acknowledged. With 0 they are
 * discarded and the peer gets a reset (-ECONNRESET); no port stays in TIME_WAIT. With more, close
 * blocks this thread for at most that long.
 * @param seconds from 0 on; null, the default of sockets, lets the kernel deliver them after close.
 */
export function setLinger(fd: number, seconds: number | null): number {
  return native.setOption(fd, SOCKET_OPTIONS.linger, seconds === null ? LINGER_OFF : seconds);
}

/** @returns seconds, null if it is off, or -errno. */
export function getLinger(fd: number): number | null {
  const answer = native.getOption(fd, SOCKET_OPTIONS.linger);
  if (answer === 0) return null;
  return answer > 0 ? answer - 1 : answer;
}

/** Some kernels return the option's own bit. */
function asBoolean(answer: number): number {
  return Math.min(answer, 1);
}
