// Tables as HTML: a caption, headed columns and rows, and each full figure in a data element,
// because the visible text is rounded. WAI-ARIA Authoring Practices, "table"; a wide table scrolls
// in a region that the keyboard reaches.

import type { ChartTable, TableValue } from "../charts/chart.ts";
import { element, folding, join, type Markup, text } from "../markup.ts";
import type { Sentence } from "../sentence.ts";

interface TableOptions {
  readonly caption: string;
  /** Whether its rows are contenders', so that choosing contenders dims the others. */
  readonly byContender?: boolean;
  /** A table of names and words, whose columns are not numbers. */
  readonly words?: boolean;
}

/** A table in a region that scrolls sideways where it is too wide. */
export function tableRegion(table: ChartTable, options: TableOptions): Markup {
  return element(
    "div",
    { class: "scroll", role: "region", tabindex: "0", "aria-label": options.caption },
    htmlTable(table, options),
  );
}

/** The figures of a picture or a sentence, folded. */
export function dataTable(table: ChartTable, caption: string, byContender = true): Markup {
  const region = tableRegion(table, { caption, byContender });
  return folding(text("The figures as a table"), { class: "data" }, region);
}

function htmlTable({ columns, rows }: ChartTable, options: TableOptions): Markup {
  const numeric = columns.map((_, index) =>
    rows.some(({ values }) => values[index - 1]?.value !== undefined),
  );
  const heads = columns.map((name, index) =>
    element("th", { scope: "col", class: numeric[index] ? "n" : null }, text(name)),
  );
  const lines = rows.map(({ name, values }) =>
    element(
      "tr",
      { "data-contender": options.byContender ? name : null },
      element("th", { scope: "row" }, options.byContender ? code(name) : text(name)),
      ...values.map((value, index) => field(value, numeric[index + 1] === true)),
    ),
  );
  return element(
    "table",
    { class: options.words ? "words" : null },
    element("caption", { class: "hidden" }, text(options.caption)),
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, join(lines, "\n")),
  );
}

/** A name that a program gave, not prose. */
export function code(name: string): Markup {
  return element("code", {}, text(name));
}

/** A sentence with its names set as code. */
export function prose(sentence: Sentence): Markup {
  return join(sentence.map((part) => (typeof part === "string" ? text(part) : code(part.name))));
}

/** Digits that a figure is kept with; results.json has all of them. */
const keptDigits = 6;

/** Style aligns fields that hold a figure; those of a numeric column that do not say so. */
function field({ text: shown, value, beside = "" }: TableValue, numeric: boolean): Markup {
  if (value === undefined) return element("td", { class: numeric ? "n" : null }, text(shown));
  const full = String(Number(value.toPrecision(keptDigits)));
  return element(
    "td",
    {},
    element("data", { value: full }, text(shown)),
    beside === "" ? null : join([text(" "), element("small", {}, text(beside))]),
  );
}
