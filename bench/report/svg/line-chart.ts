// The chart with a line per contender over a count: how a figure changes as the load grows. Names
// are at the ends of the lines, or in a legend below a narrow chart.

import { element, type Markup, coordinate as px, text } from "../markup.ts";
import {
  type AxisSpec,
  type Drawing,
  horizontalAxis,
  narrowBelow,
  verticalAxis,
} from "./drawing.ts";
import { contenderGroup, label, type Place, point, straight, textWidth } from "./marks.ts";
import type { ContenderMark } from "./palette.ts";
import { makeScale, position, type Scale } from "./scale.ts";

export interface SeriesPoint {
  readonly x: number;
  readonly y: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly tip: string;
  /** Seen, but not ranked. */
  readonly open: boolean;
  /** Marked with a ring: where the curve bends. */
  readonly ringed?: boolean;
}

export interface Series {
  readonly contender: string;
  readonly mark: ContenderMark;
  /** By rising x. */
  readonly points: readonly SeriesPoint[];
}

export interface LineChart {
  readonly kind: "lines";
  readonly xAxis: AxisSpec;
  readonly yAxis: AxisSpec;
  readonly series: readonly Series[];
  /** Curves without a mark per point, for series of many. */
  readonly smooth?: boolean;
}

interface PlotScales {
  readonly x: Scale;
  readonly y: Scale;
}

const lineHeight = 17;

/** @param width in pixels, of the whole drawing. */
export function drawLines(chart: LineChart, width: number): Drawing {
  const narrow = width < narrowBelow;
  const names = Math.max(0, ...chart.series.map(({ contender }) => textWidth(contender)));
  const top = 36;
  const plotHeight = Math.max(narrow ? 260 : 340, chart.series.length * lineHeight);
  const bottom = top + plotHeight;
  const numbers = textWidth(String(chart.series.length));
  const right = width - 34 - (narrow ? numbers : names);
  const left = leftGutter(chart);
  const scales = scalesOf(chart, { left, right, top, bottom });
  const keys = narrow ? keysBelow(chart.series, bottom + 60, width) : { marks: [], height: 0 };
  return {
    width,
    height: bottom + 50 + (narrow ? keys.height + 6 : 0),
    body: [
      ...verticalAxis(scales.y, { left, right }, chart.yAxis),
      ...horizontalAxis(scales.x, { top, bottom, width }, chart.xAxis),
      ...chart.series.map((series) => drawSeries(series, scales, chart.smooth === true)),
      ...namesAtEnds(chart.series, { scales, right, name: narrow ? keyOf : String }),
      ...keys.marks,
    ],
  };
}

function leftGutter({ yAxis, series }: LineChart): number {
  const values = series.flatMap(({ points }) => points.map(({ y }) => yAxis.format(y)));
  return Math.max(34, ...values.map((text) => textWidth(text, 11.5))) + 12;
}

interface Edges {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function scalesOf(
  { series, xAxis, yAxis }: LineChart,
  { left, right, top, bottom }: Edges,
): PlotScales {
  const points = series.flatMap((one) => one.points);
  const heights = points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]);
  return {
    x: makeScale({ kind: xAxis.kind, values: points.map(({ x }) => x), start: left, end: right }),
    y: makeScale({ kind: yAxis.kind, values: heights, start: bottom, end: top }),
  };
}

function drawSeries(
  { contender, mark, points }: Series,
  scales: PlotScales,
  smooth: boolean,
): Markup {
  const place = (x: number, y: number): Place => ({
    x: position(scales.x, x),
    y: position(scales.y, y),
  });
  const places = points.map(({ x, y }) => place(x, y));
  const d = places.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${px(x)} ${px(y)}`).join("");
  const soft = mark.dashed ? " soft" : "";
  const curve = element("path", { d, class: `curve s-${mark.colour}${soft}` });
  const marked = smooth ? points.slice(-1) : points;
  const marks = marked.map((one) => {
    const at = place(one.x, one.y);
    const [low, high] = [place(one.x, one.low ?? one.y), place(one.x, one.high ?? one.y)];
    return element(
      "g",
      {},
      element("title", {}, text(one.tip)),
      straight(low, high, `w-thin s-${mark.colour}`),
      point(at, mark, one.open ? "open" : "solid"),
      ...(one.ringed === true ? [ring(at, mark)] : []),
    );
  });
  return contenderGroup(contender, null, [curve, ...marks]);
}

function ring({ x, y }: Place, { colour }: ContenderMark): Markup {
  return element("circle", { cx: px(x), cy: px(y), r: "11", class: `w s-${colour}` });
}

interface Ends {
  readonly scales: PlotScales;
  readonly right: number;
  readonly name: (contender: string, index: number) => string;
}

/** At the right, in the order of their ends, moved apart until none covers another. */
function namesAtEnds(series: readonly Series[], { scales, right, name }: Ends): Markup[] {
  const ends = series
    .flatMap(({ contender, mark, points }, index) => {
      const last = points.at(-1);
      if (last === undefined) return [];
      const place = { x: position(scales.x, last.x), y: position(scales.y, last.y) };
      return [{ contender, mark, words: name(contender, index), ...place }];
    })
    .sort((a, b) => a.y - b.y);
  const heights = spread(
    ends.map(({ y }) => y),
    Math.min(scales.y.start, scales.y.end),
    Math.max(scales.y.start, scales.y.end),
  );
  return ends.map(({ contender, mark, words, x, y }, index) => {
    const height = heights[index] ?? y;
    const d = `M${px(x + 8)} ${px(y)}L${px(right + 8)} ${px(height)}H${px(right + 14)}`;
    return contenderGroup(contender, null, [
      element("path", { d, class: "leader" }),
      point({ x: right + 20, y: height }, mark, "small"),
      label({ x: right + 28, y: height }, words),
    ]);
  });
}

/** A curve's number, where its name has no room beside it. */
const keyOf = (_contender: string, index: number) => String(index + 1);

/** Heights at least a line apart, as near as may be to where they were, within the bounds. */
export function spread(heights: readonly number[], top: number, bottom: number): number[] {
  const moved: number[] = [];
  for (const height of heights) {
    const before = moved.at(-1);
    moved.push(
      before === undefined ? Math.max(height, top) : Math.max(height, before + lineHeight),
    );
  }
  let limit = bottom;
  for (let index = moved.length - 1; index >= 0; index--) {
    moved[index] = Math.min(moved[index] ?? limit, limit);
    limit = (moved[index] ?? limit) - lineHeight;
  }
  return moved;
}

function keysBelow(series: readonly Series[], top: number, width: number) {
  const widest = Math.max(0, ...series.map(({ contender }) => textWidth(`99 ${contender}`))) + 24;
  const columns = widest * 2 <= width ? 2 : 1;
  const marks = series.map(({ contender, mark }, index) => {
    const x = (index % columns) * (width / columns);
    const y = top + Math.floor(index / columns) * 22;
    return contenderGroup(contender, null, [
      point({ x: x + 7, y }, mark, "solid"),
      label({ x: x + 20, y }, `${keyOf(contender, index)} ${contender}`),
    ]);
  });
  return { marks, height: Math.ceil(series.length / columns) * 22 };
}
