// The causes on the page: what each contender is, one sentence of cause, the figures behind it.

import { causeText } from "../cause-words.ts";
import { callNames, type Why } from "../causes.ts";
import { absent, duration, percent, significant } from "../format.ts";
import { element, join, type Markup, text } from "../markup.ts";
import { code, dataTable } from "./table.ts";

export function whyList(rows: readonly Why[]): Markup {
  const items = rows.map((row) =>
    element(
      "div",
      { "data-contender": row.cell.contender },
      element("dt", {}, join([code(row.cell.contender), element("span", {}, text(row.what))], " ")),
      element("dd", { class: "cause" }, text(causeText(row))),
    ),
  );
  return join([element("dl", { class: "why" }, ...items), figuresOf(rows)]);
}

type FigureRow = readonly [
  title: string,
  of: (why: Why) => number | undefined,
  write: typeof percent,
];

const figureRows: readonly FigureRow[] = [
  ["CPU per message", ({ figures }) => figures.cpu, duration],
  ["user mode, %", ({ figures }) => figures.userShare, percent],
  ["system calls per message", ({ figures }) => figures.calls, significant],
  ...callNames.map(([name]): FigureRow => {
    const of = ({ figures }: Why) => figures.callsByName.find((one) => one.name === name)?.calls;
    return [`${name} per message`, of, significant];
  }),
  ["events per wait", ({ figures }) => figures.eventsPerWait, significant],
  ["descriptors checked per message", ({ figures }) => figures.looks, significant],
  ["checks without result per message", ({ figures }) => figures.vainLooks, significant],
  ["context switches per message", ({ figures }) => figures.switches, significant],
  ["of which voluntary", ({ figures }) => figures.voluntary, significant],
  ["of which involuntary", ({ figures }) => figures.involuntary, significant],
];

/** The figures that the sentences are made of, side by side; those that some cell has. */
function figuresOf(rows: readonly Why[]): Markup {
  const measured = rows.filter(({ figures }) => figures.cpu !== undefined);
  const shown = figureRows.filter(([, of]) => measured.some((why) => of(why) !== undefined));
  const table = {
    columns: ["contender", ...shown.map(([title]) => title)],
    rows: measured.map((why) => ({
      name: why.cell.contender,
      values: shown.map(([, of, write]) => {
        const found = of(why);
        return found === undefined ? { text: absent } : { text: write(found), value: found };
      }),
    })),
  };
  return dataTable(table, "What each contender does per message");
}
