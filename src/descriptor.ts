// Descriptors other than sockets (pipes, FIFOs, terminals), and operations for any descriptor.
// Functions that open one throw; I/O returns a count or -errno and never throws. read(2), write(2),
// pipe(2), fifo(7), pty(7)

import { assertOneOf, descriptorOf, switchOf } from "./arguments.ts";
import { native } from "./native.ts";
import { assertInteger, assertPath, orThrow } from "./opening.ts";

/**
 * Reads into `bytes` from `offset` on, at most `length` bytes: the rest of `bytes` unless given.
 * @returns bytes read, 0 at end of file, or -errno: -EAGAIN if nothing is there, -EINVAL for an
 *   empty range, so that 0 has one meaning, or for a range outside `bytes`.
 * @see read(2)
 */
export function read(fd: number, bytes: Uint8Array, offset?: number, length?: number): number {
  if (offset === undefined && length === undefined) return native.read(fd, bytes);
  return native.read(fd, bytes, offset, length);
}

/**
 * Writes `length` bytes of `bytes` from `offset` on: the rest unless given. Node ignores SIGPIPE,
 * so a write to a pipe without a reader returns -EPIPE.
 * @returns bytes written, perhaps fewer, or -errno: -EAGAIN if it is full, -EINVAL for a range
 *   outside `bytes`.
 * @see write(2)
 */
export function write(fd: number, bytes: Uint8Array, offset?: number, length?: number): number {
  if (offset === undefined && length === undefined) return native.write(fd, bytes);
  return native.write(fd, bytes, offset, length);
}

/**
 * Closes a descriptor. Unregister it first.
 * @returns 0, or -errno: -EBADF if it is not open, -EINVAL for anything but an int32.
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
 * Sets O_NONBLOCK of a descriptor that was opened elsewhere. The flag belongs to the open file, so
 * all its duplicates get it, those of other processes too.
 * @returns 0, or -errno.
 * @see F_SETFL in fcntl(2)
 */
export function setNonBlocking(fd: number, on = true): number {
  return native.setNonBlocking(fd, switchOf(on));
}

/**
 * Opens another number for the same open file, close-on-exec. Each is closed by itself.
 * @throws {Error} in Node's form: `EBADF`, `EMFILE`.
 * @see F_DUPFD_CLOEXEC in fcntl(2)
 */
export function dup(fd: number): number {
  return orThrow(native.dup(descriptorOf(fd)), `cannot duplicate fd ${fd}`);
}

/**
 * Opens a pipe.
 * @returns `[reader, writer]`, which the caller closes.
 * @throws {Error} in Node's form.
 * @see pipe(2)
 */
export function pipe(): [number, number] {
  return orThrow(native.pipe(), "cannot open a pipe");
}

/**
 * Makes a FIFO in the file system.
 * @param mode its permissions, less the bits of the process's umask.
 * @throws {Error} in Node's form: `EEXIST`.
 * @see mkfifo(3)
 */
export function makeFifo(path: string, mode = 0o666): void {
  assertPath(path);
  assertInteger(mode, 0o7777, "a mode");
  orThrow(native.makeFifo(path, mode), `cannot make the FIFO ${path}`);
}

/**
 * Opens one end of a FIFO without waiting for the other. After all writers have closed, the reader
 * is readable and at end of file until the next writer opens the FIFO.
 * @throws {Error} in Node's form: `ENOENT`; `ENXIO` for `write` while the FIFO has no reader.
 * @see fifo(7)
 */
export function openFifo(path: string, end: "read" | "write"): number {
  assertPath(path);
  assertOneOf(end, ["read", "write"], "end");
  return orThrow(native.openFifo(path, end === "write"), `cannot open ${path} to ${end}`);
}

/** A pseudo-terminal: the terminal reads what is written to the controller, and the reverse. */
export interface Pty {
  /** The descriptor of the side that a program such as a terminal emulator holds. */
  readonly controller: number;
  /** The descriptor of the side that is a terminal: a shell's standard input, for example. */
  readonly terminal: number;
  /** The path of the terminal, by which it can be opened again. */
  readonly path: string;
}

/**
 * Opens a pseudo-terminal, both sides non-blocking. It echoes and delivers whole lines until it is
 * set otherwise (enterRawMode). Once the terminal is closed, the controller reads -EIO on Linux.
 * @returns both descriptors, which the caller closes, and the terminal's path.
 * @throws {Error} in Node's form.
 * @see pty(7), termios(3)
 */
export function openPty(): Pty {
  return orThrow(native.openPty(), "cannot open a pseudo-terminal");
}
