// Descriptors that are no sockets: pipes, FIFOs, terminals; and what any descriptor can do. What
// opens one throws; I/O answers n or -errno and never throws, whatever it is given.
// Enters: paths, descriptors, the caller's Uint8Array. Leaves: non-blocking descriptors and counts.
// read(2), write(2), pipe(2), fifo(7), pty(7)

import { assertOneOf, descriptorOf, switchOf } from "./arguments.ts";
import { native } from "./native.ts";
import { assertInteger, assertPath, orThrow } from "./opening.ts";

/**
 * Reads into `bytes` from `offset` on, at most `length` bytes: the rest of `bytes` unless given.
 * @returns bytes read, 0 at end of file, or -errno: -EAGAIN with nothing there, -EINVAL without
 *   room, so that 0 has one meaning, or for a range outside `bytes`.
 * @see read(2)
 */
export function read(fd: number, bytes: Uint8Array, offset?: number, length?: number): number {
  if (offset === undefined && length === undefined) return native.read(fd, bytes);
  return native.read(fd, bytes, offset, length);
}

/**
 * Writes `length` bytes of `bytes` from `offset` on: the rest unless given. Node ignores SIGPIPE,
 * so that a pipe without a reader answers -EPIPE.
 * @returns bytes taken, perhaps fewer, or -errno: -EAGAIN where it is full, -EINVAL for a range
 *   outside `bytes`.
 * @see write(2)
 */
export function write(fd: number, bytes: Uint8Array, offset?: number, length?: number): number {
  if (offset === undefined && length === undefined) return native.write(fd, bytes);
  return native.write(fd, bytes, offset, length);
}

/**
 * Closes a descriptor; unregister it first.
 * @returns 0, or -errno: -EBADF where it is not open, -EINVAL for anything but an integer.
 * @see close(2)
 */
export function close(fd: number): number {
  return native.close(fd);
}

/**
 * Keeps a descriptor open when the worker that opened it ends: call it before another thread or
 * another owner (`new net.Socket({ fd })`) takes the number over. A worker's end closes every other
 * descriptor that this library opened in it and that was not closed; registering one with a
 * selector of another thread hands it over, too. On the main thread it has no effect.
 * @throws {TypeError | RangeError} ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for anything but a
 *   descriptor.
 */
export function keepOpen(fd: number): void {
  native.keepOpen(descriptorOf(fd));
}

/**
 * O_NONBLOCK, for a descriptor that came from elsewhere; the open file has it, so all of its
 * duplicates do, those of other processes too.
 * @returns 0, or -errno.
 * @see F_SETFL in fcntl(2)
 */
export function setNonBlocking(fd: number, on = true): number {
  return native.setNonBlocking(fd, switchOf(on));
}

/**
 * Another number for the same open file, close-on-exec; either can be closed without the other.
 * @throws {Error} in Node's form: `EBADF`, `EMFILE`.
 * @see F_DUPFD_CLOEXEC in fcntl(2)
 */
export function dup(fd: number): number {
  return orThrow(native.dup(descriptorOf(fd)), `cannot duplicate fd ${fd}`);
}

/**
 * A pipe. @returns `[reader, writer]`, which the caller closes. @throws {Error} in Node's form.
 * @see pipe(2)
 */
export function pipe(): [number, number] {
  return orThrow(native.pipe(), "cannot open a pipe");
}

/**
 * Makes a FIFO in the file system.
 * @param mode its permissions, from which the process's umask takes.
 * @throws {Error} in Node's form: `EEXIST`.
 * @see mkfifo(3)
 */
export function makeFifo(path: string, mode = 0o666): void {
  assertPath(path);
  assertInteger(mode, 0o7777, "a mode");
  orThrow(native.makeFifo(path, mode), `cannot make the FIFO ${path}`);
}

/**
 * Opens one end of a FIFO without waiting for the other. A reader whose writers have all closed is
 * at the end of the file, and readable, until the next one opens it.
 * @throws {Error} in Node's form: `ENOENT`; `ENXIO` for `write` while nobody reads.
 * @see fifo(7)
 */
export function openFifo(path: string, end: "read" | "write"): number {
  assertPath(path);
  assertOneOf(end, ["read", "write"], "end");
  return orThrow(native.openFifo(path, end === "write"), `cannot open ${path} to ${end}`);
}

/** A pseudo-terminal: what is typed at the controller, the terminal reads, and the reverse. */
export interface Pty {
  readonly controller: number;
  readonly terminal: number;
  /** Of the terminal, for whoever opens it once more. */
  readonly path: string;
}

/**
 * Opens a pseudo-terminal, both sides non-blocking; it echoes, and hands over whole lines, until
 * somebody sets it otherwise. Once the terminal is closed, the controller reads -EIO on Linux.
 * @returns both descriptors, which the caller closes, and the terminal's path.
 * @throws {Error} in Node's form.
 * @see pty(7), termios(3)
 */
export function openPty(): Pty {
  return orThrow(native.openPty(), "cannot open a pseudo-terminal");
}
