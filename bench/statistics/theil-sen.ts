// The slope through points, robust against a few that are far off: the median of the slopes of all
// pairs. Theil (1950); Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", JASA
// 63 (1968), for the interval; as SciPy's stats.theilslopes.

import { normalQuantile } from "./normal.ts";
import { median, sort } from "./quantile.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

interface FittedLine {
  /** In units of y for each unit of x. */
  readonly slope: number;
  /** The slope's interval; null if the points are too few to have one of that confidence. */
  readonly low: number | null;
  readonly high: number | null;
  /** The median of y less the slope times the median of x. */
  readonly intercept: number;
}

/**
 * The Theil–Sen line. Pairs with equal x have no slope and are left out: several measurements at
 * one x are welcome, and ties are allowed for in the interval.
 * @param confidence of the interval, in (0, 1); default: 0.95.
 * @returns null without two different x.
 * @throws {RangeError} on a coordinate that is not finite.
 */
export function theilSen(points: readonly Point[], confidence = 0.95): FittedLine | null {
  if (!(confidence > 0 && confidence < 1)) {
    throw new RangeError(`confidence ${confidence} is not in (0, 1)`);
  }
  const found = slopes(points);
  if (found.length === 0) return null;
  const sorted = sort(found);
  const slope = median(sorted);
  const spread = normalQuantile((1 + confidence) / 2) * kendallDeviation(points);
  const lowest = Math.round((sorted.length - spread) / 2) - 1;
  const highest = Math.round((sorted.length + spread) / 2);
  return {
    slope,
    low: sorted[lowest] ?? null,
    high: sorted[highest] ?? null,
    intercept: median(points.map(({ y }) => y)) - slope * median(points.map(({ x }) => x)),
  };
}

function slopes(points: readonly Point[]): number[] {
  const bad = points.find(({ x, y }) => !Number.isFinite(x) || !Number.isFinite(y));
  if (bad !== undefined) throw new RangeError(`point (${bad.x}, ${bad.y})`);
  return points.flatMap((from, index) =>
    points
      .slice(index + 1)
      .filter((to) => to.x !== from.x)
      .map((to) => (to.y - from.y) / (to.x - from.x)),
  );
}

/** Standard deviation of Kendall's S for points without a trend, ties in x and y allowed for. */
function kendallDeviation(points: readonly Point[]): number {
  const term = (count: number) => count * (count - 1) * (2 * count + 5);
  const tied = (values: readonly number[]) =>
    [...tally(values).values()].reduce((sum, count) => sum + term(count), 0);
  const variance =
    term(points.length) - tied(points.map(({ x }) => x)) - tied(points.map(({ y }) => y));
  return Math.sqrt(Math.max(0, variance) / 18);
}

function tally(values: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
