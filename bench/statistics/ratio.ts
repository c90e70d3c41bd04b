// What a contender costs in units of the reference, from pairs that were measured in the same
// block. The unit is the log ratio within the block: what slows the machine for a while slows both
// and cancels, and "twice" and "half" lie equally far from 1. Enters: pairs. Leaves: the ratio, its
// interval, and whether the two may be ranked.

import { type BootstrapOptions, bootstrapMedian } from "./bootstrap.ts";
import { median } from "./quantile.ts";

/** One contender and the reference in the same block, in the same unit, both above zero. */
export interface Pair {
  readonly value: number;
  readonly reference: number;
}

/** Where the interval lies: wholly under 1, wholly over 1, or around it. */
export type Comparison = "below" | "above" | "tie";

export interface Ratio {
  readonly median: number;
  /** Null where one block alone gave no interval. */
  readonly low: number | null;
  readonly high: number | null;
  readonly comparison: Comparison;
  /** The ratio in each block, in the order of the pairs. */
  readonly blocks: readonly number[];
}

/**
 * The median ratio to the reference and its bootstrap interval over blocks.
 * @returns null without pairs.
 * @throws {RangeError} where a figure is not above zero or not finite.
 */
export function ratioToReference(pairs: readonly Pair[], options: BootstrapOptions): Ratio | null {
  if (pairs.length === 0) return null;
  const logRatios = pairs.map(logRatio);
  const interval = bootstrapMedian(logRatios, options);
  const low = interval === null ? null : Math.exp(interval.low);
  const high = interval === null ? null : Math.exp(interval.high);
  return {
    median: Math.exp(median(logRatios)),
    low,
    high,
    comparison: compare(low, high),
    blocks: logRatios.map(Math.exp),
  };
}

/** Ranks only where the interval excludes 1; without an interval nothing is ranked. */
export function compare(low: number | null, high: number | null): Comparison {
  if (low === null || high === null) return "tie";
  if (high < 1) return "below";
  return low > 1 ? "above" : "tie";
}

function logRatio({ value, reference }: Pair): number {
  const ratio = Math.log(value) - Math.log(reference);
  if (!Number.isFinite(ratio)) {
    throw new RangeError(`no ratio of ${value} to ${reference}: both must be above zero`);
  }
  return ratio;
}
