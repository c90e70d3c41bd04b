// The Hodges-Lehmann estimate of a shift and the interval that Wilcoxon's exact signed-rank test
// gives for it: the shifts which that test would not refuse. Hodges and Lehmann, "Estimates of
// Location Based on Rank Tests", Annals of Mathematical Statistics 34 (1963); Hollander, Wolfe and
// Chicken, "Nonparametric Statistical Methods" (2014), 3.2 and 3.3. As R's wilcox.test with
// conf.int = TRUE, exact = TRUE. With normal noise it needs 5 % more blocks than a mean does, and a
// median 57 % more; one wild block moves it as little.

import type { Interval } from "./bootstrap.ts";
import { quantile, sort } from "./quantile.ts";
import { signedSums } from "./wilcoxon.ts";

interface Shift extends Interval {
  readonly estimate: number;
}

/** An estimate spreads so much more than a mean, with normal noise: the square root of π / 3. */
export const shiftSpread = Math.sqrt(Math.PI / 3);

/**
 * @param confidence of the interval, in (0, 1): what it covers is at least that, if there are
 *   six values or more for 0.95; fewer cannot cover so much.
 * @returns null without values.
 * @throws {RangeError} on a value that is not finite.
 */
export function hodgesLehmann(values: readonly number[], confidence = 0.95): Shift | null {
  const n = values.length;
  if (n === 0) return null;
  const averages = sort(
    values.flatMap((value, index) => values.slice(index).map((other) => (value + other) / 2)),
  );
  // So many of the averages lie beyond each end.
  const beyond = Math.max(1, lowerQuantile(n, (1 - confidence) / 2));
  return {
    estimate: quantile(averages, 0.5),
    low: averages[beyond - 1] ?? Number.NaN,
    high: averages[averages.length - beyond] ?? Number.NaN,
  };
}

/** The smallest sum of ranks that chance stays at or below with that probability: R's qsignrank. */
function lowerQuantile(n: number, probability: number): number {
  const sums = signedSums(Array.from({ length: n }, (_, index) => index + 1));
  let atMost = 0;
  for (const [sum, chance] of sums.entries()) {
    atMost += chance;
    if (atMost >= probability) return sum;
  }
  return sums.length - 1;
}
