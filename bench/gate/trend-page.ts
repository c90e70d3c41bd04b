// The page that draws the history: a chart per series, the medians of its stretches as steps, a
// line at every change. It is drawn by the report's axes, scales and marks.

import { bytes, duration, plural, shortest } from "../report/format.ts";
import { element, folding, type Markup, nothing, paragraph, text } from "../report/markup.ts";
import { type AxisSpec, horizontalAxis, verticalAxis } from "../report/svg/drawing.ts";
import { straight } from "../report/svg/marks.ts";
import { makeScale, position, type Scale } from "../report/svg/scale.ts";
import { banner, page } from "./html.ts";
import { gateMetric } from "./metrics.ts";
import type { Trend, TrendChange, TrendPoint } from "./trend.ts";
import { changedTrends, commitText, summaryOf, titleOf, trendVerdict } from "./trend-words.ts";
import { figureText } from "./words.ts";

/** Drawn twice, for a desk and for a phone; the style sheet shows one of them. */
const widths = { wide: 900, narrow: 360 } as const;
const height = 220;
const edge = { left: 84, right: 16, top: 14, bottom: 30 };

export function renderTrends(trends: readonly Trend[]): string {
  const lead = paragraph(
    "lead",
    text(
      "Each point is the median of a run's blocks; the line through it spans all blocks. " +
        "Steps are the medians between changes (E-divisive, p < 0.05). A trend decides nothing.",
    ),
  );
  const empty = element("p", {}, text("The history is empty."));
  const changed = changedTrends(trends);
  const others = trends.filter((trend) => !changed.includes(trend));
  const verdict = banner(changed.length === 0 ? "sound" : "careful", trendVerdict(trends));
  const sections = [
    ...changed.slice(0, mostOpen).map(sectionOf),
    foldedSections(changed.slice(mostOpen), "more with a change"),
    foldedSections(others, "without a change"),
  ];
  return page("Trend", ...(trends.length === 0 ? [empty] : [verdict, lead, ...sections]));
}

/** Charts that are shown at once. */
const mostOpen = 12;

/** A page with a chart for every figure would be endless. */
function foldedSections(trends: readonly Trend[], which: string): Markup {
  if (trends.length === 0) return nothing;
  const title = text(`${plural(trends.length, "figure")} ${which}`);
  return folding(title, {}, ...trends.map(sectionOf));
}

function sectionOf(trend: Trend): Markup {
  const { profile, fingerprint } = trend;
  const [title, summary] = [titleOf(trend), summaryOf(trend)];
  return element(
    "section",
    {},
    element("h2", {}, text(title)),
    paragraph("fingerprint", text(`profile ${profile}, machine ${fingerprint}`)),
    element("p", {}, text(summary)),
    element("figure", {}, ...sizes.map((size) => drawing(trend, `${title}. ${summary}`, size))),
  );
}

/** Where the pieces of a drawing stand: runs from left to right, figures upwards. */
interface Plot {
  readonly x: Scale;
  readonly y: Scale;
}

const sizes = ["wide", "narrow"] as const;

function drawing(
  { points, changes, metric }: Trend,
  label: string,
  size: keyof typeof widths,
): Markup {
  const { unit } = gateMetric(metric);
  const width = widths[size];
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
  return element(
    "svg",
    { class: `chart ${size}`, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    ...verticalAxis(
      plot.y,
      { left, right },
      { kind: "linear", title: "", format: axisFormat(unit) },
    ),
    ...horizontalAxis(plot.x, { top: bottom, bottom, width }, days),
    ...points.map((point, index) => mark(point, index, { plot, unit })),
    ...stepsOf(points, changes, plot),
    ...changes.map(({ index }) => {
      const x = position(plot.x, index - 0.5);
      return straight({ x, y: top }, { x, y: bottom }, "base");
    }),
  );
}

/** Without zeros that show nothing: "1.5 ms". */
function axisFormat(unit: string): AxisSpec["format"] {
  if (unit === "us") return shortest(duration);
  if (unit === "bytes") return shortest(bytes);
  return (value) => value.toLocaleString("en-US");
}

function mark(
  point: TrendPoint,
  index: number,
  { plot, unit }: { readonly plot: Plot; readonly unit: string },
): Markup {
  const { value, low, high, at } = point;
  const place = (figure: number) => ({
    x: position(plot.x, index),
    y: position(plot.y, figure),
  });
  const { x, y } = place(value);
  const when = at.slice(0, 16).replace("T", " ");
  const tip = `${commitText(point)}, ${when}: ${figureText(value, unit)}`;
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
