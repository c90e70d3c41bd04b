// A result of the gate as text. Pure.

import { plural } from "../report/format.ts";
import { alignedLines } from "../report/text-table.ts";
import type { GateCell, GateResult } from "./result.ts";
import { columns, contextLines, type RowWords, rowWords, verdictLine } from "./words.ts";

/** Context, every row, the verdict last: it stands above the prompt after minutes of progress. */
export function renderGate(result: GateResult): string {
  return [...contextLines(result), "", ...tableOf(result.cells), "", verdictLine(result)].join(
    "\n",
  );
}

/** The verdict, then what changed; `all` shows the other rows, too. */
export function renderComparison(result: GateResult, all: boolean): string {
  const cells = all ? result.cells : result.cells.filter(isTold);
  const hidden = result.cells.length - cells.length;
  return [
    verdictLine(result),
    ...(cells.length === 0 ? [] : ["", ...tableOf(cells)]),
    "",
    ...(hidden === 0 ? [] : [`${plural(hidden, "figure")} without a change; --all shows them.`]),
    ...contextLines(result),
  ].join("\n");
}

/** A change, or a figure that gates and is not resolved. */
function isTold({ verdict, gates }: GateCell): boolean {
  return verdict !== "same" && (gates || verdict !== "unclear");
}

function tableOf(cells: readonly GateCell[]): string[] {
  const names = Object.keys(columns) as (keyof RowWords)[];
  const rows = [columns, ...cells.map(rowWords)];
  return alignedLines(rows.map((row) => names.map((name) => row[name])));
}
