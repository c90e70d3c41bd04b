// Latency percentiles from the intended send time, p50, p99 with its interval and p99.9 along a
// line per contender, logarithmic. Tene, "How NOT to measure latency": corrected for coordinated
// omission; the uncorrected figures stand in the table.

import type { Cell } from "../../model/results.ts";
import { duration, shortest } from "../format.ts";
import { figure, type Group, isMeasured } from "../groups.ts";
import { figureWithInterval } from "../intervals.ts";
import { identifier } from "../markup.ts";
import { metricWords } from "../metric-words.ts";
import type { Filling } from "../svg/marks.ts";
import { markOf } from "../svg/palette.ts";
import type { ChartRow } from "../svg/row-chart.ts";
import { type Chart, cellTable, intervalOf, tableInterval, tableValue, titled } from "./chart.ts";
import { drawable, missingOf } from "./who.ts";

const percentiles: readonly { name: string; text: string; filling: "small" | "solid" | "bar" }[] = [
  { name: "latencyP50", text: "p50", filling: "small" },
  { name: "latencyP99", text: "p99", filling: "solid" },
  { name: "latencyP999", text: "p99.9", filling: "bar" },
];

const noFigure = { median: 0, low: null, high: null };

const columns = [
  ...["latencyP50", "latencyP90", "latencyP999"],
  ...["latencyP50Uncorrected", "latencyP99Uncorrected", "latencyP999Uncorrected"],
];

/** Undefined if no cell has latencies. */
export function latencyChart(group: Group, reference: string): Chart | undefined {
  const cells = drawable(group, "latencyP50").sort(
    (left, right) => median(left, "latencyP99") - median(right, "latencyP99"),
  );
  if (cells.length === 0) return undefined;
  const shown = percentiles.filter(({ name }) =>
    cells.some((cell) => figure(cell, name) !== undefined),
  );
  return {
    id: identifier("latency", group.workload, group.scale),
    ...titled("Percentiles of latency", group.scale),
    description:
      "Latency percentiles from the intended send time, a row for each contender by p99, on a " +
      `logarithmic axis: ${cells.map(summary).join("; ")}.`,
    spec: {
      kind: "rows",
      axis: { kind: "log", title: "latency", format: shortest(duration) },
      base: null,
      legend: [
        ...shown.map(({ text, filling }) => ({ text, filling })),
        ...(cells.every(isMeasured) ? [] : [{ text: "not ranked", filling: "open" } as const]),
      ],
      noteTitle: "p99 (95 %)",
      rows: cells.map((cell) => rowOf(cell, reference)),
    },
    table: cellTable(
      ["p99", "low", "high", ...columns.map((name) => metricWords(name, "us").title), "status"],
      cells,
      (cell) => [
        ...tableInterval(cell, "latencyP99", duration),
        ...columns.map((name) => tableValue(cell, name, duration)),
        { text: cell.status },
      ],
    ),
    missing: missingOf(group, cells),
  };
}

function rowOf(cell: Cell, reference: string): ChartRow {
  const points = percentiles.flatMap(({ name, text, filling: usual }) => {
    const found = figure(cell, name);
    const filling: Filling = usual === "solid" && !isMeasured(cell) ? "open" : usual;
    return found === undefined ? [] : [{ value: found.median, filling, text }];
  });
  const values = points.map(({ value }) => value);
  const list = points.map(({ text, value }) => `${text} ${duration(value)}`).join(", ");
  const p99 = figureWithInterval(figure(cell, "latencyP99") ?? noFigure, duration);
  const ranked = isMeasured(cell) ? "" : ", not ranked";
  return {
    contender: cell.contender,
    mark: markOf(cell),
    note: `${p99}${ranked}`,
    shortNote: duration(median(cell, "latencyP99")),
    tip: `${cell.contender}: ${list}${ranked}`,
    strong: cell.contender === reference,
    interval: intervalOf(figure(cell, "latencyP99") ?? noFigure),
    span: [Math.min(...values), Math.max(...values)],
    points,
  };
}

function summary(cell: Cell): string {
  const [p50, p99] = [median(cell, "latencyP50"), median(cell, "latencyP99")];
  return `${cell.contender} p50 ${duration(p50)}, p99 ${duration(p99)}`;
}

function median(cell: Cell, name: string): number {
  return figure(cell, name)?.median ?? Number.MAX_VALUE;
}
