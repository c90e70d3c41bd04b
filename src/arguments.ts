// What callers pass, checked once: descriptors, events, timeouts. Enters: anything. Leaves: numbers
// that native code may trust, or an error that says what is wrong and what is needed.

import { invalidType, invalidValue } from "./errors.ts";
import { EVENT_READ, EVENT_WRITE, type FileLike } from "./selector.ts";

const LARGEST_FD = 0x7fffffff;
const WITHOUT_DEADLINE = -1;
const LONGEST_IDLE_MS = 0x7fffffff;

export function descriptorOf(file: FileLike): number {
  const fd = typeof file === "object" && file !== null ? file.fd : file;
  if (typeof fd !== "number") {
    throw invalidType(`a descriptor, or an object with a numeric fd, is needed; got ${typeof fd}`);
  }
  if (!Number.isInteger(fd) || fd < 0 || fd > LARGEST_FD) {
    throw invalidValue(`${fd} is not a descriptor: an integer from 0 on is needed`);
  }
  return fd;
}

export function assertEvents(events: number): void {
  if (!Number.isInteger(events) || events <= 0 || (events & ~(EVENT_READ | EVENT_WRITE)) !== 0) {
    throw invalidValue(`events is ${events}; EVENT_READ, EVENT_WRITE or both are needed`);
  }
}

/** Milliseconds from 0 on, or below 0 for a wait without a deadline. */
export function toNativeTimeout(timeoutMs: number | null | undefined): number {
  if (timeoutMs === null || timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) {
    return WITHOUT_DEADLINE;
  }
  if (typeof timeoutMs !== "number") {
    throw invalidType(`the timeout is a number of milliseconds or null; got ${typeof timeoutMs}`);
  }
  if (Number.isNaN(timeoutMs)) throw invalidValue("the timeout is NaN");
  return timeoutMs > 0 ? timeoutMs : 0;
}

export function assertIdleMs(idleMs: number): void {
  if (typeof idleMs !== "number") throw invalidType(`${String(idleMs)} is no idle timeout`);
  if (idleMs >= 0 && idleMs <= LONGEST_IDLE_MS) return;
  throw invalidValue(`an idle timeout of ${idleMs} ms: 0 … ${LONGEST_IDLE_MS} is possible`);
}
