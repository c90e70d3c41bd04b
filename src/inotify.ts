// inotify: watches many paths for changes on one descriptor. On Linux only; elsewhere the functions
// that open and add throw ENOSYS. inotify(7)

import { endianness } from "node:os";
import { assertNumber, descriptorOf } from "./arguments.ts";
import { invalidType, invalidValue } from "./errors.ts";
import { native } from "./native.ts";
import { assertInteger, assertPath, explained } from "./opening.ts";

/**
 * Bits of inotify: events to watch and to compare `InotifyEvent.mask` with, the flags of
 * `addInotifyWatch`, and bits that only events have (`UNMOUNT`, `Q_OVERFLOW`, `IGNORED`, `ISDIR`).
 * @see inotify(7)
 */
export const IN = Object.freeze({
  /** A file was read. */
  ACCESS: 0x1,
  /** A file was written or truncated. */
  MODIFY: 0x2,
  /** Metadata changed: permissions, times, links, owner. */
  ATTRIB: 0x4,
  /** A file that was open for writing was closed. */
  CLOSE_WRITE: 0x8,
  /** A file or directory that was not open for writing was closed. */
  CLOSE_NOWRITE: 0x10,
  /** CLOSE_WRITE | CLOSE_NOWRITE */
  CLOSE: 0x18,
  /** A file or directory was opened. */
  OPEN: 0x20,
  /** An entry was moved out of the directory, or renamed: its old name. */
  MOVED_FROM: 0x40,
  /** An entry was moved into the directory, or renamed: its new name. */
  MOVED_TO: 0x80,
  /** MOVED_FROM | MOVED_TO */
  MOVE: 0xc0,
  /** An entry was created in the directory. */
  CREATE: 0x100,
  /** An entry was deleted from the directory. */
  DELETE: 0x200,
  /** The watched path itself was deleted. */
  DELETE_SELF: 0x400,
  /** The watched path itself was moved. */
  MOVE_SELF: 0x800,
  /** All of the events above. */
  ALL_EVENTS: 0xfff,
  /** The file system of the path was unmounted. */
  UNMOUNT: 0x2000,
  /** The kernel's queue was full and events were lost: look at all paths again. `watch` is -1. */
  Q_OVERFLOW: 0x4000,
  /** The watch has ended: it was removed, or its path was deleted or unmounted. */
  IGNORED: 0x8000,
  /** Fails with ENOTDIR if the path is not a directory. */
  ONLYDIR: 0x1000000,
  /** Watches a symbolic link itself. */
  DONT_FOLLOW: 0x2000000,
  /** Reports no events of entries that were unlinked from the directory. */
  EXCL_UNLINK: 0x4000000,
  /** Fails with EEXIST, instead of replacing the mask, if the path has a watch. Linux 4.18. */
  MASK_CREATE: 0x10000000,
  /** Adds to the mask of a watch instead of replacing it. */
  MASK_ADD: 0x20000000,
  /** The event is about a directory. */
  ISDIR: 0x40000000,
  /** Ends the watch after one event. */
  ONESHOT: 0x80000000,
});

/** One struct inotify_event. */
export interface InotifyEvent {
  /** What `addInotifyWatch` returned for the path; -1 with `IN.Q_OVERFLOW`. */
  readonly watch: number;
  /** `IN` bits. */
  readonly mask: number;
  /** The same in `MOVED_FROM` and `MOVED_TO` of one rename; else 0. */
  readonly cookie: number;
  /** The entry of a watched directory, as UTF-8; empty if the event is about the path itself. */
  readonly name: string;
  /** The name as the file system has it: part of the decoded array, not a copy. */
  readonly nameBytes: Uint8Array;
}

/** Fixed part of struct inotify_event: wd, mask, cookie, len, 32 bits each; then the name. */
const HEAD_BYTES = 16;
const LITTLE_ENDIAN = endianness() === "LE";
const NUL = 0;
/** Keeps U+FEFF, which a name may begin with. */
const text = new TextDecoder("utf-8", { ignoreBOM: true });

const INSTANCES = {
  ENOSYS: "only Linux has inotify",
  EMFILE: "raise fs.inotify.max_user_instances or ulimit -n, or watch many paths on one descriptor",
};
const WATCHES = { ENOSYS: "only Linux has inotify", ENOSPC: "raise fs.inotify.max_user_watches" };

/**
 * A descriptor that is readable while events are queued: add paths with addInotifyWatch, take
 * events with read() (4 KiB of room hold any event) and decode them with decodeInotify.
 * @returns the descriptor, which the caller closes.
 * @throws {Error} in Node's form: `EMFILE`.
 * @see inotify_init1(2)
 */
export function openInotify(): number {
  return explained(native.openInotify(), "cannot open an inotify descriptor", INSTANCES);
}

/**
 * Watches a path, or replaces the mask of its watch.
 * @param mask `IN` bits: at least one event, and flags.
 * @returns the number of the watch, which its events have.
 * @throws {Error} in Node's form: `ENOENT`, `ENOTDIR` with `IN.ONLYDIR`, `ENOSPC` at the limit of
 *   watches per user, `EINVAL` if `fd` is not an inotify descriptor.
 * @see inotify_add_watch(2)
 */
export function addInotifyWatch(fd: number, path: string, mask: number): number {
  const inotify = descriptorOf(fd);
  assertPath(path);
  assertNumber(mask, "mask");
  const bits = mask >>> 0; // `|` with IN.ONESHOT is negative
  if (bits !== mask && (mask | 0) !== mask) {
    throw invalidValue(`the mask ${mask} is not made of IN bits, such as IN.CREATE | IN.DELETE`);
  }
  if ((mask & IN.ALL_EVENTS) === 0) {
    throw invalidValue(`the mask 0x${mask.toString(16)} has no event: add one, such as IN.CREATE`);
  }
  const answer = native.addWatch(inotify, path, bits);
  return explained(answer, `cannot watch ${path} on fd ${fd}`, WATCHES);
}

/**
 * Ends a watch. Its events that are queued still arrive, the last with `IN.IGNORED`.
 * @returns 0, or -errno: -EINVAL for a watch that has ended, or for a descriptor of another kind.
 * @see inotify_rm_watch(2)
 */
export function removeInotifyWatch(fd: number, watch: number): number {
  return native.removeWatch(fd, watch);
}

/**
 * The events that read() put into `bytes`.
 * @param byteCount what read() returned; all of `bytes` unless given.
 * @throws {RangeError} ERR_INVALID_ARG_VALUE if they are not whole events.
 */
export function decodeInotify(bytes: Uint8Array, byteCount?: number): InotifyEvent[] {
  if (!(bytes instanceof Uint8Array)) throw invalidType("bytes must be a Uint8Array");
  const length = byteCount === undefined ? bytes.length : byteCount;
  assertInteger(length, bytes.length, "a count of bytes to decode");
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const events: InotifyEvent[] = [];
  for (let at = 0; at < length; ) {
    const nameAt = at + HEAD_BYTES;
    const end = nameAt <= length ? nameAt + view.getUint32(at + 12, LITTLE_ENDIAN) : length + 1;
    if (end > length) {
      throw invalidValue(`${length} bytes end inside an event: pass what one read() returned`);
    }
    const padded = bytes.subarray(nameAt, end);
    const nul = padded.indexOf(NUL);
    const nameBytes = nul < 0 ? padded : padded.subarray(0, nul);
    events.push({
      watch: view.getInt32(at, LITTLE_ENDIAN),
      mask: view.getUint32(at + 4, LITTLE_ENDIAN),
      cookie: view.getUint32(at + 8, LITTLE_ENDIAN),
      name: text.decode(nameBytes),
      nameBytes,
    });
    at = end;
  }
  return events;
}

/**
 * An inotify descriptor with one watch: entries of a directory that are created, changed, moved or
 * deleted, and the directory itself. Each call takes one of the user's inotify instances (128 by
 * default): for many directories use openInotify.
 * @throws {Error} in Node's form: `ENOENT`, `ENOTDIR`, `EMFILE`.
 * @see inotify(7)
 */
export function watchDirectory(path: string): number {
  assertPath(path);
  return explained(native.watchDirectory(path), `cannot watch ${path}`, {
    ...INSTANCES,
    ...WATCHES,
  });
}
