// A result of the gate as text: context, a table, the verdict last, where one looks. Pure.

import { alignedLines } from "../report/text-table.ts";
import type { GateResult } from "./result.ts";
import { columns, contextLines, type RowWords, rowWords, verdictLine } from "./words.ts";

export function renderGate(result: GateResult): string {
  const names = Object.keys(columns) as (keyof RowWords)[];
  const rows = [columns, ...result.cells.map(rowWords)];
  const table = alignedLines(rows.map((row) => names.map((name) => row[name])));
  return [...contextLines(result), "", ...table, "", verdictLine(result)].join("\n");
}
