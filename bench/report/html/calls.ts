// The system calls by name on the page: a table, and the contenders that could not be counted.

import { type CountedCell, callLead, callTable } from "../call-words.ts";
import { element, type Markup, paragraph, text } from "../markup.ts";
import { code, tableRegion } from "./table.ts";

export function callsPart(cells: readonly CountedCell[]): Markup {
  const missing = cells.filter(({ callCounts }) => callCounts.reason !== null);
  return element(
    "div",
    { class: "calls" },
    element("h3", {}, text("System calls by name")),
    paragraph("lead", text(callLead(cells))),
    tableRegion(callTable(cells), { caption: "System calls per message", byContender: true }),
    ...missing.map(({ contender, callCounts }) =>
      paragraph("missing", code(contender), text(`: not counted: ${callCounts.reason ?? ""}`)),
    ),
  );
}
