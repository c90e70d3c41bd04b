// Every cell with every figure: a column per metric of a workload, and per fact. The workload's
// headline and p99 have their intervals; the others, and the blocks, are in results.json.

import type { Cell } from "../../model/results.ts";
import { factNames, furtherMetrics, wordsIn } from "../columns.ts";
import { absent, plainLine } from "../format.ts";
import { figure, isP99, scaleText, unitOf, withoutFigure } from "../groups.ts";
import { intervalWords } from "../intervals.ts";
import { factTitle, metricWords, principalMetric } from "../metric-words.ts";
import { type ChartTable, cellTable, type TableValue, tableCount } from "./chart.ts";

/** All figures of a workload's cells, and their facts. */
export function rawTable(cells: readonly Cell[]): ChartTable {
  const metrics = furtherMetrics(cells, []);
  const about = new Set(["ratioToReference", principalMetric(cells[0]?.workload ?? "", cells)]);
  const withReasons = cells.some(({ reason }) => reason !== null);
  const facts = factNames(cells);
  const columns = [
    ...["scale", "status", "blocks", "dropped", "messages", "mismatches"],
    ...metrics.map((name) => wordsIn(cells, name).title),
    ...facts.map(factTitle),
    ...(withReasons ? ["reason"] : []),
  ];
  return cellTable(columns, cells, (cell) => [
    { text: scaleText(cell) },
    { text: cell.status },
    ...[cell.blocks, cell.dropped, cell.messages, cell.mismatches].map(tableCount),
    ...metrics.map((name) => metricValue(cell, name, about.has(name) || isP99(name))),
    ...facts.map((name) => ({ text: plainLine(cell.facts?.[name] ?? absent) })),
    ...(withReasons ? [{ text: plainLine(cell.reason ?? "") }] : []),
  ]);
}

function metricValue(cell: Cell, name: string, withInterval: boolean): TableValue {
  const found = figure(cell, name);
  if (found === undefined) return { text: withoutFigure(cell, name) };
  const { format } = metricWords(name, unitOf(cell, name));
  const median = format(found.median);
  if (!withInterval) return { text: median, value: found.median };
  return { text: median, value: found.median, beside: intervalWords(found, format) };
}
