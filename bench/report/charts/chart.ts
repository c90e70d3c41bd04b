// What a chart is before it is drawn: words, a specification, and a table of the same figures. The
// table comes from the cells, not from the picture. Pure.

import type { Cell } from "../../model/results.ts";
import type { Why } from "../causes.ts";
import { absent, count } from "../format.ts";
import { type Figure, figure, withoutFigure } from "../groups.ts";
import type { Sentence } from "../sentence.ts";
import type { Drawing } from "../svg/drawing.ts";
import { drawLines, type LineChart } from "../svg/line-chart.ts";
import { drawRows, type RowChart } from "../svg/row-chart.ts";
import { drawTimeline, type TimelineChart } from "../svg/timeline-chart.ts";

export interface TableValue {
  readonly text: string;
  /** The figure in full, where the text is one. */
  readonly value?: number;
  /** What stands beside it, such as its interval. */
  readonly beside?: string;
}

export interface ChartTable {
  /** Of the row's names, then of the values. */
  readonly columns: readonly string[];
  readonly rows: readonly { readonly name: string; readonly values: readonly TableValue[] }[];
}

export interface Chart {
  /** Unique in a report; a file's name too. */
  readonly id: string;
  readonly title: string;
  /** The title's parts: what is shown, and at which scale; the latter may be empty. */
  readonly what: string;
  readonly scale: string;
  /** What the chart shows, in a sentence or two, for readers who do not see it. */
  readonly description: string;
  readonly spec: RowChart | LineChart | TimelineChart;
  readonly table: ChartTable;
  /** Which contenders are not in it, and why. */
  readonly missing: readonly { readonly contender: string; readonly reason: string }[];
}

/** What of a chart is drawn, where its figures stand elsewhere. */
export type Picture = Pick<Chart, "id" | "title" | "description" | "spec">;

/** A part of the report: charts of one question, the most telling first. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly lead: string;
  readonly charts: readonly Chart[];
  /** Whether all charts but the first fold, which are about other figures of the same. */
  readonly oneShown?: boolean;
  /** Every contender with every figure, where that is what the section is about. */
  readonly whole?: ChartTable;
  /** Whether that table is of words, a row per claim, not per contender. */
  readonly words?: boolean;
  /** Why each contender costs what it costs. */
  readonly why?: readonly Why[];
  /** What the charts show, where a sentence is enough and they fold. */
  readonly summary?: Sentence;
}

/** What is shown and at which scale, apart and as one title; the scale may be empty. */
export function titled(what: string, scale: string): Pick<Chart, "title" | "what" | "scale"> {
  return { what, scale, title: scale === "" ? what : `${what}: ${scale}` };
}

/** @param width in pixels. */
export function drawChart({ spec }: Pick<Chart, "spec">, width: number): Drawing {
  if (spec.kind === "rows") return drawRows(spec, width);
  return spec.kind === "lines" ? drawLines(spec, width) : drawTimeline(spec, width);
}

/** A table with a row per cell. @param columns after the contender's name. */
export function cellTable(
  columns: readonly string[],
  cells: readonly Cell[],
  values: (cell: Cell) => readonly TableValue[],
): ChartTable {
  const rows = cells.map((cell) => ({ name: cell.contender, values: values(cell) }));
  return { columns: ["contender", ...columns], rows };
}

/** One value of a table, by the metric's name; times in microseconds. */
export function tableValue(
  cell: Cell,
  name: string,
  format: (value: number) => string,
  part: keyof Figure = "median",
): TableValue {
  const value = figure(cell, name)?.[part];
  if (value !== null && value !== undefined) return { text: format(value), value };
  return { text: part === "median" ? withoutFigure(cell, name) : absent };
}

/** The median and both ends of its interval: three values. */
export function tableInterval(
  cell: Cell,
  name: string,
  format: (value: number) => string,
): TableValue[] {
  return (["median", "low", "high"] as const).map((part) => tableValue(cell, name, format, part));
}

export function tableCount(value: number): TableValue {
  return { text: count(value), value };
}

/** A whisker's ends; null if there is no interval. */
export function intervalOf({ low, high }: Figure): [number, number] | null {
  return low === null || high === null ? null : [low, high];
}
