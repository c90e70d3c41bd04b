// Whether what a process holds stays flat over many repetitions: the growth over the second half,
// by the median of all slopes, against a bound. Theil (1950), Sen (1968)

import { formatCount } from "../programs/progress.ts";

/** What was held after `at` repetitions; null if not available. */
export interface Sample {
  readonly at: number;
  readonly held: Readonly<Record<string, number | null>>;
}

/** What one kind may grow in the second half: so much in all, or for each repetition of it. */
export interface Bound {
  readonly inAll: number;
  readonly each: number;
}

export interface Verdict {
  readonly kind: string;
  /** Over the second half. */
  readonly growth: number;
  readonly bound: number;
  readonly flat: boolean;
  readonly first: number;
  readonly last: number;
}

/** @param samples in order; those of the first half, while caches fill, do not count. */
export function judge(
  samples: readonly Sample[],
  bounds: Readonly<Record<string, Bound>>,
): Verdict[] {
  const half = samples.slice(Math.floor(samples.length / 2));
  const repetitions = (half.at(-1)?.at ?? 0) - (half[0]?.at ?? 0);
  return Object.entries(bounds).flatMap(([kind, { inAll, each }]) => {
    const points = half.flatMap(({ at, held }) => {
      const value = held[kind] ?? null;
      return value === null ? [] : [{ at, value }];
    });
    if (points.length < 2) return [];
    const bound = Math.max(inAll, each * repetitions);
    const growth =
      bound === 0 ? riseOf(points.map(({ value }) => value)) : medianSlope(points) * repetitions;
    const [first = 0, last = 0] = [points[0]?.value, points.at(-1)?.value];
    return [{ kind, growth, bound, flat: growth <= bound, first, last }];
  });
}

/** A line each. */
export function describeVerdicts(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ kind, growth, bound, flat, first, last }) => {
      const [grown, most] = [growth, bound].map((value) => formatCount(value));
      const values = `${formatCount(first)} → ${formatCount(last)}`;
      return `  ${flat ? "flat " : "GROWS"} ${kind}: ${values}, growth ${grown} (at most ${most})`;
    })
    .join("\n");
}

/** What must not grow by one: from the least of the first few to the least of the last few. */
function riseOf(values: readonly number[]): number {
  const few = Math.ceil(values.length / 4);
  return Math.min(...values.slice(-few)) - Math.min(...values.slice(0, few));
}

function medianSlope(points: readonly { readonly at: number; readonly value: number }[]): number {
  const slopes = points
    .flatMap((a, i) => points.slice(i + 1).map((b) => (b.value - a.value) / (b.at - a.at)))
    .sort((a, b) => a - b);
  const middle = slopes.length >> 1;
  const [low = 0, high = 0] = [slopes[middle - 1], slopes[middle]];
  return slopes.length % 2 === 1 ? high : (low + high) / 2;
}
