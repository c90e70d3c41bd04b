// regression.json: written, and read back far enough that a foreign or truncated file is an error
// and never a pass. Pure. Enters: a GateResult, or text. Leaves: text, or a GateResult.

import type { GateResult } from "./result.ts";

/** A file that is not a result of the gate; the message names it. */
export class GateFormatError extends Error {
  override readonly name = "GateFormatError";
}

export function serializeGate(result: GateResult): string {
  return `${JSON.stringify(result, null, 2)}\n`;
}

/** @param source the file's name, for messages. @throws {GateFormatError} */
export function parseGate(text: string, source: string): GateResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new GateFormatError(`${source}: not JSON: empty or truncated`);
  }
  const found = value as Partial<GateResult> | null;
  const own = found?.kind === "regression" && found.schemaVersion === 1;
  if (!own || !Array.isArray(found.cells) || !Array.isArray(found.controls)) {
    throw new GateFormatError(`${source}: not a result of the regression gate, schemaVersion 1`);
  }
  return found as GateResult;
}
