// Which columns a table of a group has, and what stands in them: chosen once for every format. A
// format gives them their headings and widths.

import type { Cell } from "../model/results.ts";
import { isSaturated } from "./cautions.ts";
import { count, duration, type Format, percent, plainNumber, ratio } from "./format.ts";
import {
  figure,
  type Group,
  isP99,
  isProbable,
  isUnresolved,
  unitOf,
  withoutFigure,
} from "./groups.ts";
import { figureWithInterval } from "./intervals.ts";
import { type MetricWords, metricWords } from "./metric-words.ts";

export type ColumnName =
  | "cost"
  | "headline"
  | "ratio"
  | "latencyP50"
  | "latencyP99"
  | "serverCpuPercent"
  | "mismatches"
  | "status";

/** What the group is about, its ratio, then what every reader asks next and was measured. */
export function columnsOf({ metric, measured }: Group): ColumnName[] {
  const has = (name: string) => measured.some((cell) => figure(cell, name) !== undefined);
  const wrong = measured.some(({ mismatches }) => mismatches > 0);
  return [
    metric === "serverCpuPerMessage" ? "cost" : "headline",
    ...(has("ratioToReference") ? (["ratio"] as const) : []),
    ...usual.filter((name) => name !== metric && has(name)),
    ...(wrong ? (["mismatches"] as const) : []),
    "status",
  ];
}

const usual = ["latencyP50", "latencyP99", "serverCpuPercent"] as const;

interface ColumnText {
  readonly reference: string;
  /** Whether the headline has its interval next to it. */
  readonly intervals: boolean;
  /** Whether p99 has its interval next to it. */
  readonly latencyIntervals: boolean;
  /** Whether the ratio has its interval next to it; default: true. */
  readonly ratioIntervals?: boolean;
  /** Whether the status is one word, which is the grade if it is ok. */
  readonly shortStatus?: boolean;
}

export function columnText(name: ColumnName, group: Group, options: ColumnText) {
  const { metric, measured } = group;
  const { reference, intervals, latencyIntervals, ratioIntervals = true } = options;
  const withIntervals = intervals || (latencyIntervals && isP99(metric));
  const main = (format: Format) => (cell: Cell) =>
    withIntervals ? intervalText(cell, metric, format) : figureText(cell, metric, format);
  const texts: { readonly [N in ColumnName]: (cell: Cell) => string } = {
    cost: main(plainNumber),
    headline: main(wordsIn(measured, metric).format),
    ratio: (cell) => ratioText(cell, reference, ratioIntervals ? intervalText : figureText),
    latencyP50: (cell) => figureText(cell, "latencyP50", duration),
    latencyP99: (cell) =>
      latencyIntervals
        ? intervalText(cell, "latencyP99", duration)
        : figureText(cell, "latencyP99", duration),
    serverCpuPercent: (cell) => figureText(cell, "serverCpuPercent", percent),
    mismatches: (cell) => count(cell.mismatches),
    status: options.shortStatus ? gradeText : statusText,
  };
  return texts[name];
}

/** "ok", "tie", "probable" or "not resolved", and the grade of confidence: "ok, high". */
function statusText(cell: Cell): string {
  const unresolved = isProbable(cell) ? "probable" : "not resolved";
  const word = isUnresolved(cell) ? unresolved : cell.status;
  return cell.confidence == null ? word : `${word}, ${cell.confidence.grade}`;
}

/** "medium"; "probable" or "unranked" if it is not ranked. */
function gradeText(cell: Cell): string {
  if (isUnresolved(cell)) return isProbable(cell) ? "probable" : "unranked";
  return cell.status === "ok" && cell.confidence != null ? cell.confidence.grade : cell.status;
}

/** Every further metric that some cell has, in the order of the results. */
export function furtherMetrics(cells: readonly Cell[], shown: readonly string[]): string[] {
  const names = new Set(cells.flatMap((cell) => Object.keys(cell.metrics)));
  return [...names].filter(
    (name) => !shown.includes(name) && cells.some((cell) => figure(cell, name) !== undefined),
  );
}

/** The names of the facts that some cell has. */
export function factNames(cells: readonly Cell[]): string[] {
  return [...new Set(cells.flatMap((cell) => Object.keys(cell.facts ?? {})))];
}

/** A metric's words, with the unit that the cells have it in. */
export function wordsIn(cells: readonly Cell[], metric: string): MetricWords {
  const cell = cells.find((one) => figure(one, metric) !== undefined);
  return metricWords(metric, cell === undefined ? "1" : unitOf(cell, metric));
}

/** The median: "11.1". */
function figureText(cell: Cell, name: string, format: (value: number) => string): string {
  const found = figure(cell, name);
  return found === undefined ? withoutFigure(cell, name) : format(found.median);
}

/** A further figure: p99 with its interval, any other as its median. */
export function furtherText(cell: Cell, name: string, format: Format): string {
  return isP99(name) ? intervalText(cell, name, format) : figureText(cell, name, format);
}

/** "11.1 (10.9–11.3)"; the median alone if one block gave no interval. */
function intervalText(cell: Cell, name: string, format: Format): string {
  const found = figure(cell, name);
  return found === undefined ? withoutFigure(cell, name) : figureWithInterval(found, format);
}

/** The ratio to the reference and its interval; a core that is full has a cost, and no ratio. */
function ratioText(cell: Cell, reference: string, textOf: typeof intervalText): string {
  if (cell.contender === reference) return "reference";
  const cost = cell.headline === undefined || cell.headline === "serverCpuPerMessage";
  if (cost && isSaturated(cell)) return "saturated";
  return textOf(cell, "ratioToReference", ratio);
}
