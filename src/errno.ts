// errno values, and errors in Node's form made from the -errno that non-blocking I/O returns.
// errno(3)

import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { assertString, isInt32 } from "./arguments.ts";
import { invalidType, invalidValue } from "./errors.ts";

// Positive, as in errno(3); compare as `n === -EAGAIN`.
export const {
  /** permission denied */
  EACCES,
  /** the address is in use */
  EADDRINUSE,
  /** the address is not one of this machine */
  EADDRNOTAVAIL,
  /** the address family is not supported */
  EAFNOSUPPORT,
  /** it would block: wait until the descriptor is ready */
  EAGAIN,
  /** a connect is already in progress */
  EALREADY,
  /** not an open descriptor */
  EBADF,
  /** the connection was aborted before accept */
  ECONNABORTED,
  /** nothing listens at the address */
  ECONNREFUSED,
  /** the peer has reset the connection */
  ECONNRESET,
  /** it exists already */
  EEXIST,
  /** no route to the host */
  EHOSTUNREACH,
  /** the connect goes on: wait until the descriptor is writable */
  EINPROGRESS,
  /** a signal interrupted the call */
  EINTR,
  /** an invalid argument */
  EINVAL,
  /** an input or output error */
  EIO,
  /** the socket is connected already */
  EISCONN,
  /** this process has no descriptor left */
  EMFILE,
  /** the message is too long */
  EMSGSIZE,
  /** the network is down */
  ENETDOWN,
  /** no route to the network */
  ENETUNREACH,
  /** the system has no descriptor left */
  ENFILE,
  /** no buffer space is left */
  ENOBUFS,
  /** no such device */
  ENODEV,
  /** no such file */
  ENOENT,
  /** no memory is left */
  ENOMEM,
  /** the socket lacks this option */
  ENOPROTOOPT,
  /** no space is left on the device, or a limit is reached */
  ENOSPC,
  /** the socket is not connected */
  ENOTCONN,
  /** not a socket */
  ENOTSOCK,
  /** no such device, or a FIFO without a reader */
  ENXIO,
  /** the operation is not supported */
  EOPNOTSUPP,
  /** the operation is not permitted */
  EPERM,
  /** the other side is closed for reading */
  EPIPE,
  /** a protocol error */
  EPROTO,
  /** the socket is of another type */
  EPROTOTYPE,
  /** the connection timed out */
  ETIMEDOUT,
} = constants.errno;

/**
 * Makes an error in Node's form from what an I/O call returned:
 * `throw errnoError(n, "connect", "127.0.0.1:80")` throws
 * `{ message: "connect ECONNREFUSED 127.0.0.1:80", code: "ECONNREFUSED", errno: -111, syscall }`.
 * @param errno as an I/O call returns it (-ECONNREFUSED) or as socketError does (ECONNREFUSED).
 * @param syscall the call that failed.
 * @param what it was about, such as an address or a path; left out unless given.
 * @throws {RangeError | TypeError} ERR_INVALID_ARG_VALUE for 0, which is no error;
 *   ERR_INVALID_ARG_TYPE.
 * @see errno(3)
 */
export function errnoError(errno: number, syscall: string, what?: string): NodeJS.ErrnoException {
  if (typeof errno !== "number") throw invalidType(`errno must be a number; got ${typeof errno}`);
  assertString(syscall, "syscall");
  if (what !== undefined) assertString(what, "what");
  if (!isInt32(errno) || errno === 0) {
    throw invalidValue(`${errno} is not an errno: it must be an integer other than 0`);
  }
  const negative = errno < 0 ? errno : -errno;
  const code = getSystemErrorName(negative);
  const message = what === undefined ? `${syscall} ${code}` : `${syscall} ${code} ${what}`;
  return Object.assign(new Error(message), { code, errno: negative, syscall });
}
