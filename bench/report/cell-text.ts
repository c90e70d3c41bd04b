// A cell's figures as text, alike in every renderer. Enters: a cell and the name of a metric.
// Leaves: what stands in one field of a table.

import type { Cell } from "../model/results.ts";
import { absent, count, duration, plainLine, ratio, significant } from "./format.ts";
import { figure } from "./groups.ts";

/** Writes one number, such as significant() or percent(). */
export type Format = (value: number) => string;

/** The median: "11.1". */
export function figureText(cell: Cell, name: string, format: Format): string {
  const found = figure(cell, name);
  return found === undefined ? absent : format(found.median);
}

/** The median of a time: "1.24 ms". */
export function durationText(cell: Cell, name: string): string {
  return figureText(cell, name, duration);
}

/**
 * The median and its interval: "11.1 [10.9–11.3]"; the median alone where one block gave no
 * interval.
 */
export function intervalText(
  cell: Cell,
  name: string,
  { format, dash }: { readonly format: Format; readonly dash: string },
): string {
  const found = figure(cell, name);
  if (found === undefined) return absent;
  const { median, low, high } = found;
  if (low === null || high === null) return format(median);
  return `${format(median)} [${format(low)}${dash}${format(high)}]`;
}

/** The ratio to the reference and its interval; for the reference itself, that word. */
export function ratioText(cell: Cell, reference: string, dash: string): string {
  return cell.contender === reference
    ? "reference"
    : intervalText(cell, "ratioToReference", { format: ratio, dash });
}

/**
 * "skipped: RLIMIT_NOFILE 1024 < 10080 needed"; how many messages were wrong, where some were; and
 * what was seen all the same, where it was too noisy to be ranked.
 */
export function reasonOf(cell: Cell): string {
  const reason = plainLine(cell.reason ?? "") || "no reason was given";
  const wrong =
    cell.mismatches > 0
      ? ` (${count(cell.mismatches)} of ${count(cell.messages)} messages wrong or missing)`
      : "";
  const cost = figure(cell, "serverCpuPerMessage");
  const seen =
    cell.status === "inconclusive" && cost !== undefined
      ? `; seen: ${significant(cost.median)} µs a message, not ranked`
      : "";
  return `${cell.status}: ${reason}${wrong}${seen}`;
}
