// Checks of what callers pass, made once, so that native code can trust it. A wrong type is
// ERR_INVALID_ARG_TYPE, a value out of range ERR_INVALID_ARG_VALUE, as in Node's own modules.

import { invalidType, invalidValue } from "./errors.ts";
import { EVENT_READ, EVENT_WRITE, type FileLike } from "./selector.ts";

const WITHOUT_DEADLINE = -1;
const LONGEST_IDLE_MS = 0x7fffffff;
/** The resolution of performance.now(). */
const SHORTEST_REPEAT_MS = 0.001;

/** Also for values that only look like one: 2 ** 32 + 7 would be 7 in native code. */
export function isInt32(value: unknown): value is number {
  return typeof value === "number" && (value | 0) === value;
}

export function descriptorOf(file: FileLike): number {
  const fd = typeof file === "object" && file !== null ? file.fd : file;
  if (isInt32(fd) && fd >= 0) return fd;
  if (typeof fd !== "number") {
    throw invalidType(
      `a descriptor must be a number, or an object with a number as fd; got ${kindOf(file)}`,
    );
  }
  throw invalidValue(`${fd} is not a descriptor: it must be an integer, 0 … 2147483647`);
}

export function assertEvents(events: number): void {
  if (events === EVENT_READ || events === EVENT_WRITE) return;
  if (events === (EVENT_READ | EVENT_WRITE)) return;
  assertNumber(events, "events");
  throw invalidValue(`events is ${events}; it must be EVENT_READ, EVENT_WRITE or both`);
}

/** Milliseconds from 0 on, or below 0 for a wait without a deadline. */
export function toNativeTimeout(timeoutMs: number | null | undefined): number {
  if (timeoutMs === null || timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY) {
    return WITHOUT_DEADLINE;
  }
  if (typeof timeoutMs !== "number") {
    throw invalidType(`a timeout must be milliseconds or null; got ${kindOf(timeoutMs)}`);
  }
  if (Number.isNaN(timeoutMs)) throw invalidValue("the timeout is NaN");
  return timeoutMs > 0 ? timeoutMs : 0;
}

export function assertIdleMs(idleMs: number): void {
  assertNumber(idleMs, "idleMs");
  if (idleMs >= 0 && idleMs <= LONGEST_IDLE_MS) return;
  throw invalidValue(`the idle timeout is ${idleMs} ms; it must be 0 … ${LONGEST_IDLE_MS}`);
}

export function assertRepeatMs(repeatMs: number): void {
  assertNumber(repeatMs, "options.repeatMs");
  if (repeatMs >= SHORTEST_REPEAT_MS) return;
  throw invalidValue(`options.repeatMs is ${repeatMs}; it must be at least 0.001, or left out`);
}

export function assertNumber(value: unknown, name: string): asserts value is number {
  if (typeof value !== "number") throw wrongType(name, "a number", value);
}

export function assertString(value: unknown, name: string): asserts value is string {
  if (typeof value !== "string") throw wrongType(name, "a string", value);
}

export function assertBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== "boolean") throw wrongType(name, "a boolean", value);
}

/** A boolean as the I/O calls pass it on. Other values become NaN, which native code refuses. */
export function switchOf(on: boolean): number {
  if (on === true) return 1;
  return on === false ? 0 : Number.NaN;
}

export function assertFunction(value: unknown, name: string): void {
  if (typeof value !== "function") throw wrongType(name, "a function", value);
}

export function assertObject(value: unknown, name: string): asserts value is object {
  if (typeof value !== "object" || value === null) throw wrongType(name, "an object", value);
}

export function assertSignal(value: unknown): void {
  if (value === undefined || value instanceof AbortSignal) return;
  throw wrongType("options.signal", "an AbortSignal", value);
}

export function assertError(value: unknown, name: string): asserts value is Error {
  if (!isError(value)) throw wrongType(name, "an Error", value);
}

/** By its form: that of another realm, such as a test runner's, is no instance of Error. */
export function isError(value: unknown): value is Error {
  return typeof (value as Error | null | undefined)?.message === "string";
}

/** @param names of the strings that are allowed. */
export function assertOneOf(value: unknown, names: readonly string[], name: string): void {
  assertString(value, name);
  if (names.includes(value)) return;
  throw invalidValue(`${name} is "${value}"; it must be one of: ${names.join(", ")}`);
}

function wrongType(name: string, wanted: string, value: unknown): TypeError {
  return invalidType(`${name} must be ${wanted}; got ${kindOf(value)}`);
}

/** Omits the value itself: to describe it could run the caller's code. */
function kindOf(value: unknown): string {
  return value === null ? "null" : typeof value;
}
