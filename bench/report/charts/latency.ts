// Latency percentiles, from the intended send time: p50, p90, p99 and p99.9 along a line for each
// contender, logarithmic. Enters: a group of cells. Leaves: a Chart. Tene, "How NOT to measure
// latency": corrected for coordinated omission; the uncorrected figure stands in the table.

import type { Cell } from "../../model/results.ts";
import { duration } from "../format.ts";
import { figure, type Group } from "../groups.ts";
import { identifier } from "../markup.ts";
import { tickText } from "../metric-words.ts";
import type { Filling } from "../svg/marks.ts";
import { markOf } from "../svg/palette.ts";
import type { ChartRow } from "../svg/row-chart.ts";
import { type Chart, tableValue, titled } from "./chart.ts";
import { drawable, missingOf } from "./who.ts";

const percentiles: readonly { name: string; text: string; filling: Filling }[] = [
  { name: "latencyP50", text: "p50", filling: "solid" },
  { name: "latencyP90", text: "p90", filling: "small" },
  { name: "latencyP99", text: "p99", filling: "ring" },
  { name: "latencyP999", text: "p99.9", filling: "bar" },
];

const columns: readonly { name: string; text: string }[] = [
  ...percentiles,
  { name: "latencyP50Uncorrected", text: "p50 uncorrected" },
  { name: "latencyP99Uncorrected", text: "p99 uncorrected" },
  { name: "latencyP999Uncorrected", text: "p99.9 uncorrected" },
];

/** Undefined where no cell has latencies. */
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
    ...titled("Latency", group.scale),
    description:
      "Latency percentiles from the intended send time, a row for each contender by p99, on a " +
      `logarithmic axis: ${cells.map(summary).join("; ")}.`,
    spec: {
      kind: "rows",
      axis: { kind: "log", title: "latency", format: tickText(duration) },
      base: null,
      legend: shown.map(({ text, filling }) => ({ text, filling })),
      noteTitle: "p50 · p99",
      rows: cells.map((cell) => rowOf(cell, reference)),
    },
    table: {
      columns: ["contender", ...columns.map(({ text }) => text), "status"],
      rows: cells.map((cell) => ({
        name: cell.contender,
        values: [
          ...columns.map(({ name }) => tableValue(cell, name, duration)),
          { text: cell.status },
        ],
      })),
    },
    missing: missingOf(group, cells),
  };
}

function rowOf(cell: Cell, reference: string): ChartRow {
  const points = percentiles.flatMap(({ name, text, filling }) => {
    const found = figure(cell, name);
    return found === undefined ? [] : [{ value: found.median, filling, text }];
  });
  const values = points.map(({ value }) => value);
  const list = points.map(({ text, value }) => `${text} ${duration(value)}`).join(", ");
  const note = `${duration(median(cell, "latencyP50"))} · ${duration(median(cell, "latencyP99"))}`;
  return {
    contender: cell.contender,
    mark: markOf(cell),
    note,
    shortNote: note,
    tip: `${cell.contender}: ${list}`,
    strong: cell.contender === reference,
    faint: cell.status === "inconclusive",
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
