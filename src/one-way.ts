// Connections over a descriptor that is open in one direction only, such as an end of a pipe.

import { UNWRITABLE } from "./connection-flags.ts";
import { flag } from "./connection-symbols.ts";
import { ENGINE_CAN_READ, ENGINE_CAN_WRITE } from "./native.ts";

const writeOnly = new WeakSet<object>();
const readOnly = new WeakSet<object>();

/** @param answer what engineAdopt has returned. */
export function noteDirections(connection: { [flag](bit: number): void }, answer: number): void {
  if ((answer & ENGINE_CAN_WRITE) === 0) {
    connection[flag](UNWRITABLE);
    readOnly.add(connection);
  }
  if ((answer & ENGINE_CAN_READ) === 0) writeOnly.add(connection);
}

/** Whether nothing can be sent, so no end either. */
export function isReadOnly(connection: object): boolean {
  return readOnly.has(connection);
}

/** Whether nothing can be received, so no end either. */
export function isWriteOnly(connection: object): boolean {
  return writeOnly.has(connection);
}
