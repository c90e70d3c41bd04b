// A result of the gate in words and figures, for every form that it is shown in. Pure.

import { metricRow } from "../model/metrics.ts";
import { percentText } from "../model/reasons.ts";
import type { Results } from "../model/results.ts";
import { absent, bytes, duration, percent, significant, words } from "../report/format.ts";
import { controlText, noteText, signed } from "./controls.ts";
import { gateMetrics } from "./metrics.ts";
import { decides, exitCodes, type Outcome, type Verdict } from "./outcome.ts";
import type { GateCell, GateResult } from "./result.ts";
import type { Comparison } from "./rule.ts";

/** What the columns are called, in their order. */
export const columns = {
  contender: "contender",
  metric: "metric",
  base: "base",
  head: "head",
  // "+5.1 % (+4.2 to +6.0)"; below zero it is better.
  change: "head is worse by (95 %)",
  pValue: "p (Holm)",
  // "±1.2 %" is how far an interval of no change reaches.
  again: "base against itself (95 %)",
  // In 19 of 20 runs.
  sees: "detectable effect",
  verdict: "verdict",
};
export const columnNames = Object.keys(columns) as (keyof typeof columns)[];

/** One line per test. */
export type RowWords = Readonly<typeof columns>;

const outcomeWords: Readonly<Record<Outcome, string>> = {
  pass: "no regression",
  regression: "regression",
  inconclusive: "inconclusive",
  untrustworthy: "gate not trustworthy",
};

const verdictWords: Readonly<Record<Verdict, string>> = {
  same: "no regression",
  improvement: "improvement",
  regression: "REGRESSION",
  failed: "FAILED",
  unconfirmed: "not confirmed",
  unclear: "inconclusive",
};

/** Of more deciding cells than these the verdict names the first; the table has all. */
const mostTold = 3;

/** "regression: ts:reactor-epoll CPU per message +5.1 % (+4.2 to +6.0)". */
export function verdictLine(result: GateResult): string {
  const { outcome, cells, controls } = result;
  const word = outcomeWords[outcome];
  if (outcome === "untrustworthy") {
    const broken = controls.filter(({ held }) => !held).map((one) => controlText(one));
    return `${word}: ${broken.map(({ name, detail }) => `${name}: no; ${detail}`).join("; ")}`;
  }
  if (!cells.some(decides)) return `${word}: no gating metric was compared`;
  const deciding = decidingCells(result).map(describeCell);
  const better = cells.filter(({ verdict, gates }) => gates && verdict === "improvement");
  const improved = better.map((cell) => `improvement: ${describeCell(cell)}`);
  const told = deciding.length > mostTold ? deciding.slice(0, mostTold) : deciding;
  const more = deciding.length - told.length;
  const parts = more === 0 ? told : [...told, `${more} more`];
  const first = deciding.length === 0 ? word : `${word}: ${parts.join("; ")}`;
  return [first, ...improved].join(". ");
}

/** The cells by which the outcome came about. */
export function decidingCells({ cells, outcome }: GateResult): GateCell[] {
  const verdicts: Readonly<Record<Outcome, readonly Verdict[]>> = {
    pass: [],
    untrustworthy: [],
    regression: ["regression", "failed"],
    inconclusive: ["unclear", "unconfirmed"],
  };
  return cells.filter((cell) => decides(cell) && verdicts[outcome].includes(cell.verdict));
}

export function exitCodeOf({ outcome }: Pick<GateResult, "outcome">): number {
  return exitCodes[outcome];
}

export function describeCell(cell: GateCell): string {
  const { reason, first } = cell;
  const change = reason ?? (first === null ? "" : changeText(first));
  return `${cell.contender} ${metricIn(cell).title}: ${change}`;
}

export function rowWords(cell: GateCell): RowWords {
  const { first } = cell;
  const { title, unit } = metricIn(cell);
  const verdict = verdictWords[cell.verdict];
  return {
    contender: cell.contender,
    metric: decides(cell) ? title : `${title} (advisory)`,
    base: figureText(cell.base, unit),
    head: figureText(cell.head, unit),
    change: first === null ? absent : changeText(first),
    pValue:
      first === null ? absent : first.adjusted < 0.0001 ? "< 0.0001" : first.adjusted.toFixed(4),
    again: cell.again == null ? absent : changeText(cell.again),
    sees: first === null ? absent : `${percent(first.detectable * 100)} %`,
    verdict: cell.reason === null ? verdict : `${verdict}: ${cell.reason}`,
  };
}

/** A server that failed may have a metric that is not compared. */
export function metricIn(cell: GateCell): { readonly title: string; readonly unit: string } {
  const { metric } = cell;
  const known = gateMetrics.find(({ name }) => name === metric) ?? metricRow(metric);
  const { title, unit } = known ?? { title: words(metric), unit: "1" };
  return { title: `${title}${shareText(cell)}`, unit };
}

/** " at 40 % of the CPU"; "" if the servers had all of it. Such figures are not comparable. */
export function shareText({ cpuShare }: Pick<GateCell, "cpuShare">): string {
  return cpuShare === undefined ? "" : ` at ${percentText(cpuShare)} % of the CPU`;
}

/** Base and head, and what it all rests on. */
export function contextLines(result: GateResult): string[] {
  const { base, head, profile, seed, environment, controls, notes } = result;
  return [
    `base ${base.name} (${base.commit}), head ${head.name} (${head.commit}), profile ${profile}, ` +
      `seed ${seed}, fingerprint ${environment.fingerprint}`,
    ...controls.map((one) => {
      const { name, detail } = controlText(one);
      return `control: ${name}: ${one.held ? "yes" : "NO"} (${detail})`;
    }),
    ...notes.map((note) => noteText(note)),
  ];
}

/** All that makes one load of a run another one: "echo-rate 100 of 10000 64 B 20000/s". */
export function loadName(cell: Results["cells"][number]): string {
  const { workload, connections, activeConnections, payloadBytes, ratePerSecond, variant } = cell;
  return [
    workload,
    activeConnections === connections ? `${connections}` : `${activeConnections} of ${connections}`,
    `${payloadBytes} B`,
    ...(ratePerSecond === null ? [] : [`${ratePerSecond}/s`]),
    ...(variant ? [variant] : []),
  ].join(" ");
}

export function changeText({
  ratio,
  low,
  high,
}: Pick<Comparison, "ratio" | "low" | "high">): string {
  return `${signed(ratio)} % (${signed(low)} to ${signed(high)})`;
}

export function figureText(value: number | null, unit: string): string {
  if (value === null) return absent;
  if (unit === "us") return duration(value);
  if (unit === "bytes") return bytes(value);
  return significant(value, 4);
}
