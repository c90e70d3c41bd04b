// Every figure and fact of a workload that is about all of them, for a terminal: as many tables
// below one another as its width needs, then what is too long for a column.

import type { Cell } from "../model/results.ts";
import { factNames, furtherMetrics, furtherText, wordsIn } from "./columns.ts";
import { absent, plainLine } from "./format.ts";
import type { Group } from "./groups.ts";
import { factTitle, workloadWords } from "./metric-words.ts";
import { type Column, halves, type Paint, tableLines, tableWidth, wrap } from "./text-table.ts";

const gap = 2;
/** What is longer stands below the tables. */
const widestFact = 26;

/** Nothing for workloads of which the main table says it all. */
export function wholeLines(
  group: Group,
  { width, paint }: { readonly width: number; readonly paint: Paint },
): string[] {
  const cells = [...group.measured, ...group.others].filter(({ blocks }) => blocks > 0);
  if (cells.length === 0 || workloadWords(group.workload, cells).whole !== true) return [];
  const facts = factNames(cells);
  const isShort = (name: string) => cells.every((cell) => factOf(cell, name).length <= widestFact);
  const columns = [
    ...furtherMetrics(cells, [group.metric]).map((name) => metricColumn(name, cells)),
    ...facts.filter(isShort).map(factColumn),
  ];
  return [
    ...packed(columns, cells, width).flatMap((some) => [
      "",
      ...tableLines(some, cells, { gap, paint }),
    ]),
    ...facts
      .filter((name) => !isShort(name))
      .flatMap((name) => ["", paint(factTitle(name), "dim"), ...longFactLines(name, cells, width)]),
  ];
}

/** The columns in order, shared out to tables that fit; each begins with the names. */
function packed(columns: readonly Column<Cell>[], cells: readonly Cell[], width: number) {
  const tables: Column<Cell>[][] = [];
  for (const column of columns) {
    const last = tables.at(-1);
    if (last !== undefined && tableWidth([...last, column], cells, gap) <= width) last.push(column);
    else tables.push([nameColumn, column]);
  }
  return tables;
}

const nameColumn: Column<Cell> = {
  title: ["", "contender"],
  align: "left",
  text: nameIn,
};

function nameIn({ contender }: Cell): string {
  return plainLine(contender);
}

function metricColumn(name: string, cells: readonly Cell[]): Column<Cell> {
  const { title, format } = wordsIn(cells, name);
  return {
    title: halves(title, "second"),
    align: "right",
    text: (one) => furtherText(one, name, format),
  };
}

function factColumn(name: string): Column<Cell> {
  return {
    title: halves(factTitle(name), "second"),
    align: "left",
    text: (cell) => factOf(cell, name),
  };
}

function longFactLines(name: string, cells: readonly Cell[], width: number): string[] {
  const widest = Math.max(...cells.map((cell) => nameIn(cell).length));
  return cells.flatMap((cell) =>
    wrap(
      `${nameIn(cell).padEnd(widest)}  ${factOf(cell, name)}`,
      width,
      " ".repeat(Math.min(widest + 2, 30)),
    ),
  );
}

function factOf(cell: Cell, name: string): string {
  return plainLine(cell.facts?.[name] ?? absent);
}
