// The chart with a row per contender: points with whiskers, percentiles along a line, or stacked
// bars, with the figure as text. Narrow charts put names above their rows. Cleveland and McGill
// 1984: positions on a common scale.

import { element, type Markup } from "../markup.ts";
import {
  type AxisSpec,
  type Drawing,
  horizontalAxis,
  inside,
  type LegendEntry,
  legend,
  narrowBelow,
} from "./drawing.ts";
import {
  barPart,
  contenderGroup,
  type Filling,
  label,
  point,
  straight,
  textWidth,
  whisker,
} from "./marks.ts";
import type { ContenderMark } from "./palette.ts";
import { makeScale, position, type Scale } from "./scale.ts";

export interface ChartRow {
  readonly contender: string;
  readonly mark: ContenderMark;
  /** What it is called here; default: the contender's name. */
  readonly name?: string;
  /** The figure in words, at the right. */
  readonly note: string;
  /** The same, if there is little room. */
  readonly shortNote: string;
  /** What is shown over the row. */
  readonly tip: string;
  readonly strong?: boolean;
  readonly interval?: readonly [low: number, high: number] | null;
  /** A thin line under the points. */
  readonly span?: readonly [from: number, to: number] | null;
  readonly points?: readonly { readonly value: number; readonly filling: Filling }[];
  /** Lengths, stacked from zero: the second and later ones are lighter. */
  readonly bars?: readonly number[];
  /** Default: solid. `hatched` for a saturated core, `open` for what is not ranked. */
  readonly barKind?: "solid" | "hatched" | "open";
  /** The only bar is the sum of both parts, which were not measured apart. */
  readonly bothParts?: boolean;
}

export interface RowChart {
  readonly kind: "rows";
  readonly axis: AxisSpec;
  /** A line through all rows, such as the reference at 1. */
  readonly base: { readonly value: number; readonly label: string } | null;
  readonly legend: readonly LegendEntry[];
  /** What the words at the right are. */
  readonly noteTitle: string;
  readonly rows: readonly ChartRow[];
}

interface RowLayout {
  readonly narrow: boolean;
  readonly width: number;
  readonly top: number;
  readonly rowHeight: number;
  readonly bottom: number;
  readonly scale: Scale;
}

/** @param width in pixels, of the whole drawing. */
export function drawRows(chart: RowChart, width: number): Drawing {
  const narrow = width < narrowBelow;
  const entries = legend(chart.legend, 0, width);
  const top = entries.height + 26;
  const rowHeight = narrow ? 46 : 32;
  const bottom = top + chart.rows.length * rowHeight + 4;
  const scale = scaleOf(chart, width, narrow);
  const layout: RowLayout = { narrow, width, top, rowHeight, bottom, scale };
  return {
    width,
    height: bottom + 48,
    body: [
      ...entries.marks,
      ...horizontalAxis(scale, { top, bottom, width }, chart.axis),
      ...baseLine(chart, layout),
      narrow
        ? null
        : label({ x: width, y: top - 17 }, chart.noteTitle, { anchor: "end", style: "tick" }),
      ...chart.rows.map((row, index) => drawRow(row, index, layout)),
    ],
  };
}

function scaleOf(chart: RowChart, width: number, narrow: boolean): Scale {
  const widest = (text: (row: ChartRow) => string, size: number) =>
    Math.max(0, ...chart.rows.map((row) => textWidth(text(row), size)));
  const names = Math.min(widest(nameOf, 13) + 20, width * 0.38);
  const notes = Math.min(widest((row) => row.note, 12) + 14, width * 0.32);
  return makeScale({
    kind: chart.axis.kind,
    values: chart.rows.flatMap(valuesOf).concat(chart.base === null ? [] : [chart.base.value]),
    start: narrow ? 8 : names,
    end: narrow ? width - 14 : width - notes - 6,
  });
}

function nameOf({ name, contender }: ChartRow): string {
  return name ?? contender;
}

function valuesOf({ interval, span, points = [], bars = [] }: ChartRow): number[] {
  const ends = bars.length === 0 ? [] : [bars.reduce((sum, length) => sum + length, 0)];
  return [...(interval ?? []), ...(span ?? []), ...points.map(({ value }) => value), ...ends];
}

function baseLine({ base }: RowChart, { scale, top, bottom, width }: RowLayout): Markup[] {
  if (base === null) return [];
  const x = position(scale, base.value);
  const middle = inside(x, textWidth(base.label, 12), width);
  return [
    straight({ x, y: top - 6 }, { x, y: bottom }, "base"),
    label({ x: middle, y: top - 17 }, base.label, { anchor: "middle", style: "axis" }),
  ];
}

function drawRow(row: ChartRow, index: number, layout: RowLayout): Markup {
  const { narrow, top, rowHeight, width, scale } = layout;
  const from = top + index * rowHeight;
  const y = from + (narrow ? 33 : rowHeight / 2);
  const words = from + (narrow ? 12 : rowHeight / 2);
  const style = row.strong ? "strong" : "name";
  const marks = [...barsOf(row, y, scale), ...pointsOf(row, y, scale)];
  const room = narrow ? width - textWidth(nameOf(row)) - 10 : Number.POSITIVE_INFINITY;
  const note = textWidth(row.note, 12) <= room ? row.note : row.shortNote;
  const group = element("g", {}, ...marks);
  const hit = { x: 0, y: from, width, height: rowHeight, class: "hit" };
  // Fingers do not hover, and the figure stands in the row.
  return contenderGroup(row.contender, narrow ? null : row.tip, [
    narrow ? null : element("rect", hit),
    label({ x: 0, y: words }, nameOf(row), { style }),
    group,
    label({ x: width, y: words }, note, { anchor: "end", style: "value" }),
  ]);
}

function pointsOf({ mark, interval, span, points = [] }: ChartRow, y: number, scale: Scale) {
  const at = (value: number) => position(scale, value);
  const line =
    span === null || span === undefined
      ? null
      : straight({ x: at(span[0]), y }, { x: at(span[1]), y }, `w-thin s-${mark.colour}`);
  const ends = interval ?? null;
  return [
    line,
    ends === null ? null : whisker(at(ends[0]), at(ends[1]), y, mark),
    ...points.map(({ value, filling }) => point({ x: at(value), y }, mark, filling)),
  ];
}

function barsOf(row: ChartRow, y: number, scale: Scale): Markup[] {
  const { mark, bars = [], barKind = "solid", bothParts = false } = row;
  let start = Math.max(scale.low, 0);
  return bars.flatMap((length, index) => {
    const x = position(scale, start);
    start += length;
    const box = { x, y: y - 8, width: Math.max(position(scale, start) - x, 0.5), height: 16 };
    if (!bothParts) return barPart(box, { ...mark, kind: barKind, first: index === 0 });
    const half = { ...box, height: box.height / 2 };
    return [
      ...barPart(half, { ...mark, kind: barKind, first: true }),
      ...barPart({ ...half, y }, { ...mark, kind: barKind, first: false }),
    ];
  });
}
