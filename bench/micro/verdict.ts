// From rounds to figures: median and middle half, the ratio to the baseline, and whether a promise
// was kept. Pure. Enters: nanoseconds a round. Leaves: to table.ts, and as JSON.

import { quantile, sort } from "../statistics/quantile.ts";
import type { Case, Operation, Target } from "./figures.ts";
import type { Measured } from "./rounds.ts";

/** A median over the rounds, and the half of them around it. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export interface Verdict {
  readonly kind: Target["kind"];
  readonly limit: number;
  readonly value: Spread;
  readonly met: boolean;
}

export interface Figure {
  readonly case: string;
  readonly operation: string;
  readonly title: string;
  readonly typescriptNs: Spread | null;
  /** Null where there is nothing to compare with. */
  readonly baselineNs: Spread | null;
  /** TypeScript's to the baseline's of the same round. */
  readonly ratio: Spread | null;
  readonly verdict: Verdict | null;
  /** Why there are no figures, else null. */
  readonly failure: string | null;
}

export function figuresOf(
  cases: readonly Case[],
  measured: ReadonlyMap<string, Measured>,
): readonly Figure[] {
  return cases.flatMap((row) =>
    row.operations.map((operation) => figureOf(row, operation, measured)),
  );
}

function figureOf(
  row: Case,
  operation: Operation,
  measured: ReadonlyMap<string, Measured>,
): Figure {
  const { name, title, target } = operation;
  const so = measured.get(row.name);
  const failure = so === undefined ? "not measured" : so.failure;
  const ns = failure === null ? (so?.typescript.get(name) ?? []) : [];
  const baseline = failure === null ? (so?.baseline ?? []) : [];
  const against =
    target?.kind === "flat" ? (measured.get(target.against)?.typescript.get(name) ?? []) : baseline;
  return {
    case: row.name,
    operation: name,
    title,
    typescriptNs: spreadOf(ns),
    baselineNs: spreadOf(baseline),
    ratio: spreadOf(paired(ns, baseline, (a, b) => a / b)),
    verdict: target === undefined ? null : judge(target, ns, against),
    failure,
  };
}

function judge(target: Target, ns: readonly number[], against: readonly number[]): Verdict | null {
  const { kind, limit } = target;
  const value = spreadOf(
    paired(ns, against, (a, b) => (target.kind === "added" ? (a - b) / target.events : a / b)),
  );
  return value === null ? null : { kind, limit, value, met: value.median <= limit };
}

/** Round by round, as far as both have one. */
function paired(
  left: readonly number[],
  right: readonly number[],
  combine: (a: number, b: number) => number,
): number[] {
  return left.flatMap((a, round) => {
    const b = right[round];
    return b === undefined ? [] : [combine(a, b)];
  });
}

function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = sort(values);
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, 0.25),
    high: quantile(sorted, 0.75),
  };
}
