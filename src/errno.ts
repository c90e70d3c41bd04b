// errno values, and errors in Node's form made from the -errno that non-blocking I/O returns.
// errno(3)

import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import { assertString, isInt32 } from "./arguments.ts";
import { invalidType, invalidValue } from "./errors.ts";

/** Positive, as in errno(3); compare as `n === -EAGAIN`. */
export const {
  EACCES,
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  EAGAIN,
  EALREADY,
  EBADF,
  ECONNABORTED,
  ECONNREFUSED,
  ECONNRESET,
  EEXIST,
  EHOSTUNREACH,
  EINPROGRESS,
  EINTR,
  EINVAL,
  EIO,
  EISCONN,
  EMFILE,
  EMSGSIZE,
  ENETDOWN,
  ENETUNREACH,
  ENFILE,
  ENOBUFS,
  ENODEV,
  ENOENT,
  ENOMEM,
  ENOPROTOOPT,
  ENOSPC,
  ENOTCONN,
  ENOTSOCK,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  EPIPE,
  EPROTO,
  EPROTOTYPE,
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
