// Counters and timers as descriptors. The functions that open one throw ENOSYS on platforms without
// it. eventfd(2), timerfd_create(2)

import { assertNumber } from "./arguments.ts";
import { invalidValue } from "./errors.ts";
import { native } from "./native.ts";
import { assertInteger, orThrow } from "./opening.ts";

/** Nanoseconds that are exact in a number, about a hundred days. */
const LONGEST_MS = Number.MAX_SAFE_INTEGER / 1e6;

/**
 * Opens a counter in the kernel, readable while it is not 0. Linux and FreeBSD.
 * @param initial 0 … 2^32 - 1
 * @throws {Error} in Node's form.
 * @see eventfd(2)
 */
export function eventfd(initial = 0): number {
  assertInteger(initial, 0xffffffff, "a count");
  const answer = native.openEventfd(initial);
  return orThrow(answer, "cannot open an eventfd", "only Linux and FreeBSD 13 or newer have it");
}

/** Reads the count and resets it to 0. @returns it, or -errno: -EAGAIN if it is 0. */
export function readEventfd(fd: number): number {
  return native.readCounter(fd);
}

/** Adds to the count, 0 … 2^53. @returns 0, or -errno: -EAGAIN if it would exceed 2^64 - 2. */
export function writeEventfd(fd: number, count = 1): number {
  return native.writeCounter(fd, count);
}

/**
 * Opens a timer, readable from each expiry until readTimer. Linux and FreeBSD.
 * @param delayMs until the first expiry, in milliseconds with a resolution of 1 ns; 0 is at once.
 * @param intervalMs between expiries from then on; 0 for only one.
 * @throws {Error} in Node's form.
 * @see timerfd_create(2)
 */
export function openTimer(delayMs: number, intervalMs = 0): number {
  // A delay of 0 would leave it unset.
  const delayNs = Math.max(toNanoseconds(delayMs, "delayMs"), 1);
  const answer = native.openTimer(delayNs, toNanoseconds(intervalMs, "intervalMs"));
  return orThrow(answer, "cannot open a timer", "only Linux and FreeBSD 14 or newer have it");
}

/** Reads how often it has expired since the last read. @returns that, or -errno: -EAGAIN if 0. */
export function readTimer(fd: number): number {
  return native.readCounter(fd);
}

function toNanoseconds(ms: number, name: string): number {
  assertNumber(ms, name);
  if (ms >= 0 && ms <= LONGEST_MS) return Math.ceil(ms * 1e6);
  throw invalidValue(`${name} is ${ms}; it must be milliseconds, 0 … ${Math.floor(LONGEST_MS)}`);
}
