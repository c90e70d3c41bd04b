// What gates in a run, drawn: a row a metric with its interval, its margin and its confirmation, on
// one axis, as in a forest plot: Lewis and Clarke, "Forest plots: trying to see the wood and the
// trees" (BMJ 322, 2001). Pure.

import type { Picture } from "../report/charts/chart.ts";
import { markOf } from "../report/svg/palette.ts";
import type { ChartRow } from "../report/svg/row-chart.ts";
import { signed } from "./controls.ts";
import { gateMetric } from "./metrics.ts";
import type { GateCell, GateResult } from "./result.ts";
import type { Comparison } from "./rule.ts";
import { changeText, columns, describeCell, rowWords } from "./words.ts";

/** Null where nothing that gates could be compared. */
export function gateChart({ cells }: GateResult): Picture | null {
  const rows = cells.flatMap((cell) =>
    cell.gates && cell.first !== null ? [rowOf(cell, cell.first)] : [],
  );
  if (rows.length === 0) return null;
  const gating = cells.filter(({ gates }) => gates);
  const confirmed = gating.some(({ second }) => second !== null);
  return {
    id: "regression-chart",
    title: "Head against base",
    description: `By how much head is worse: ${gating.map(describeCell).join("; ")}.`,
    spec: {
      kind: "rows",
      axis: {
        kind: "log",
        title: "head is worse by, per cent",
        format: (ratio) => (ratio === 1 ? "0" : signed(ratio)),
      },
      base: { value: 1, label: "base" },
      legend: [
        { filling: "solid", text: "decided" },
        { filling: "open", text: "the same, or inconclusive" },
        ...(confirmed ? [{ filling: "small" as const, text: "confirmation" }] : []),
      ],
      noteTitle: columns.change,
      rows,
    },
  };
}

function rowOf(cell: GateCell, first: Comparison): ChartRow {
  const { contender, margin, verdict, second } = cell;
  const decided = verdict === "regression" || verdict === "improvement" || verdict === "failed";
  const again = second === null ? "" : `; confirmation: ${changeText(second)}`;
  return {
    contender,
    mark: markOf(cell),
    name: `${contender} ${gateMetric(cell.metric).title}`,
    note: changeText(first),
    shortNote: `${signed(first.ratio)} %`,
    tip: `${describeCell(cell)}: ${rowWords(cell).verdict}${again}`,
    strong: decided,
    interval: [first.low, first.high],
    span: [1 / (1 + margin), 1 + margin],
    points: [
      { value: first.ratio, filling: decided ? "solid" : "open" },
      ...(second === null ? [] : [{ value: second.ratio, filling: "small" as const }]),
    ],
  };
}
