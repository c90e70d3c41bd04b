// The causes on the page: per contender what it is, one sentence of cause, and the figures behind
// it.

import { causeText } from "../cause-words.ts";
import type { Why } from "../causes.ts";
import { absent, duration, percent, significant } from "../format.ts";
import { element, join, type Markup, text } from "../markup.ts";
import { code, tableRegion } from "./table.ts";

export function whyList(rows: readonly Why[]): Markup {
  const items = rows.map((row) =>
    element(
      "div",
      { "data-contender": row.cell.contender },
      element(
        "dt",
        {},
        code(row.cell.contender),
        " " as Markup,
        element("span", {}, text(row.what)),
      ),
      element("dd", { class: "cause" }, text(causeText(row))),
    ),
  );
  return join([element("dl", { class: "why" }, ...items), figuresOf(rows)]);
}

/** The figures that the sentences are made of, beside one another. */
function figuresOf(rows: readonly Why[]): Markup {
  const measured = rows.filter(({ figures }) => figures.cpu !== undefined);
  const value = (found: number | undefined, format: (value: number) => string) =>
    found === undefined ? { text: absent } : { text: format(found), value: found };
  const table = {
    columns: [
      ...["contender", "CPU per message", "user mode, %", "system calls per message"],
      ...["events per wait", "descriptors looked at per message", "context switches per message"],
    ],
    rows: measured.map(({ cell, figures }) => ({
      name: cell.contender,
      values: [
        value(figures.cpu, duration),
        value(figures.userShare, percent),
        value(figures.calls, significant),
        value(figures.eventsPerWait, significant),
        value(figures.looks, significant),
        value(figures.switches, significant),
      ],
    })),
  };
  return element(
    "details",
    { class: "data" },
    element("summary", {}, text("The figures as a table")),
    tableRegion(table, { caption: "What each contender does per message", byContender: true }),
  );
}
