// From rounds to figures: the median, the ratio to the baseline, whether a promise was kept.

import { quantile, sort } from "../statistics/quantile.ts";
import type { Case, Operation, Target } from "./figures.ts";
import type { Measured, MicroRound } from "./rounds.ts";

/** A median over the rounds, and the half of them around it. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export interface MicroVerdict {
  readonly kind: Target["kind"];
  readonly limit: number;
  readonly value: Spread;
  readonly met: boolean;
}

export interface MicroFigure {
  readonly case: string;
  readonly operation: string;
  readonly title: string;
  readonly typescriptNs: Spread | null;
  /** Null if there is nothing to compare with. */
  readonly baselineNs: Spread | null;
  /** TypeScript's to the baseline's of the same round. */
  readonly ratio: Spread | null;
  readonly verdict: MicroVerdict | null;
  /** Rounds that do not count, because something else was running. */
  readonly dropped: number;
  /** Whether so many were dropped that the rest is not to be trusted. */
  readonly noisy: boolean;
  /** Why there are no figures, else null. */
  readonly failure: string | null;
}

/** As for the windows of the benchmark: a share of time in the run queue, and of rounds. */
const mostWaited = 0.03;
const mostDropped = 0.3;

export function figuresOf(
  cases: readonly Case[],
  measured: ReadonlyMap<string, Measured>,
): readonly MicroFigure[] {
  return cases.flatMap((row) =>
    row.operations.map((operation) => figureOf(row, operation, measured)),
  );
}

function figureOf(
  row: Case,
  operation: Operation,
  measured: ReadonlyMap<string, Measured>,
): MicroFigure {
  const { name, title, target } = operation;
  const { rounds, failure } = measured.get(row.name) ?? { rounds: [], failure: "not measured" };
  const all = failure === null ? rounds : [];
  const against = target?.kind === "flat" ? (measured.get(target.against)?.rounds ?? []) : null;
  const quiet = quietRounds(all, against);
  const ns = quiet.map((round) => all[round]?.typescriptNs[name]);
  const baseline = quiet.map((round) => all[round]?.baselineNs);
  const other = against === null ? baseline : quiet.map((i) => against[i]?.typescriptNs[name]);
  const dropped = all.filter(({ waited }) => waited > mostWaited).length;
  return {
    case: row.name,
    operation: name,
    title,
    typescriptNs: spreadOf(ns),
    baselineNs: spreadOf(baseline),
    ratio: spreadOf(paired(ns, baseline, (a, b) => a / b)),
    verdict: target === undefined ? null : judge(target, ns, other),
    dropped,
    noisy: dropped > all.length * mostDropped,
    failure,
  };
}

/** The rounds in which neither side waited long for a CPU; the quietest half if too few did. */
function quietRounds(
  rounds: readonly MicroRound[],
  against: readonly MicroRound[] | null,
): number[] {
  const waits = rounds.map(({ waited }, i) => Math.max(waited, against?.[i]?.waited ?? 0));
  const half = [...waits].sort((a, b) => a - b)[(waits.length - 1) >> 1] ?? 0;
  return waits.flatMap((waited, i) => (waited <= Math.max(half, mostWaited) ? [i] : []));
}

type Values = readonly (number | null | undefined)[];

function judge(target: Target, ns: Values, against: Values): MicroVerdict | null {
  const { kind, limit } = target;
  const value = spreadOf(
    paired(ns, against, (a, b) => (target.kind === "added" ? (a - b) / target.events : a / b)),
  );
  return value === null ? null : { kind, limit, value, met: value.median <= limit };
}

/** Round by round, as far as both have one. */
function paired(left: Values, right: Values, combine: (a: number, b: number) => number): Values {
  return left.map((a, i) => {
    const b = right[i];
    return typeof a === "number" && typeof b === "number" ? combine(a, b) : null;
  });
}

function spreadOf(values: Values): Spread | null {
  const present = values.filter((value) => typeof value === "number");
  if (present.length === 0) return null;
  const sorted = sort(present);
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
  };
}
