// CPU per message as a bar per contender in microseconds, in user mode and in the kernel where that
// is known, sorted by its length; the ratio to the reference stands beside it. A saturated core is
// hatched: its cost is the core over the rate, whatever a message needs.

import type { Cell } from "../../model/results.ts";
import { userShareOf } from "../causes.ts";
import { isSaturated } from "../cautions.ts";
import { duration, ratio, shortest } from "../format.ts";
import { figure, type Group, isMeasured } from "../groups.ts";
import { figureWithInterval, intervalWords } from "../intervals.ts";
import { identifier } from "../markup.ts";
import { metricWords } from "../metric-words.ts";
import type { LegendEntry } from "../svg/drawing.ts";
import { markOf } from "../svg/palette.ts";
import type { ChartRow } from "../svg/row-chart.ts";
import { capital, reasonOf } from "../words.ts";
import {
  type Chart,
  type ChartTable,
  cellTable,
  intervalOf,
  tableInterval,
  tableValue,
  titled,
} from "./chart.ts";
import { drawable, missingOf } from "./who.ts";

/** Undefined if nothing can be drawn. */
export function costChart(group: Group, reference: string): Chart | undefined {
  const { metric } = group;
  const cells = drawable(group, metric).sort(
    (left, right) => cost(left, metric) - cost(right, metric),
  );
  if (cells.length === 0) return undefined;
  const what = metricWords(metric, "us").title;
  const apart = cells.some((cell) => userShareOf(cell) !== undefined);
  const compared = cells.some((cell) => ratioNote(cell, reference).whole !== "");
  return {
    id: identifier("cost", group.workload, group.scale),
    ...titled(capital(what), group.scale),
    description: descriptionOf(cells, metric, reference),
    spec: {
      kind: "rows",
      axis: { kind: "linear", title: what, format: shortest(duration) },
      base: null,
      legend: legendOf(cells, apart),
      noteTitle: compared ? "cost · ratio (95 %)" : "cost (95 %)",
      rows: cells.map((cell) => rowOf(cell, { metric, reference, apart })),
    },
    table: tableOf(cells, metric),
    missing: missingOf(group, cells),
  };
}

/** @param apart whether user mode and kernel are known apart of some cell. */
function legendOf(cells: readonly Cell[], apart: boolean): LegendEntry[] {
  const ranked = cells.filter(isMeasured);
  const entries: readonly (readonly [shown: boolean, bar: LegendEntry["bar"], text: string])[] = [
    [apart, "full", "in user mode"],
    [apart, "light", "in the kernel"],
    [apart && ranked.some((cell) => userShareOf(cell) === undefined), "both", "both together"],
    [ranked.some(isSaturated), "hatched", "saturated: the core over the rate"],
    [ranked.length < cells.length, "open", "not ranked"],
  ];
  return entries.flatMap(([shown, bar, text]): LegendEntry[] =>
    shown && bar !== undefined ? [{ filling: "solid", bar, text }] : [],
  );
}

interface CostRowOptions {
  readonly metric: string;
  readonly reference: string;
  /** Whether some bar of the chart has its parts apart. */
  readonly apart: boolean;
}

function rowOf(cell: Cell, { metric, reference, apart }: CostRowOptions): ChartRow {
  const found = figure(cell, metric) ?? { median: 0, low: null, high: null };
  const share = userShareOf(cell);
  const user = ((share ?? 0) / 100) * found.median;
  const ranked = isMeasured(cell);
  const against = ratioNote(cell, reference);
  const plain = cell.status === "ok" || cell.contender === reference;
  const status = plain ? "" : `, ${ranked ? cell.status : "not ranked"}`;
  const own = figureWithInterval(found, duration);
  const split = share === undefined ? "" : `; ${duration(user)} of it in user mode`;
  return {
    contender: cell.contender,
    mark: markOf(cell),
    note: `${against.whole === "" ? own : `${duration(found.median)} · ${against.whole}`}${status}`,
    shortNote: `${duration(found.median)}${against.short === "" ? "" : ` · ${against.short}`}`,
    tip:
      `${cell.contender}: ${own}${split}` +
      `${against.whole === "" ? "" : `; ${against.whole}`}${status}`,
    strong: cell.contender === reference,
    interval: intervalOf(found),
    bars: share === undefined ? [found.median] : [user, found.median - user],
    barKind: ranked ? (isSaturated(cell) ? "hatched" : "solid") : "open",
    bothParts: apart && share === undefined,
  };
}

/** The ratio with its interval, and alone; no ratio of a core that is full. */
function ratioNote(cell: Cell, reference: string): { whole: string; short: string } {
  if (cell.contender === reference) return { whole: "reference", short: "reference" };
  if (isSaturated(cell)) return { whole: "saturated", short: "saturated" };
  const found = figure(cell, "ratioToReference");
  if (found === undefined) return { whole: "", short: "" };
  const short = `${ratio(found.median)}×`;
  return { whole: `${short} ${intervalWords(found, ratio)}`.trim(), short };
}

function cost(cell: Cell, metric: string): number {
  return figure(cell, metric)?.median ?? 0;
}

function descriptionOf(cells: readonly Cell[], metric: string, reference: string): string {
  const words = cells.map((cell) => {
    const { short } = ratioNote(cell, reference);
    return `${cell.contender} ${duration(cost(cell, metric))}${short === "" ? "" : `, ${short}`}`;
  });
  return (
    `${capital(metricWords(metric, "us").title)}, a bar per contender, the cheapest first, with ` +
    `95 % intervals and ratios to ${reference}: ${words.join("; ")}.`
  );
}

function tableOf(cells: readonly Cell[], metric: string): ChartTable {
  const columns = [
    ...[metricWords(metric, "us").title, "low", "high"],
    ...["user mode, %", "ratio", "low", "high"],
    ...["CPU of a core, %", "status"],
  ];
  return cellTable(columns, cells, (cell) => {
    const share = userShareOf(cell);
    return [
      ...tableInterval(cell, metric, duration),
      share === undefined ? { text: "–" } : { text: share.toFixed(1), value: share },
      ...tableInterval(cell, "ratioToReference", ratio),
      tableValue(cell, "serverCpuPercent", (value) => value.toFixed(1)),
      { text: cell.status === "inconclusive" ? reasonOf(cell) : cell.status },
    ];
  });
}
