// The check of a connection's handlers, as servers, connections and their users give them.

import { assertFunction } from "./arguments.ts";
import type { ConnectionHandlers } from "./connection.ts";
import { invalidType } from "./errors.ts";

const HANDLERS = ["open", "data", "drain", "end", "idle", "error", "close"] as const;

export function assertHandlers<T>(handlers: ConnectionHandlers<T>): void {
  if (typeof handlers !== "object" || handlers === null) {
    throw invalidType("the handlers are an object of functions: { data(connection, bytes) {} }");
  }
  for (const name of HANDLERS) {
    if (handlers[name] !== undefined) assertFunction(handlers[name], `handlers.${name}`);
  }
}
