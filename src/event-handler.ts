// EventHandler: the methods that the Reactor calls for a descriptor, and the check that a handler
// has a method for each event of its registration.

import { assertFunction, assertObject, assertOneOf } from "./arguments.ts";
import { invalidValue } from "./errors.ts";
import { EVENT_READ, EVENT_WRITE } from "./selector.ts";

/** What happens to a handler that throws; see EventHandler.onThrow. */
export type OnThrow = "remove" | "keep";

/** An object whose methods the Reactor calls while its descriptor is ready. */
export interface EventHandler {
  /**
   * Required for EVENT_READ.
   * @param flags FLAG_HANGUP | FLAG_ERROR | FLAG_READ_CLOSED | FLAG_PRIORITY, as readyFlags gives
   *   them.
   */
  onReadable?(fd: number, flags: number): void;
  /** Required for EVENT_WRITE. */
  onWritable?(fd: number, flags: number): void;
  /**
   * Called with the exceptions of onReadable and onWritable. Without it the Reactor's onError is
   * called; without either, the exception is an `uncaughtException` of the process.
   */
  onError?(error: unknown): void;
  /**
   * Whether the handler is removed after it has thrown; the Reactor's onThrow unless given.
   */
  readonly onThrow?: OnThrow | undefined;
  /**
   * Called exactly once, when the handler is removed for any reason; not called if replaceHandler
   * replaces it. The handler closes the descriptor.
   */
  onClose?(fd: number): void;
}

/** A handler that assertHandler has accepted: it has a method for each registered event. */
export type CheckedHandler = EventHandler &
  Required<Pick<EventHandler, "onReadable" | "onWritable">>;

const METHODS = ["onReadable", "onWritable", "onError", "onClose"] as const;

/**
 * @throws {TypeError} ERR_INVALID_ARG_TYPE if a method is not a function.
 * @throws {RangeError} ERR_INVALID_ARG_VALUE if it lacks the method for one of `events`: the
 *   wait would end continuously and nothing would be called.
 */
export function assertHandler(
  handler: EventHandler,
  events: number,
): asserts handler is CheckedHandler {
  assertObject(handler, "handler");
  for (const method of METHODS) {
    const found: unknown = handler[method];
    if (found !== undefined) assertFunction(found, `handler.${method}`);
  }
  assertOnThrow(handler.onThrow, "handler.onThrow");
  if ((events & EVENT_READ) !== 0 && handler.onReadable === undefined) {
    throw lacking("EVENT_READ", "onReadable");
  }
  if ((events & EVENT_WRITE) !== 0 && handler.onWritable === undefined) {
    throw lacking("EVENT_WRITE", "onWritable");
  }
}

export function assertOnThrow(value: unknown, name: string): asserts value is OnThrow | undefined {
  if (value !== undefined) assertOneOf(value, ["remove", "keep"], name);
}

function lacking(event: string, method: string): RangeError {
  return invalidValue(
    `cannot call the handler for ${event}: it has no method ${method}; ` +
      `add ${method}, or leave ${event} out of events`,
  );
}
