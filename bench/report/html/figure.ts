// One chart on the page, with its title, description and table. It is drawn twice, for wide and for
// narrow screens, and the style sheet shows one of them. SVG 2 and ARIA graphics: role img, named
// by title, described by desc.

import { type Chart, drawChart, type Picture } from "../charts/chart.ts";
import { bullets, element, folding, join, type Markup, nothing, text } from "../markup.ts";
import { code, dataTable } from "./table.ts";

const widths = { wide: 860, narrow: 360 } as const;

/** The chart that a section shows at once. */
export function figureOf(chart: Chart): Markup {
  const { what, scale } = chart;
  return element(
    "figure",
    { id: chart.id },
    element(
      "figcaption",
      {},
      element("h3", {}, text(what)),
      scale === "" ? null : element("p", {}, text(scale)),
    ),
    ...picturesOf(chart),
    ...wordsOf(chart),
  );
}

/** Both drawings, of which style shows one. */
export function picturesOf(chart: Picture): Markup[] {
  return [pictureOf(chart, "wide"), pictureOf(chart, "narrow")];
}

/** A folded chart, drawn once: two drawings of each would be most of a full report. */
export function foldedFigure(chart: Chart): Markup {
  return folding(
    text(chart.title),
    { class: "folded", id: chart.id },
    element(
      "figure",
      { "aria-label": chart.title },
      pictureOf(chart, "narrow", "only"),
      ...wordsOf(chart),
    ),
  );
}

function wordsOf(chart: Chart): Markup[] {
  return [
    missingOf(chart),
    dataTable(chart.table, chart.title, chart.table.columns[0] === "contender"),
  ];
}

function pictureOf(chart: Picture, size: keyof typeof widths, shown: string = size): Markup {
  const { width, height, body } = drawChart(chart, widths[size]);
  const name = `${chart.id}-${size}`;
  return element(
    "svg",
    {
      class: `chart ${shown}`,
      viewBox: `0 0 ${width} ${Math.ceil(height)}`,
      role: "img",
      "aria-labelledby": `${name}-title`,
      "aria-describedby": `${name}-desc`,
    },
    element("title", { id: `${name}-title` }, text(chart.title)),
    element("desc", { id: `${name}-desc` }, text(chart.description)),
    ...body,
  );
}

function missingOf({ missing }: Chart): Markup {
  if (missing.length === 0) return nothing;
  const items = missing.map(({ contender, reason }) => join([code(contender), text(reason)], " "));
  return element(
    "div",
    { class: "missing" },
    element("p", {}, text("Not in the chart:")),
    bullets(items),
  );
}
