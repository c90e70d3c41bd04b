// The errors of the Selector contract, each with a `code` as Node's own errors have.

import { getSystemErrorName } from "node:util";

/** The codes of SelectorError. */
export type SelectorErrorCode =
  | "ERR_SELECTOR_KEY_EXISTS"
  | "ERR_SELECTOR_KEY_NOT_FOUND"
  | "ERR_SELECTOR_CLOSED"
  | "ERR_SELECTOR_UNSUPPORTED";

/**
 * An error of a selector's own. Errors of the system have Node's form (code, errno, syscall).
 */
export class SelectorError extends Error {
  /** "SelectorError" */
  override readonly name = "SelectorError";
  /** Which rule of the Selector contract the call broke. */
  readonly code: SelectorErrorCode;

  constructor(code: SelectorErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function invalidType(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_TYPE" });
}

export function invalidValue(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: "ERR_INVALID_ARG_VALUE" });
}

/** What a connection refuses, in Node's manner. */
export function connectionError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** The peer had not ended, so what was received may not be all. In the form of node:stream. */
export function closedBeforeEnd(what = "the connection"): Error {
  return connectionError("ERR_STREAM_PREMATURE_CLOSE", `${what} was destroyed before its end`);
}

/** For a write to what is open for reading only, or to a side that was ended. */
export function refusedWrite(readOnly: boolean): Error {
  return readOnly
    ? connectionError("ERR_CONNECTION_READ_ONLY", "the descriptor is open for reading only")
    : connectionError("ERR_STREAM_WRITE_AFTER_END", "write after end");
}

/** As everywhere in Node: 'uncaughtException', once the handlers of this turn have run. */
export function throwLater(thrown: unknown): void {
  process.nextTick(() => {
    throw thrown;
  });
}

/** What a handler threw, for `close`. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error("a handler threw a value that is not an Error", { cause: thrown });
}

/** Why the system ended a connection, in Node's form. @param errno below 0 */
export function connectionLost(errno: number, sending: boolean): NodeJS.ErrnoException {
  const code = getSystemErrorName(errno);
  const syscall = sending ? "write" : "read";
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno, syscall });
}
