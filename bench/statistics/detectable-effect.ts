// The smallest difference that so many blocks distinguish from noise, by the normal approximation.
// Cohen, "Statistical Power Analysis" (1988), chapter 2; R's power.t.test without its t.

import { normalQuantile } from "./normal.ts";

interface PowerOptions {
  /** The chance of a false alarm; default: 0.05, split over `sides`. */
  readonly alpha?: number;
  /** 2 (the default) where both directions count, 1 where only one does. */
  readonly sides?: 1 | 2;
  /** The chance of finding an effect of that size; default: 0.8. */
  readonly power?: number;
}

/**
 * The smallest effect that so many blocks tell from noise: exp((z_α + z_β)·σ / √n) − 1.
 * @param sigma standard deviation of the log ratios.
 * @returns 0.05 for five per cent.
 * @throws {RangeError} on fewer than one block, a negative sigma, options out of range.
 */
export function detectableEffect(
  sigma: number,
  blocks: number,
  options: PowerOptions = {},
): number {
  if (!(blocks >= 1)) throw new RangeError(`${blocks} blocks`);
  if (!(sigma >= 0)) throw new RangeError(`sigma ${sigma} is not 0 or above`);
  return Math.expm1((zSum(options) * sigma) / Math.sqrt(blocks));
}

/** For a sample (n − 1). @throws {RangeError} on fewer than two values, or an infinite one. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) throw new RangeError(`${values.length} values have no spread`);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  if (!Number.isFinite(squares)) throw new RangeError("a value that is not finite");
  return Math.sqrt(squares / (values.length - 1));
}

function zSum(options: PowerOptions): number {
  const { alpha = 0.05, sides = 2, power = 0.8 } = options;
  if (!(alpha > 0 && alpha < 0.5)) throw new RangeError(`alpha ${alpha} is not in (0, 0.5)`);
  if (!(power >= 0.5 && power < 1)) throw new RangeError(`power ${power} is not in [0.5, 1)`);
  return normalQuantile(1 - alpha / sides) + normalQuantile(power);
}
