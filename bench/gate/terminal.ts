// A result of the gate as text: a table, or where that is too wide an entry per row. Pure.

import { absent, plural } from "../report/format.ts";
import { alignedLines, wrap } from "../report/text-table.ts";
import type { GateCell, GateResult } from "./result.ts";
import {
  columnNames,
  columns,
  contextLines,
  type RowWords,
  rowWords,
  verdictLine,
} from "./words.ts";

export interface GateLayout {
  /** In columns; unlimited for a file or a log. */
  readonly width: number;
  /** Whether a comparison shows what did not change. */
  readonly all?: boolean;
}

/** Context, every row, the verdict last: it stands above the prompt after minutes of progress. */
export function renderGate(result: GateResult, { width }: GateLayout): string {
  return [
    ...contextLines(result).flatMap((line) => wrap(line, width, "  ")),
    "",
    ...rowsOf(result.cells, width),
    "",
    ...wrap(verdictLine(result), width),
  ].join("\n");
}

/** The verdict, then what changed. */
export function renderComparison(result: GateResult, { width, all = false }: GateLayout): string {
  const unresolved = result.cells.filter(isUnresolved);
  const toldApart = all || unresolved.length <= mostUnresolved;
  const cells = result.cells.filter(
    (cell) => all || isChanged(cell) || (toldApart && isUnresolved(cell)),
  );
  const left = toldApart ? 0 : unresolved.length;
  const unchanged = result.cells.length - cells.length - left;
  const hidden = [
    ...(left === 0 ? [] : [`${plural(left, "figure")} not resolved`]),
    ...(unchanged === 0 ? [] : [`${plural(unchanged, "figure")} without a change`]),
  ];
  return [
    ...wrap(verdictLine(result), width),
    ...(cells.length === 0 ? [] : ["", ...rowsOf(cells, width)]),
    "",
    ...(hidden.length === 0 ? [] : [`${hidden.join(", ")}; --all shows them.`]),
    ...contextLines(result).flatMap((line) => wrap(line, width, "  ")),
  ].join("\n");
}

/** Of more figures that are not resolved a comparison shows the number. */
const mostUnresolved = 6;

function isChanged({ verdict }: GateCell): boolean {
  return verdict !== "same" && verdict !== "unclear";
}

function isUnresolved({ verdict, gates }: GateCell): boolean {
  return gates && verdict === "unclear";
}

function rowsOf(cells: readonly GateCell[], width: number): string[] {
  const rows = cells.map(rowWords);
  const names = columnNames.filter((name) => rows.some((row) => row[name] !== absent));
  const lines = alignedLines([columns, ...rows].map((row) => names.map((name) => row[name])));
  if (lines.every((line) => line.length <= width)) return lines;
  return rows.flatMap((row) => entryLines(row, width));
}

function entryLines(row: RowWords, width: number): string[] {
  const { contender, metric, base, head, change, pValue, again, sees, verdict } = row;
  const further = [
    ...(change === absent ? [] : [`worse by ${change}`]),
    ...(pValue === absent ? [] : [`p ${pValue}`]),
    ...(again === absent ? [] : [`base against itself ${again}`]),
    ...(sees === absent ? [] : [`detectable effect ${sees}`]),
  ];
  const figures = [`${base} → ${head}`, ...further].join("; ");
  return [
    ...wrap(`${contender}, ${metric}: ${verdict}`, width, "  "),
    ...wrap(figures, width - 2, "  ").map((line) => `  ${line}`),
  ];
}
