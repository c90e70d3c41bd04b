// The check of a connection's handlers, as servers, connections and their users give them.

import { assertFunction } from "./arguments.ts";
import type { Connection, ConnectionHandlers } from "./connection.ts";
import { asError, invalidType } from "./errors.ts";
import type { Role } from "./role.ts";

const HANDLERS = ["open", "data", "drain", "end", "idle", "error", "close"] as const;

export function assertHandlers<T>(handlers: ConnectionHandlers<T>): void {
  if (typeof handlers !== "object" || handlers === null) {
    throw invalidType("handlers must be an object, such as { data(connection, bytes) {} }");
  }
  for (const name of HANDLERS) {
    if (handlers[name] !== undefined) assertFunction(handlers[name], `handlers.${name}`);
  }
}

/** Those of an object, which may be one of a class, by themselves. */
export function boundHandlers<T>(handlers: ConnectionHandlers<T>): ConnectionHandlers<T> {
  assertHandlers(handlers);
  const present = HANDLERS.filter((name) => handlers[name] !== undefined);
  return Object.fromEntries(present.map((name) => [name, handlers[name]?.bind(handlers as never)]));
}

/** Passes what a handler threw to `error`, or else to the process, and destroys the connection. */
export function handlerFailed<T>(
  connection: Connection<T>,
  { handlers, engine }: Role<T>,
  thrown: unknown,
): void {
  try {
    if (handlers.error === undefined) engine.raise(thrown);
    else handlers.error(connection, thrown);
  } catch (second) {
    engine.raise(second);
  }
  connection.destroy(asError(thrown));
}
