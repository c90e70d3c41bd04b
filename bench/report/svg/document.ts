// A chart as a file of its own, for slides and READMEs: its title, its style sheet with the colours
// written out, and its background. SVG 1.1, as slide programs read it.

import { type Chart, drawChart } from "../charts/chart.ts";
import { element, join, type Markup, raw, text } from "../markup.ts";
import type { ReportFormat } from "../rendering.ts";
import { label } from "./marks.ts";
import { darkTheme, lightTheme } from "./palette.ts";
import { fileChartRules } from "./style.ts";

const width = 860;
const margin = 24;
const head = 60;

/** @returns a whole file. */
export function chartFile(chart: Chart, theme: "light" | "dark"): string {
  const drawing = drawChart(chart, width);
  const { what, scale } = chart;
  const outerWidth = width + 2 * margin;
  const outerHeight = Math.ceil(drawing.height) + 2 * margin + head;
  const svg = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width: outerWidth,
      height: outerHeight,
      viewBox: `0 0 ${outerWidth} ${outerHeight}`,
      role: "img",
      "aria-labelledby": "title",
      "aria-describedby": "desc",
    },
    element("title", { id: "title" }, text(chart.title)),
    element("desc", { id: "desc" }, text(chart.description)),
    raw("style", fileChartRules(theme === "light" ? lightTheme : darkTheme)),
    element("rect", { width: outerWidth, height: outerHeight, class: "back" }),
    label({ x: margin, y: margin + 6 }, what, { style: "head" }),
    label({ x: margin, y: margin + 28 }, scale, { style: "axis" }),
    element(
      "g",
      { transform: `translate(${margin} ${margin + head})` },
      join(drawing.body) as Markup,
    ),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg}\n`;
}

/** The first chart of each section, in both themes. */
export const svg: ReportFormat = {
  name: "svg",
  text: null,
  files: ({ sections }) =>
    new Map(
      sections.flatMap(({ id, charts: [first] }) =>
        first === undefined
          ? []
          : [
              [`charts/${id}.svg`, chartFile(first, "light")],
              [`charts/${id}-dark.svg`, chartFile(first, "dark")],
            ],
      ),
    ),
};
