// The percentile bootstrap interval of a median: how far the median would have moved with other
// blocks. Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 2 and 13.
// Resamples blocks, never messages: messages of a block are not independent.

import { assertSorted, quantile, type Sorted, sort } from "./quantile.ts";
import { fillBelow, seededRandom } from "./random.ts";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  readonly seed: number;
  /** How many resamples are drawn; default: 10,000. */
  readonly resamples?: number;
  /** The interval's nominal coverage in (0, 1); default: 0.95. */
  readonly confidence?: number;
}

/**
 * The percentile interval of the median over blocks.
 * @returns null with fewer than two blocks: one block says nothing about how blocks vary.
 * @throws {RangeError} on a value that is not finite, and on options out of range.
 */
export function bootstrapMedian(
  blocks: readonly number[],
  options: BootstrapOptions,
): Interval | null {
  if (blocks.length < 2) return null;
  const confidence = options.confidence ?? 0.95;
  if (!(confidence > 0 && confidence < 1)) {
    throw new RangeError(`confidence ${confidence} is not in (0, 1)`);
  }
  const medians = resampledMedians(blocks, options);
  const tail = (1 - confidence) / 2;
  return { low: quantile(medians, tail), high: quantile(medians, 1 - tail) };
}

/** The medians of the resamples, sorted: the bootstrap distribution itself. */
export function resampledMedians(values: readonly number[], options: BootstrapOptions): Sorted {
  const resamples = options.resamples ?? 10_000;
  if (!Number.isInteger(resamples) || resamples < 1) {
    throw new RangeError(`resamples ${resamples} is not a whole number above 0`);
  }
  const blocks = sort(values);
  const random = seededRandom(options.seed);
  const medians = new Float64Array(resamples);
  // A resample in order is how often each rank was drawn: nothing has to be sorted for its median.
  const ranks = new Uint32Array(blocks.length);
  const draws = new Uint32Array(blocks.length);
  for (let index = 0; index < resamples; index++) {
    fillBelow(random, blocks.length, ranks);
    draws.fill(0);
    for (const rank of ranks) draws[rank] = (draws[rank] ?? 0) + 1;
    medians[index] = medianOfDraws(blocks, draws);
  }
  const sorted: readonly number[] = Array.from(medians.sort());
  assertSorted(sorted);
  return sorted;
}

/** With fewer blocks no interval of a median can cover 95 %: attainableCoverage(). */
export const blocksForInterval = 6;

/** The most that an interval of a median can cover with so few blocks: 1 − 2^(1−n). */
export function attainableCoverage(blocks: number): number {
  return blocks < 1 ? 0 : 1 - 2 ** (1 - blocks);
}

/** @param draws how often each block was drawn; as many as there are blocks, in sum. */
function medianOfDraws(blocks: Sorted, draws: Uint32Array): number {
  const upper = draws.length >> 1; // its place in the resample, from 0
  const lower = draws.length % 2 === 1 ? upper : upper - 1;
  let rank = 0;
  let passed = draws[0] ?? 0;
  while (passed <= lower) passed += draws[++rank] ?? 0;
  const low = blocks[rank] ?? Number.NaN;
  if (passed > upper) return low;
  while (passed <= upper) passed += draws[++rank] ?? 0;
  return low + ((blocks[rank] ?? Number.NaN) - low) / 2;
}
