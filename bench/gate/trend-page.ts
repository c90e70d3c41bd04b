// The page that draws the history: a chart per series, the medians of its stretches as steps, a
// line at every change. It is drawn by the report's axes, scales and marks.

import { enumerate, plural } from "../report/format.ts";
import { element, type Markup, nothing, text } from "../report/markup.ts";
import { type AxisSpec, horizontalAxis, verticalAxis } from "../report/svg/drawing.ts";
import { straight } from "../report/svg/marks.ts";
import { makeScale, position, type Scale } from "../report/svg/scale.ts";
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
      "Each point is the median of a run's blocks; the line through it spans all blocks. " +
        "Steps are the medians between changes (E-divisive, p < 0.05). A trend decides nothing.",
    ),
  );
  const empty = element("p", {}, text("The history is empty."));
  const changed = trends.filter(hasChanged);
  const others = trends.filter((trend) => !hasChanged(trend));
  const sections = [...changed.map(sectionOf), foldedSections(others)];
  return page("Trend", lead, ...(trends.length === 0 ? [empty] : sections));
}

/** In words: how many series changed, then a line for each of them. */
export function trendLines(trends: readonly Trend[]): string[] {
  const changed = trends.filter(hasChanged);
  const count = changed.length === 0 ? "none" : String(changed.length);
  return [
    `changed: ${count} of ${plural(trends.length, "figure")}`,
    ...changed.map((trend) => `${trend.name} (${trend.profile}): ${summaryOf(trend)}`),
  ];
}

function hasChanged({ changes }: Trend): boolean {
  return changes.length > 0;
}

/** A page with a chart for every figure that stayed the same would be endless. */
function foldedSections(trends: readonly Trend[]): Markup {
  if (trends.length === 0) return nothing;
  const summary = element(
    "summary",
    {},
    text(`${plural(trends.length, "figure")} without a change`),
  );
  return element("details", {}, summary, ...trends.map(sectionOf));
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
  const runs = plural(points.length, "run");
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

/** Where the pieces of a drawing stand: runs from left to right, figures upwards. */
interface Plot {
  readonly x: Scale;
  readonly y: Scale;
}

function drawing({ points, changes, metric }: Trend, label: string): Markup {
  const { unit } = gateMetric(metric);
  const [left, right] = [edge.left, width - edge.right];
  const [top, bottom] = [edge.top, height - edge.bottom];
  const last = points.length - 1;
  const values = points.map(({ high }) => high);
  const plot: Plot = {
    x: { kind: "linear", low: -0.5, high: last + 0.5, start: left, end: right },
    // From zero: half as high is half as much.
    y: makeScale({ kind: "linear", values, start: bottom, end: top }),
  };
  const days: AxisSpec = {
    ...{ kind: "linear", title: "", at: last > 0 ? [0, last] : [0] },
    format: (index) => points[Math.round(index)]?.at.slice(0, 10) ?? "",
  };
  const format = (value: number) => figureText(value, unit);
  return element(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, width: "100%" },
    ...verticalAxis(plot.y, { left, right }, { kind: "linear", title: "", format }),
    ...horizontalAxis(plot.x, { top: bottom, bottom, width }, days),
    ...points.map((point, index) => mark(point, index, { plot, unit })),
    ...stepsOf(points, changes, plot),
    ...changes.map(({ index }) => {
      const x = position(plot.x, index - 0.5);
      return straight({ x, y: top }, { x, y: bottom }, "base");
    }),
  );
}

function mark(
  { value, low, high, at, commit }: TrendPoint,
  index: number,
  { plot, unit }: { readonly plot: Plot; readonly unit: string },
): Markup {
  const place = (figure: number) => ({
    x: position(plot.x, index),
    y: position(plot.y, figure),
  });
  const { x, y } = place(value);
  const tip = `${commit ?? "?"}, ${at.slice(0, 16).replace("T", " ")}: ${figureText(value, unit)}`;
  return element(
    "g",
    {},
    element("title", {}, text(tip)),
    straight(place(low), place(high), "w-thin s-muted"),
    element("circle", { cx: x, cy: y, r: 3.5, style: "fill:var(--accent)" }),
  );
}

/** The level of each stretch between two changes. */
function stepsOf(
  points: readonly TrendPoint[],
  changes: readonly TrendChange[],
  plot: Plot,
): Markup[] {
  const first = changes[0];
  if (first === undefined) return [];
  const levels = [first.before, ...changes.map(({ after }) => after)];
  const bounds = [0, ...changes.map(({ index }) => index), points.length];
  return levels.map((level, index) => {
    const [from = 0, to = from] = bounds.slice(index).map((end) => position(plot.x, end - 0.5));
    const y = position(plot.y, level);
    return straight({ x: from, y }, { x: to, y }, "base");
  });
}
