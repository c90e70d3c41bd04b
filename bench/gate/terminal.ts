// A result of the gate as text: context, a table, the verdict last, where one looks. Pure. Enters:
// a GateResult. Leaves: lines.

import type { GateResult } from "./result.ts";
import { columns, contextLines, type RowWords, rowWords, verdictLine } from "./words.ts";

export function renderGate(result: GateResult): string {
  const names = Object.keys(columns) as (keyof RowWords)[];
  const rows = [columns, ...result.cells.map(rowWords)];
  const widths = names.map((name) => Math.max(...rows.map((row) => [...row[name]].length)));
  const table = rows.map((row) =>
    names
      .map((name, index) => row[name] + " ".repeat((widths[index] ?? 0) - [...row[name]].length))
      .join("  ")
      .trimEnd(),
  );
  return [...contextLines(result), "", ...table, "", verdictLine(result)].join("\n");
}
