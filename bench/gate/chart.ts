// What gates in a run, drawn: a row per metric with its interval, margin and confirmation, on
// one axis, as in a forest plot: Lewis and Clarke, "Forest plots: trying to see the wood and the
// trees" (BMJ 322, 2001). Pure.

import type { Picture } from "../report/charts/chart.ts";
import type { AxisSpec } from "../report/svg/drawing.ts";
import { markOf } from "../report/svg/palette.ts";
import type { ChartRow } from "../report/svg/row-chart.ts";
import { signed } from "./controls.ts";
import type { GateCell, GateResult } from "./result.ts";
import type { Comparison } from "./rule.ts";
import { changeText, columns, describeCell, metricIn, rowWords } from "./words.ts";

/** Null if nothing that gates could be compared. */
export function gateChart({ cells }: GateResult): Picture | null {
  const gating = cells.filter(({ gates }) => gates);
  const drawn = gating.flatMap((cell) =>
    cell.first === null ? [] : [{ cell, first: cell.first }],
  );
  if (drawn.length === 0) return null;
  const ends = drawn.flatMap(({ first: { low, high } }) => [low, high]);
  const isLinear = Math.max(...ends) <= farthest && Math.min(...ends) >= 1 / farthest;
  const axis = isLinear ? perCent : ratios;
  const confirmed = gating.some(({ second }) => second !== null);
  return {
    id: "regression-chart",
    title: "Head against base",
    description: `By how much head is worse: ${gating.map(describeCell).join("; ")}.`,
    spec: {
      kind: "rows",
      axis,
      base: { value: axis.of(1), label: "base" },
      legend: [
        { filling: "solid", text: "decided" },
        { filling: "open", text: "no regression, or inconclusive" },
        ...(confirmed ? [{ filling: "small" as const, text: "confirmation" }] : []),
      ],
      noteTitle: columns.change,
      rows: drawn.map(({ cell, first }) => rowOf(cell, first, axis.of)),
    },
  };
}

/** Changes beyond three times, or a third, would leave no room for small ones. */
const farthest = 3;

interface ChangeAxis extends AxisSpec {
  /** Where a ratio of head to base stands. */
  readonly of: (ratio: number) => number;
}

const perCent: ChangeAxis = {
  kind: "linear",
  title: "head is worse by, %",
  format: (change) => (change === 0 ? "0" : `${change < 0 ? "−" : "+"}${percentText(change)}`),
  of: (ratio) => (ratio - 1) * 100,
};

const ratios: ChangeAxis = {
  kind: "log",
  title: "head is worse by, %",
  format: (ratio) => (ratio === 1 ? "0" : signed(ratio)),
  of: (ratio) => ratio,
};

function percentText(change: number): string {
  return Math.abs(change).toLocaleString("en-US");
}

function rowOf(cell: GateCell, first: Comparison, of: ChangeAxis["of"]): ChartRow {
  const { contender, margin, verdict, second } = cell;
  const decided = verdict === "regression" || verdict === "improvement" || verdict === "failed";
  const again = second === null ? "" : `; confirmation: ${changeText(second)}`;
  return {
    contender,
    mark: markOf(cell),
    name: `${contender} ${metricIn(cell).title}`,
    note: changeText(first),
    shortNote: `${signed(first.ratio)} %`,
    tip: `${describeCell(cell)}: ${rowWords(cell).verdict}${again}`,
    strong: decided,
    interval: [of(first.low), of(first.high)],
    span: [of(1 / (1 + margin)), of(1 + margin)],
    points: [
      { value: of(first.ratio), filling: decided ? "solid" : "open" },
      ...(second === null ? [] : [{ value: of(second.ratio), filling: "small" as const }]),
    ],
  };
}
