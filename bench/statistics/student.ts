// Student's t test of one sample against a margin around zero: whether the mean is farther from
// zero than chance explains, and far enough to matter. Unlike a rank test it can decide with six
// blocks; heavy tails make it stricter, not laxer. Student, "The Probable Error of a Mean",
// Biometrika 6 (1908).

import { standardDeviation } from "./detectable-effect.ts";

/** A standard deviation, and how many degrees of freedom it was estimated with. */
export interface LogSpread {
  readonly deviation: number;
  readonly freedom: number;
}

/**
 * The two-sided p value of the hypothesis that the true mean lies within ±margin. R's
 * t.test(values)$p.value where the margin is 0.
 * @param spread instead of the values' own standard deviation.
 * @returns 1 where the values' own mean lies within the margin, and for fewer than two values.
 * @throws {RangeError} on a value that is not finite, and on a negative margin.
 */
export function meanBeyond(values: readonly number[], margin = 0, spread?: LogSpread): number {
  if (!(margin >= 0)) throw new RangeError(`margin ${margin} is not 0 or above`);
  if (values.length < 2) return 1;
  const { deviation, freedom } = spread ?? {
    deviation: standardDeviation(values),
    freedom: values.length - 1,
  };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const excess = Math.abs(mean) - margin;
  if (excess <= 0) return 1;
  if (deviation === 0) return 0;
  return studentTails((excess * Math.sqrt(values.length)) / deviation, freedom);
}

/**
 * The probability that a t-distributed number lies farther from zero than t: R's
 * 2 * pt(-abs(t), df).
 * @param freedom degrees of freedom, a whole number above 0.
 * @see NIST Digital Library of Mathematical Functions, 8.17: the regularised incomplete beta
 *   function of (freedom / 2, 1 / 2) at freedom / (freedom + t²).
 */
export function studentTails(t: number, freedom: number): number {
  if (!Number.isInteger(freedom) || freedom < 1) {
    throw new RangeError(`${freedom} degrees of freedom`);
  }
  const a = freedom / 2;
  const x = freedom / (freedom + t * t);
  const y = (t * t) / (freedom + t * t);
  const weight = (x ** a * Math.sqrt(y)) / betaWithHalf(freedom);
  // The fraction converges fast on one side of the mean of the beta distribution.
  if (x < (a + 1) / (a + 2.5)) return (weight * betaFraction(a, 0.5, x)) / a;
  return 1 - (weight * betaFraction(0.5, a, y)) / 0.5;
}

/** The beta function B(freedom / 2, 1 / 2), from B(½, ½) = π or B(1, ½) = 2 upwards. */
function betaWithHalf(freedom: number): number {
  let a = freedom % 2 === 1 ? 0.5 : 1;
  let beta = freedom % 2 === 1 ? Math.PI : 2;
  for (; a < freedom / 2; a++) beta *= a / (a + 0.5);
  return beta;
}

/** Far more steps than a sample of any size here needs. */
const mostSteps = 10_000;

/** The continued fraction 8.17.22, evaluated forwards (Lentz). */
function betaFraction(a: number, b: number, x: number): number {
  let above = 1;
  let below = 1 / (1 - ((a + b) * x) / (a + 1));
  let fraction = below;
  for (let m = 1; m < mostSteps; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      below = 1 / (1 + term * below);
      above = 1 + term / above;
      change = above * below;
      fraction *= change;
    }
    if (Math.abs(change - 1) < Number.EPSILON) break;
  }
  return fraction;
}
