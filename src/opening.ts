// Helpers for functions that open a descriptor: they check arguments and turn a failure into an
// exception.

import { isIP } from "node:net";
import { constants } from "node:os";
import { assertNumber, assertObject, assertString } from "./arguments.ts";
import { invalidValue } from "./errors.ts";
import { native, systemError } from "./native.ts";
import { setNoDelay } from "./socket-options.ts";

/** An options object: every function that takes one reads it only after this. */
export function assertOptions(options: object): void {
  assertObject(options, "options");
}

export function assertPort(port: number): void {
  assertInteger(port, 65535, "a port");
}

/** @param what completes "… is not"; it may be 0, and at most `most`. */
export function assertInteger(value: number, most: number, what: string): void {
  assertNumber(value, what);
  if (value % 1 === 0 && value >= 0 && value <= most) return;
  throw invalidValue(`${value} is not ${what}: it must be an integer, 0 … ${most}`);
}

export function assertHost(host: string): void {
  assertString(host, "host");
  if (host === "") throw invalidValue("host is empty; a name or a numeric address is needed");
}

export function assertLocalAddress(address: string | undefined): void {
  if (address === undefined) return;
  assertString(address, "localAddress");
  if (isIP(address) !== 0) return;
  throw invalidValue(`localAddress is ${nameOf(address)}; a numeric address is needed`);
}

/** A path of the file system: not empty, and without a NUL, which would end it early. */
export function assertPath(path: string): void {
  assertString(path, "path");
  if (path === "") throw invalidValue("the path is empty; it must name a file");
  if (path.includes("\0")) throw invalidValue(`the path ${nameOf(path)} has a NUL in it`);
}

/** The same for a Unix socket: as long as its address takes, or an abstract name. */
export function assertUnixPath(path: string): void {
  const abstract = typeof path === "string" && path.startsWith("\0");
  if (!abstract) assertPath(path);
  const most = native.longestUnixPath;
  const bytes = Buffer.byteLength(path) - (abstract ? 1 : 0);
  if (bytes <= most) return;
  throw invalidValue(`${nameOf(path)} has ${bytes} bytes: a socket's path takes at most ${most}`);
}

/**
 * As orThrow.
 * @param advice what to do about an error, by its code; the message ends with it.
 */
export function explained<T>(
  answer: T | number,
  what: string,
  advice: Readonly<Record<string, string>>,
): T {
  if (typeof answer !== "number" || answer >= 0) return answer as T;
  const error = systemError(answer, what);
  const todo = Object.hasOwn(advice, error.code ?? "") ? advice[error.code ?? ""] : undefined;
  throw todo === undefined ? error : systemError(answer, what, error.syscall, todo);
}

/** A path as messages show it; an abstract name with an @, as in ss(8). */
export function nameOf(path: string): string {
  return path.replaceAll("\0", "@");
}

/**
 * @param where which systems have what was asked for, in words, if not all have it.
 * @throws {Error} in Node's form, for an answer below 0.
 */
export function orThrow<T>(answer: T | number, what: string, where?: string): T {
  if (typeof answer !== "number" || answer >= 0) return answer as T;
  const lacks = where !== undefined && answer === -constants.errno.ENOSYS;
  throw systemError(answer, what, undefined, lacks ? where : "");
}

/**
 * The same for a call that was given a host, which may be a name: names are resolved by the caller.
 */
export function orThrowHost(answer: number, host: string, what: string): number {
  if (answer !== -constants.errno.EINVAL || native.failedSyscall() !== "inet_pton") {
    return explained(answer, what, { EADDRINUSE: "choose another port, or 0 for a free one" });
  }
  const scoped = host.includes("%") ? "an IPv6 scope, %…, is not supported" : null;
  const usual = host === "localhost" ? "try 127.0.0.1" : "resolve a name with dns.lookup first";
  const instead = scoped ?? usual;
  const message = `${what}: host must be a numeric address (${instead})`;
  throw Object.assign(new Error(message), { code: "EINVAL", errno: answer, syscall: "inet_pton" });
}

/** Sets TCP_NODELAY. @throws {Error} in Node's form, for anything but a TCP socket. */
export function noDelayOrThrow(fd: number, on: boolean): void {
  const answer = setNoDelay(fd, on);
  if (answer < 0) throw systemError(answer, `cannot set TCP_NODELAY of fd ${fd}`, "setsockopt");
}
