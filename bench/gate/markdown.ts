// A result of the gate as Markdown, for a job's summary and for one comment. Pure.

import { plainLine } from "../report/format.ts";
import { decides } from "./outcome.ts";
import type { GateResult } from "./result.ts";
import {
  columnNames,
  columns,
  contextLines,
  type RowWords,
  rowWords,
  verdictLine,
} from "./words.ts";

/** By which the comment is found again; it does not show. */
export const commentMark = "<!-- io-selectors: performance -->";

const signs = { pass: "✅", regression: "❌", inconclusive: "⚪", untrustworthy: "⚠️" } as const;

export function renderGateMarkdown(result: GateResult): string {
  const line = (row: RowWords) =>
    `| ${columnNames.map((name) => escaped(row[name])).join(" | ")} |`;
  const deciding = result.cells.filter(decides);
  const advisory = result.cells.filter((cell) => !decides(cell));
  const table = (cells: GateResult["cells"]) => [
    line(columns),
    `|${columnNames.map(() => " --- |").join("")}`,
    ...cells.map((cell) => line(rowWords(cell))),
  ];
  return `${[
    commentMark,
    `### Performance: ${signs[result.outcome]} ${escaped(verdictLine(result))}`,
    "",
    ...table(deciding),
    ...(advisory.length === 0
      ? []
      : ["", "<details><summary>Advisory</summary>", "", ...table(advisory), "", "</details>"]),
    "",
    ...contextLines(result).map((text) => `- ${escaped(text)}`),
  ].join("\n")}\n`;
}

function escaped(text: string): string {
  return plainLine(text).replace(/[\\`*_[\]<>|~#]/g, "\\$&");
}
