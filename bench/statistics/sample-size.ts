// How many blocks distinguish a given difference from noise: pilot pairs estimate the spread of the
// log ratios, and the normal approximation gives the number. If the run cannot afford that many,
// the result is the difference that it can detect. Cohen, "Statistical Power Analysis" (1988),
// chapter 2; R's power.t.test without its t.

import { normalQuantile } from "./normal.ts";

interface SampleSizeOptions {
  /** The smallest ratio that must be distinguished from 1, less 1: 0.05 is five per cent. */
  readonly effect: number;
  /** The chance of a false alarm; default: 0.05, split over `sides`. */
  readonly alpha?: number;
  /** 2 (the default) where both directions count, 1 where only one does. */
  readonly sides?: 1 | 2;
  /** The chance of finding an effect of that size; default: 0.8. */
  readonly power?: number;
  /** The fewest blocks, by default 10, and the most, by default 30. */
  readonly minimum?: number;
  readonly maximum?: number;
}

interface SampleSize {
  /** Standard deviation of the log ratios. */
  readonly sigma: number;
  /** How many blocks to run: `wanted`, within the minimum and the maximum. */
  readonly blocks: number;
  readonly wanted: number;
  /** False if more blocks are needed than allowed: then only `detectableEffect` is detected. */
  readonly enough: boolean;
  /** The smallest effect that `blocks` find with the power asked for; 0.05 is five per cent. */
  readonly detectableEffect: number;
}

/**
 * n = ((z_α + z_β)·σ / ln(1 + δ))², rounded up, within the bounds.
 * @param logRatios of at least two pilot pairs; six are usual.
 * @throws {RangeError} on fewer than two, on a value that is not finite, on options out of range.
 */
export function sampleSize(logRatios: readonly number[], options: SampleSizeOptions): SampleSize {
  const { effect, minimum = 10, maximum = 30 } = options;
  if (!(effect > 0)) throw new RangeError(`effect ${effect} is not above 0`);
  if (!(minimum >= 1 && maximum >= minimum)) {
    throw new RangeError(`no number of blocks from ${minimum} to ${maximum}`);
  }
  const sigma = standardDeviation(logRatios);
  const wanted = Math.ceil(((zSum(options) * sigma) / Math.log1p(effect)) ** 2);
  const blocks = Math.min(maximum, Math.max(minimum, wanted));
  return {
    sigma,
    blocks,
    wanted,
    enough: wanted <= maximum,
    detectableEffect: detectableEffect(sigma, blocks, options),
  };
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
  options: Pick<SampleSizeOptions, "alpha" | "sides" | "power"> = {},
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

function zSum(options: Pick<SampleSizeOptions, "alpha" | "sides" | "power">): number {
  const { alpha = 0.05, sides = 2, power = 0.8 } = options;
  if (!(alpha > 0 && alpha < 0.5)) throw new RangeError(`alpha ${alpha} is not in (0, 0.5)`);
  if (!(power >= 0.5 && power < 1)) throw new RangeError(`power ${power} is not in [0.5, 1)`);
  return normalQuantile(1 - alpha / sides) + normalQuantile(power);
}
