// The page that draws the history: a chart a series, the medians of its stretches as steps, a mark
// at every change. Pure. Enters: trends. Leaves: one HTML page that loads nothing from anywhere.

import { enumerate } from "../report/format.ts";
import { coordinate, element, type Markup, nothing, text } from "../report/markup.ts";
import { page } from "./html.ts";
import { gateMetric } from "./metrics.ts";
import type { Trend, TrendChange, TrendPoint } from "./trend.ts";
import { figureText } from "./words.ts";

const width = 900;
const height = 220;
const edge = { left: 84, right: 16, top: 14, bottom: 30 };

export function renderTrends(trends: readonly Trend[]): string {
  const lead = element(
    "p",
    { class: "lead" },
    text(
      "Each point is the median of a run's blocks, the line through it their least and most. " +
        "Steps are the medians between changes (E-divisive, p < 0.05). A trend never gates.",
    ),
  );
  const empty = element("p", {}, text("The history is empty."));
  return page("Trend", lead, ...(trends.length === 0 ? [empty] : trends.map(sectionOf)));
}

/** The same in words, a line a series. */
export function trendLines(trends: readonly Trend[]): string[] {
  return trends.map((trend) => `${trend.name} (${trend.profile}): ${summaryOf(trend)}`);
}

function sectionOf(trend: Trend): Markup {
  const { name, profile, fingerprint, metric } = trend;
  const { title } = gateMetric(metric);
  const summary = summaryOf(trend);
  return element(
    "section",
    {},
    element("h2", {}, text(`${name}: ${title}`)),
    element("p", { class: "fingerprint" }, text(`profile ${profile}, machine ${fingerprint}`)),
    element("p", {}, text(summary)),
    element("figure", { class: "scroll", tabindex: 0 }, drawing(trend, `${name}. ${summary}`)),
  );
}

function summaryOf({ metric, points, changes }: Trend): string {
  const { unit } = gateMetric(metric);
  const moves = changes.map((change) => changeWords(change, points, unit));
  const runs = points.length === 1 ? "1 run" : `${points.length} runs`;
  if (moves.length === 0) return `${runs}; no change found.`;
  return `${runs}; ${moves.length === 1 ? "changed" : "changes"}: ${enumerate(moves)}.`;
}

function changeWords(change: TrendChange, points: readonly TrendPoint[], unit: string): string {
  const { index, before, after, pValue } = change;
  const point = points[index];
  const percent = (after / before - 1) * 100;
  const sign = percent < 0 ? "−" : "+";
  const from = `${figureText(before, unit)} to ${figureText(after, unit)}`;
  const moved = `${from} (${sign}${Math.abs(percent).toFixed(1)} %, p = ${pValue.toFixed(3)})`;
  return `at ${point?.commit ?? "an unknown commit"}, ${point?.at.slice(0, 10) ?? ""}: ${moved}`;
}

interface Scales {
  readonly x: (index: number) => number;
  readonly y: (value: number) => number;
}

function drawing({ points, changes, metric }: Trend, label: string): Markup {
  const most = Math.max(...points.map(({ high }) => high)) * 1.05;
  const inner = { width: width - edge.left - edge.right, height: height - edge.top - edge.bottom };
  const scales: Scales = {
    x: (index) => edge.left + (inner.width * (index + 0.5)) / points.length,
    // From zero: half as high is half as much.
    y: (value) => edge.top + inner.height * (1 - value / (most || 1)),
  };
  const { unit } = gateMetric(metric);
  return element(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, width: "100%" },
    ...[0, most / 2, most].map((value) => gridLine(value, unit, scales)),
    ...points.map((point, index) => mark(point, index, { scales, unit })),
    ...stepsOf(points, changes, scales),
    ...changes.map(({ index }) => changeMark(scales.x(index - 0.5))),
    words(edge.left, height - 8, points[0]?.at.slice(0, 10) ?? "", "start"),
    points.length < 2
      ? nothing
      : words(width - edge.right, height - 8, points.at(-1)?.at.slice(0, 10) ?? "", "end"),
  );
}

function gridLine(value: number, unit: string, { y }: Scales): Markup {
  const at = y(value);
  return element(
    "g",
    {},
    line({ x1: edge.left, x2: width - edge.right, y1: at, y2: at }, "stroke:var(--line)"),
    words(edge.left - 8, at + 4, figureText(value, unit), "end"),
  );
}

function mark(
  { value, low, high, at, commit }: TrendPoint,
  index: number,
  { scales: { x, y }, unit }: { readonly scales: Scales; readonly unit: string },
): Markup {
  const centre = x(index);
  const tip = `${commit ?? "?"}, ${at.slice(0, 16).replace("T", " ")}: ${figureText(value, unit)}`;
  return element(
    "g",
    {},
    element("title", {}, text(tip)),
    line({ x1: centre, x2: centre, y1: y(low), y2: y(high) }, "stroke:var(--muted)"),
    element("circle", { cx: centre, cy: y(value), r: 3.5, style: "fill:var(--accent)" }),
  );
}

/** The level of each stretch between two changes. */
function stepsOf(
  points: readonly TrendPoint[],
  changes: readonly TrendChange[],
  { x, y }: Scales,
): Markup[] {
  const first = changes[0];
  if (first === undefined) return [];
  const levels = [first.before, ...changes.map(({ after }) => after)];
  const bounds = [0, ...changes.map(({ index }) => index), points.length];
  return levels.map((level, index) => {
    const [start, end] = [bounds[index] ?? 0, bounds[index + 1] ?? points.length];
    const at = { x1: x(start - 0.5), x2: x(end - 0.5), y1: y(level), y2: y(level) };
    return line(at, "stroke:var(--ink);stroke-width:2");
  });
}

function changeMark(x: number): Markup {
  const at = { x1: x, x2: x, y1: edge.top, y2: height - edge.bottom };
  return line(at, "stroke:var(--ink);stroke-dasharray:4 4");
}

function line(at: Readonly<Record<"x1" | "x2" | "y1" | "y2", number>>, style: string): Markup {
  const places = Object.entries(at).map(([name, value]) => [name, coordinate(value)]);
  return element("line", { ...Object.fromEntries(places), style });
}

function words(x: number, y: number, content: string, anchor: "start" | "end"): Markup {
  const style = "fill:var(--muted);font-size:12px";
  return element("text", { x, y, "text-anchor": anchor, style }, text(content));
}
