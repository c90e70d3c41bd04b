// A result of the gate as a page, and as a section for whoever has a page already. Pure. Enters: a
// GateResult. Leaves: markup that loads nothing from anywhere.

import { pageStyle } from "../report/html/style.ts";
import { element, type Markup, raw, text } from "../report/markup.ts";
import type { GateResult } from "./result.ts";
import { columns, contextLines, type RowWords, rowWords, verdictLine } from "./words.ts";

const tones = {
  pass: "sound",
  regression: "broken",
  inconclusive: "careful",
  untrustworthy: "broken",
} as const;

export function renderGateHtml(result: GateResult): string {
  return page("Regression gate", gateSection(result));
}

/** The verdict, the table, and what it rests on. */
export function gateSection(result: GateResult): Markup {
  return element(
    "section",
    { id: "regression", "aria-labelledby": "regression-heading" },
    element("h2", { id: "regression-heading" }, text("Base against head")),
    element(
      "div",
      { class: `banner ${tones[result.outcome]}` },
      element("strong", {}, text(verdictLine(result))),
    ),
    element("div", { class: "scroll", tabindex: 0 }, gateTable(result)),
    element("ul", {}, ...contextLines(result).map((line) => element("li", {}, text(line)))),
  );
}

/** A whole page around some content, in the report's style. */
export function page(title: string, ...content: readonly Markup[]): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  const head = element(
    "head",
    {},
    element("meta", { charset: "utf-8" }),
    element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    element("meta", { name: "color-scheme", content: "light dark" }),
    element("meta", { "http-equiv": "Content-Security-Policy", content: policy }),
    element("title", {}, text(`io-selectors: ${title}`)),
    element("link", { rel: "icon", href: "data:," }),
    raw("style", pageStyle()),
  );
  const main = element("main", { id: "main" }, element("h1", {}, text(title)), ...content);
  const body = element("body", {}, element("div", { class: "columns single" }, main));
  return `<!doctype html>\n${element("html", { lang: "en" }, head, body)}\n`;
}

function gateTable({ cells }: GateResult): Markup {
  const names = Object.keys(columns) as (keyof RowWords)[];
  const heads = names.map((name) => element("th", { scope: "col" }, text(columns[name])));
  const rows = cells.map((cell) => {
    const row = rowWords(cell);
    return element("tr", {}, ...names.map((name) => element("td", {}, text(row[name]))));
  });
  return element(
    "table",
    {},
    element("caption", { class: "hidden" }, text("Every metric compared, base against head")),
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows),
  );
}
