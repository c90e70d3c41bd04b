// What a chart drawn for a given width is, and the parts that all charts share: grid, axes, legend.

import { element, type Markup } from "../markup.ts";
import { barPart, type Filling, label, point, straight, textWidth } from "./marks.ts";
import { areApart, position, type Scale, ticks, within } from "./scale.ts";

/** A chart's inside in a box of its own. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly body: readonly (Markup | null)[];
}

/** How an axis counts. */
export interface AxisSpec {
  readonly kind: "log" | "linear";
  /** Empty if the chart is named elsewhere. */
  readonly title: string;
  readonly format: (value: number) => string;
  /** What round is: 1024 for bytes; default: 1. */
  readonly unit?: number;
  /** Where ticks stand if they fit: what was measured. */
  readonly at?: readonly number[];
}

export interface LegendEntry {
  readonly filling: Filling;
  readonly text: string;
  /** A bar's swatch instead of a point: its first part, its second, both; or a low one. */
  readonly bar?: "full" | "light" | "both" | "open" | "hatched" | "low";
}

/** Below this a chart stacks what it would put side by side. */
export const narrowBelow = 560;

interface Box {
  readonly top: number;
  readonly bottom: number;
  /** Of the whole drawing, which words stay inside. */
  readonly width: number;
}

/** Vertical lines through the plot, their values below, and the axis's title. */
export function horizontalAxis(scale: Scale, box: Box, axis: AxisSpec): Markup[] {
  const { top, bottom, width } = box;
  const marks = ticksOf(scale, axis);
  const lines = marks.map((value) => {
    const x = position(scale, value);
    return straight({ x, y: top }, { x, y: bottom }, "grid");
  });
  const words = marks.map((value) => {
    const words = axis.format(value);
    const x = inside(position(scale, value), textWidth(words, 11.5), width);
    return label({ x, y: bottom + 14 }, words, { anchor: "middle", style: "tick" });
  });
  const base = straight({ x: scale.start, y: bottom }, { x: scale.end, y: bottom }, "axis");
  const title = titleOf(axis, Math.abs(scale.end - scale.start));
  const titlePlace = { x: (scale.start + scale.end) / 2, y: bottom + 36 };
  return [
    element("g", {}, ...lines, base),
    element("g", {}, ...words),
    ...(axis.title === "" ? [] : [label(titlePlace, title, { anchor: "middle", style: "axis" })]),
  ];
}

/** The middle of words that are so wide, moved where they would stick out of the drawing. */
export function inside(middle: number, words: number, width: number): number {
  return Math.min(Math.max(middle, words / 2), width - words / 2);
}

/** Horizontal lines through the plot and their values on its left. The title stands above. */
export function verticalAxis(
  scale: Scale,
  { left, right }: { readonly left: number; readonly right: number },
  axis: AxisSpec,
): Markup[] {
  const marks = ticks(scale, 30, axis.unit);
  const lines = marks.map((value) => {
    const y = position(scale, value);
    return straight({ x: left, y }, { x: right, y }, "grid");
  });
  const words = marks.map((value) =>
    label({ x: left - 8, y: position(scale, value) }, axis.format(value), {
      anchor: "end",
      style: "tick",
    }),
  );
  const title = titleOf(axis, right);
  const titlePlace = { x: 0, y: Math.min(scale.start, scale.end) - 18 };
  return [
    element("g", {}, ...lines),
    element("g", {}, ...words),
    ...(axis.title === "" ? [] : [label(titlePlace, title, { style: "axis" })]),
  ];
}

/** Entries one after the other, wrapped to the width. */
export function legend(entries: readonly LegendEntry[], left: number, width: number) {
  const lineHeight = 22;
  const marks: Markup[] = [];
  let x = left;
  let y = 10;
  for (const entry of entries) {
    const size = 20 + textWidth(entry.text, 12) + 18;
    if (x > left && x + size - 18 > left + width) {
      x = left;
      y += lineHeight;
    }
    marks.push(swatch(entry, x + 6, y));
    marks.push(label({ x: x + 20, y }, entry.text, { style: "value" }));
    x += size;
  }
  return { marks, height: entries.length === 0 ? 0 : y + 16 };
}

function swatch({ filling, bar }: LegendEntry, x: number, y: number): Markup {
  if (bar === undefined) return point({ x, y }, null, filling);
  const box = { x: x - 6, y: y - 6, width: 12, height: 12 };
  const half = { ...box, height: 6 };
  const first = { colour: "muted", kind: "solid", first: true } as const;
  const second = { ...first, first: false };
  const parts = {
    full: () => barPart(box, first),
    light: () => barPart(box, second),
    both: () => [...barPart(half, first), ...barPart({ ...half, y }, second)],
    open: () => barPart(box, { ...first, kind: "open" }),
    hatched: () => barPart(box, { ...second, kind: "hatched" }),
    low: () => barPart({ ...half, y: y - 3 }, first),
  };
  return element("g", {}, ...parts[bar]());
}

/** As many as fit, by how wide they print. */
function ticksOf(scale: Scale, axis: AxisSpec): readonly number[] {
  const at = (axis.at ?? []).filter((value) => within(scale, value));
  const room = at.reduce((sum, value) => sum + textWidth(axis.format(value), 11.5) + 14, 0);
  const gap = Math.abs(scale.end - scale.start) / 12;
  if (at.length > 0 && room <= gap * 12 && areApart(scale, at, Math.min(gap, 34))) return at;
  const widest = (values: readonly number[]) =>
    Math.max(...values.map((value) => textWidth(axis.format(value), 11.5)));
  let marks = ticks(scale, 34, axis.unit);
  for (let attempt = 0; attempt < 3; attempt++) {
    marks = ticks(scale, Math.max(34, widest(marks) + 12), axis.unit);
  }
  return marks;
}

function titleOf({ title, kind }: AxisSpec, room: number): string {
  const whole = kind === "log" ? `${title} (logarithmic)` : title;
  return textWidth(whole, 12) <= room ? whole : title;
}
