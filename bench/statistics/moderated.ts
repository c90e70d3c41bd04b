// The spread of a few log ratios, moderated by that of all contenders that were measured beside
// them: from three to six blocks alone a standard deviation is known within a factor of two only.
// Smyth, "Linear models and empirical Bayes methods for assessing differential expression in
// microarray experiments", Statistical Applications in Genetics and Molecular Biology 3 (2004).

import { standardDeviation } from "./sample-size.ts";
import { type LogSpread, studentTails } from "./student.ts";

/** The common spread of several samples, each around its own mean; null if none has two values. */
export function pooledSpread(samples: readonly (readonly number[])[]): LogSpread | null {
  let [squares, freedom] = [0, 0];
  for (const sample of samples.filter(({ length }) => length > 1)) {
    squares += standardDeviation(sample) ** 2 * (sample.length - 1);
    freedom += sample.length - 1;
  }
  return freedom === 0 ? null : { deviation: Math.sqrt(squares / freedom), freedom };
}

/**
 * A sample's own spread and the common one with equal weight, so that neither a lucky small sample
 * nor a noisy neighbour decides alone. With no more freedom than the common one has.
 * @returns null for fewer than two values.
 */
export function moderatedSpread(
  sample: readonly number[],
  common: LogSpread | null,
): LogSpread | null {
  if (sample.length < 2) return null;
  const freedom = sample.length - 1;
  const own = standardDeviation(sample);
  if (common === null || common.freedom <= freedom) return { deviation: own, freedom };
  const weight = Math.min(freedom, common.freedom - freedom);
  const variance = (own ** 2 * freedom + common.deviation ** 2 * weight) / (freedom + weight);
  return { deviation: Math.sqrt(variance), freedom: freedom + weight };
}

/**
 * Student's interval of the mean with a spread that is given.
 * @param confidence in (0, 1).
 */
export function studentInterval(
  sample: readonly number[],
  { deviation, freedom }: LogSpread,
  confidence = 0.95,
): { readonly low: number; readonly high: number } {
  const mean = sample.reduce((sum, value) => sum + value, 0) / sample.length;
  const half = (studentQuantile(1 - confidence, freedom) * deviation) / Math.sqrt(sample.length);
  return { low: mean - half, high: mean + half };
}

/** Enough halvings for any double. */
const bisections = 200;

/**
 * The t beyond which both tails together have this probability: R's qt(1 - tails / 2, freedom).
 * @throws {RangeError} for a probability outside (0, 1).
 */
export function studentQuantile(tails: number, freedom: number): number {
  if (!(tails > 0 && tails < 1)) throw new RangeError(`a probability of ${tails} is not in (0, 1)`);
  let high = 1;
  while (studentTails(high, freedom) > tails) high *= 2;
  let low = 0;
  for (let step = 0; step < bisections && high - low > Number.EPSILON * high; step++) {
    const middle = (low + high) / 2;
    if (studentTails(middle, freedom) > tails) low = middle;
    else high = middle;
  }
  return high;
}
