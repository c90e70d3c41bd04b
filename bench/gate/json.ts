// regression.json, written. Pure.

import type { GateResult } from "./result.ts";

export function serializeGate(result: GateResult): string {
  return `${JSON.stringify(result, null, 2)}\n`;
}
