// A result of the gate as a page, and as a section for another page. Pure.

import { renderDocument } from "../report/html/document.ts";
import { picturesOf } from "../report/html/figure.ts";
import { bullets, element, type Markup, nothing, text } from "../report/markup.ts";
import { gateChart } from "./chart.ts";
import type { GateResult } from "./result.ts";
import { columnNames, columns, contextLines, rowWords, verdictLine } from "./words.ts";

const tones = {
  pass: "sound",
  regression: "broken",
  inconclusive: "careful",
  untrustworthy: "broken",
} as const;

export function renderGateHtml(result: GateResult): string {
  return page("Regression gate", gateSection(result));
}

/** The verdict, the picture, the table, and what it rests on. */
export function gateSection(result: GateResult): Markup {
  return element(
    "section",
    { id: "regression", "aria-labelledby": "regression-heading" },
    element("h2", { id: "regression-heading" }, text("Base against head")),
    banner(tones[result.outcome], verdictLine(result)),
    gateFigure(result),
    element(
      "div",
      { class: "scroll", role: "region", tabindex: 0, "aria-label": tableTitle },
      gateTable(result),
    ),
    bullets(contextLines(result).map(text)),
  );
}

/** @param tone of the style sheet */
export function banner(tone: string, verdict: string): Markup {
  return element("div", { class: `banner ${tone}` }, element("strong", {}, text(verdict)));
}

function gateFigure(result: GateResult): Markup {
  const chart = gateChart(result);
  if (chart === null) return nothing;
  const caption = element(
    "figcaption",
    {},
    element("p", {}, text("95 % intervals; thin lines are the margins, beyond which they gate.")),
  );
  return element("figure", {}, caption, ...picturesOf(chart));
}

/** A whole page around some content, in the report's style. */
export function page(title: string, ...content: readonly Markup[]): string {
  const main = element("main", { id: "main" }, element("h1", {}, text(title)), ...content);
  const body = element("body", {}, element("div", { class: "columns single" }, main));
  return renderDocument({ title: `io-selectors: ${title}`, body });
}

const tableTitle = "Every metric compared, base against head";

function gateTable({ cells }: GateResult): Markup {
  const heads = columnNames.map((name) => element("th", { scope: "col" }, text(columns[name])));
  const rows = cells.map((cell) => {
    const row = rowWords(cell);
    return element("tr", {}, ...columnNames.map((name) => element("td", {}, text(row[name]))));
  });
  return element(
    "table",
    {},
    element("caption", { class: "hidden" }, text(tableTitle)),
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows),
  );
}
