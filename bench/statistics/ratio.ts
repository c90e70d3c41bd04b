// What a contender costs in units of the reference, from pairs that were measured in the same
// block. The unit is the log ratio within the block: what slows the machine for a while slows both
// and cancels, and "twice" and "half" lie equally far from 1.

import { type BootstrapOptions, bootstrapMedian } from "./bootstrap.ts";
import { standardDeviation } from "./detectable-effect.ts";
import { type CommonSpread, moderatedSpread, studentInterval, studentReach } from "./moderated.ts";
import { median } from "./quantile.ts";
import { type LogSpread, meanBeyond } from "./student.ts";

/** One contender and the reference in the same block, in the same unit, both above zero. */
export interface Pair {
  readonly value: number;
  readonly reference: number;
}

/** Less than the reference, more, or no significant difference. */
type RatioVerdict = "below" | "above" | "tie";

/** What a ranking is decided by: as in the metric `ratioToReference`. */
interface RatioFigures {
  /** Null if one block alone gave no interval. */
  readonly low: number | null;
  readonly high: number | null;
  /** The ratio in each block, in the order of the pairs. */
  readonly blocks: readonly number[];
}

interface Ratio extends RatioFigures {
  readonly median: number;
  readonly comparison: RatioVerdict;
}

export interface RatioOptions extends BootstrapOptions {
  /**
   * The spread of all contenders of the cell. If it is given (null: it is not known), the ratio is
   * the geometric mean with Student's interval over a spread that is moderated by the common one:
   * a bootstrap over three to five blocks covers far less than 95 %.
   */
  readonly common?: CommonSpread | null;
}

/** A smaller difference (1 %) deserves no rank, and a shared machine cannot resolve it. */
const smallestRatio = 1.01;

/**
 * The chance of a false ranking that is allowed: a twentieth over ten contenders (Bonferroni), a
 * twelfth over all of the `full` profile, so that the verdict on one does not depend on which
 * others ran.
 */
const rankingLevel = 0.05 / 10;

/**
 * The median ratio to the reference and its bootstrap interval over blocks.
 * @returns null without pairs.
 * @throws {RangeError} where a figure is not above zero or not finite.
 */
export function ratioToReference(pairs: readonly Pair[], options: RatioOptions): Ratio | null {
  if (pairs.length === 0) return null;
  const logRatios = pairs.map(logRatio);
  if (options.common !== undefined) return moderatedRatio(logRatios, options.common);
  const interval = bootstrapMedian(logRatios, options);
  const figures = {
    low: interval === null ? null : Math.exp(interval.low),
    high: interval === null ? null : Math.exp(interval.high),
    blocks: logRatios.map(Math.exp),
  };
  return { median: Math.exp(median(logRatios)), comparison: compare(figures), ...figures };
}

function moderatedRatio(logRatios: readonly number[], common: CommonSpread | null): Ratio {
  const spread = moderatedSpread(logRatios, common);
  const interval = spread === null ? null : studentInterval(logRatios, spread);
  const mean = logRatios.reduce((sum, value) => sum + value, 0) / logRatios.length;
  const figures = {
    low: interval === null ? null : Math.exp(interval.low),
    high: interval === null ? null : Math.exp(interval.high),
    blocks: logRatios.map(Math.exp),
  };
  return { median: Math.exp(mean), comparison: compare(figures, common), ...figures };
}

/**
 * Ranks only if the interval excludes 1 and Student's test puts the mean log ratio more than
 * 1 % from 0, at a level of 0.005; without an interval nothing is ranked.
 *
 * The interval alone is not enough. Simulated, a server against itself is ranked by it in 6 to 8 %
 * of runs with 5 to 30 blocks, and in 24 % with three. With the test beside it that happens in 0 to
 * 0.4 % (3 to 20 blocks, log ratios that vary by 2 to 10 %, normal or with heavy tails), and a
 * server that costs 1.1 times as much is still told from it in 100 % of runs with 6 blocks at 2 %,
 * 90 % with 10 at 5 %, 74 % with 20 at 10 %. A rank test could never be that sure of six blocks:
 * its smallest p is 0.03.
 * With five blocks and a spread that is moderated by the common one it is 0.01 to 0.05 % for
 * servers that vary alike, and 1.3 to 1.5 % for one that varies three times as much as the others.
 * @param common the spread of all contenders of the cell: the test's is moderated by it, too.
 */
export function compare(
  { low, high, blocks }: RatioFigures,
  common?: CommonSpread | null,
): RatioVerdict {
  if (low === null || high === null) return "tie";
  if (low <= 1 && high >= 1) return "tie";
  const logRatios = blocks.map(Math.log);
  const spread = common == null ? null : moderatedSpread(logRatios, common);
  const p = meanBeyond(logRatios, Math.log(smallestRatio), spread ?? undefined);
  if (p >= rankingLevel) return "tie";
  return high < 1 ? "below" : "above";
}

/** A difference of the size that `rankedEffect` returns is ranked in this share of runs. */
export const rankingPower = 0.8;

/**
 * The smallest difference that `compare` ranks with a power of 80 %, by the spread of these blocks:
 * more than 1 % by Student's test at 0.005, and no less than how far their interval reaches.
 * @param common as in `compare`.
 * @returns 0.05 for five per cent; null for fewer than two blocks, or if no number is large enough.
 */
export function rankedEffect(
  { median, low, high, blocks }: RatioFigures & { readonly median: number | null },
  common?: CommonSpread | null,
): number | null {
  const spread = moderatedSpread(blocks.map(Math.log), common ?? null);
  if (spread === null || median === null || low === null || high === null) return null;
  const byTest = rankedLog(blocks.length, spread);
  const effect = Math.expm1(Math.max(byTest, Math.log(high / median), Math.log(median / low)));
  return Number.isFinite(effect) ? effect : null;
}

/**
 * The fewest blocks within the bounds with which `compare` ranks a difference with a power of 80 %,
 * by the spread of pilot pairs; the most if even those are too few.
 * @param logRatios of at least two pilot pairs; six are usual.
 * @param effect 0.05 for five per cent.
 */
export function blocksToRank(
  logRatios: readonly number[],
  { effect, minimum, maximum }: BlocksToRank,
): number {
  const deviation = standardDeviation(logRatios);
  const reaches = (blocks: number) =>
    rankedLog(blocks, { deviation, freedom: blocks - 1 }) <= Math.log1p(effect);
  let blocks = Math.max(2, minimum);
  while (blocks < maximum && !reaches(blocks)) blocks++;
  return blocks;
}

interface BlocksToRank {
  readonly effect: number;
  readonly minimum: number;
  readonly maximum: number;
}

/** The mean log ratio that Student's test ranks with the power, by the spread of so many blocks. */
function rankedLog(blocks: number, { deviation, freedom }: LogSpread): number {
  const reach = studentReach(rankingLevel, rankingPower, freedom);
  return Math.log(smallestRatio) + (reach * deviation) / Math.sqrt(blocks);
}

function logRatio({ value, reference }: Pair): number {
  const ratio = Math.log(value) - Math.log(reference);
  if (!Number.isFinite(ratio)) {
    throw new RangeError(`no ratio of ${value} to ${reference}: both must be above zero`);
  }
  return ratio;
}
