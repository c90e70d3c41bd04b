// Any metric with a row per contender: idle cost, capacity, accepts, fairness.

import type { Cell } from "../../model/results.ts";
import { shortest } from "../format.ts";
import { figure, figureOrBound, type Group, isMeasured, unitOf } from "../groups.ts";
import { figureWithInterval } from "../intervals.ts";
import { identifier } from "../markup.ts";
import { type MetricWords, metricWords, moreIsBetter } from "../metric-words.ts";
import type { LegendEntry } from "../svg/drawing.ts";
import { markOf } from "../svg/palette.ts";
import { capital, reasonOf } from "../words.ts";
import { type Chart, cellTable, intervalOf, tableInterval, titled } from "./chart.ts";
import { drawable, missingOf } from "./who.ts";

export function metricChart(group: Group, metric: string, reference: string): Chart | undefined {
  const cells = drawable(group, metric);
  const [first] = cells;
  if (first === undefined) return undefined;
  const told = cells.find((cell) => figure(cell, metric) !== undefined);
  const words = metricWords(metric, told === undefined ? "1/s" : unitOf(told, metric));
  const sign = moreIsBetter(metric) ? -1 : 1;
  const isBound = (cell: Cell) => figure(cell, metric) === undefined;
  const sorted = [...cells].sort(
    (left, right) => sign * (medianOf(left, metric) - medianOf(right, metric)),
  );
  const positive = sorted.every((cell) => medianOf(cell, metric) > 0);
  return {
    id: identifier(group.workload, metric, group.scale),
    ...titled(capital(words.title), group.scale),
    description: descriptionOf(sorted, metric, words),
    spec: {
      kind: "rows",
      axis: {
        // Zero has no place on a logarithmic axis.
        kind: words.axis === "log" && positive ? "log" : "linear",
        title: words.title,
        format: shortest(words.format),
        unit: byteUnit(words.unit, sorted, metric),
      },
      base: metric === "ratioToBaseline" ? { value: 1, label: "baseline = 1" } : null,
      legend: sorted.every(isMeasured) ? [] : openLegend(sorted.some(isBound)),
      noteTitle: "median (95 %)",
      rows: sorted.map((cell) => rowOf(cell, { metric, words, reference })),
    },
    table: cellTable([words.title, "low", "high", "status"], sorted, (cell) => [
      ...tableInterval(cell, metric, words.format),
      { text: cell.status === "inconclusive" ? reasonOf(cell) : cell.status },
    ]),
    missing: missingOf(group, cells),
  };
}

/** The binary unit in which an axis of bytes counts round. */
function byteUnit(unit: number, cells: readonly Cell[], metric: string): number {
  if (unit !== 1024) return unit;
  const most = Math.max(1, ...cells.map((cell) => medianOf(cell, metric)));
  return 1024 ** Math.floor(Math.log(most) / Math.log(1024));
}

function openLegend(bounds: boolean): LegendEntry[] {
  const limited = "at least: something else was the limit; not ranked";
  return [
    { filling: "solid", text: "measured" },
    { filling: "open", text: bounds ? limited : "not ranked" },
  ];
}

interface RowOptions {
  readonly metric: string;
  readonly words: MetricWords;
  readonly reference: string;
}

function rowOf(cell: Cell, { metric, words, reference }: RowOptions) {
  const found = figureOrBound(cell, metric) ?? { median: 0, low: null, high: null };
  const bound = figure(cell, metric) === undefined;
  const median = words.format(found.median);
  const text = bound ? `at least ${median}` : figureWithInterval(found, words.format);
  const ranked = isMeasured(cell);
  const short = bound ? text : median;
  return {
    contender: cell.contender,
    mark: markOf(cell),
    note: ranked || bound ? text : `${text}, not ranked`,
    shortNote: bound || ranked ? short : `${short}, not ranked`,
    tip: `${cell.contender}: ${words.title} ${text}${ranked ? "" : `, ${cell.status}`}`,
    strong: cell.contender === reference,
    interval: intervalOf(found),
    points: [{ value: found.median, filling: ranked ? ("solid" as const) : ("open" as const) }],
  };
}

function descriptionOf(cells: readonly Cell[], metric: string, words: MetricWords): string {
  const list = cells.map((cell) => `${cell.contender} ${words.format(medianOf(cell, metric))}`);
  const title = capital(words.title);
  return `${title}, a row for each contender with its 95 % interval: ${list.join(", ")}.`;
}

function medianOf(cell: Cell, metric: string): number {
  return figureOrBound(cell, metric)?.median ?? 0;
}
