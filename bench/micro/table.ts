// The figures for a terminal: one line per case, with its spread, its baseline and its verdict.

import { absent, ratio, significant } from "../report/format.ts";
import { type Column, type Paint, tableLines } from "../report/text-table.ts";
import type { MicroFigure, MicroVerdict, Spread } from "./verdict.ts";

const columns: readonly Column<MicroFigure>[] = [
  { title: ["", "ns per operation"], align: "left", text: ({ title }) => title },
  { title: ["TypeScript", "median"], align: "right", text: (row) => median(row.typescriptNs) },
  { title: ["", "middle 50 %"], align: "left", text: (row) => middle(row.typescriptNs) },
  { title: ["C++", "median"], align: "right", text: (row) => median(row.baselineNs) },
  { title: ["", "middle 50 %"], align: "left", text: (row) => middle(row.baselineNs) },
  { title: ["", "ratio"], align: "right", text: ({ ratio: r }) => (r ? ratio(r.median) : absent) },
  { title: ["", "target"], align: "left", text: ({ verdict }) => targetOf(verdict) },
  {
    title: ["", "verdict"],
    align: "left",
    text: (row) => row.failure ?? verdictOf(row),
    style: ({ failure, noisy, verdict }) => {
      if (failure !== null || noisy) return "dim";
      return verdict?.met === false ? "red" : "green";
    },
  },
];

export function renderTable(figures: readonly MicroFigure[], paint: Paint): string {
  const lines = tableLines(columns, figures, { gap: 2, paint });
  const noisy = figures.filter((figure) => figure.noisy).length;
  if (noisy > 0) lines.push("", paint(`${noisy} figures are noisy: ${remedy}`, "yellow"));
  return lines.join("\n");
}

const remedy = "over 30 % of their rounds had to wait for a CPU; measure on a quiet machine";

function median(spread: Spread | null): string {
  return spread === null ? absent : significant(spread.median);
}

function middle(spread: Spread | null): string {
  return spread === null ? "" : `${significant(spread.low)}–${significant(spread.high)}`;
}

function targetOf(verdict: MicroVerdict | null): string {
  if (verdict === null) return "";
  switch (verdict.kind) {
    case "ratio":
      return `ratio ≤ ${verdict.limit}`;
    case "added":
      return `≤ ${verdict.limit} ns per event added`;
    case "flat":
      return `≤ ${verdict.limit} × with 100 idle`;
  }
}

function verdictOf({ verdict, noisy }: MicroFigure): string {
  if (verdict === null) return "";
  const { low, median: value, high } = verdict.value;
  // Another run may say otherwise where the limit lies among the middle half of the rounds.
  const narrowly = low <= verdict.limit && verdict.limit < high ? ", narrowly" : "";
  const spread = `${significant(value)} (${significant(low)}–${significant(high)})`;
  const doubt = noisy ? "inconclusive: " : "";
  return `${doubt}${verdict.met ? "met" : "not met"}${narrowly} (${spread})`;
}
