// regression.json, written: controls and notes in words, a control with its code too. Pure.

import { controlText, noteText } from "./controls.ts";
import type { GateResult } from "./result.ts";

export function serializeGate(result: GateResult): string {
  const controls = result.controls.map((one) => ({ ...controlText(one), ...one }));
  const notes = result.notes.map((note) => noteText(note));
  return `${JSON.stringify({ ...result, controls, notes }, null, 2)}\n`;
}
