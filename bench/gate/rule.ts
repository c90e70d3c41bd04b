// The rule of the gate: when is a head worse than its base? Pure. Wilcoxon's test, the interval
// that belongs to it and Holm's correction are those of bench/statistics; docs/regression.md has
// the reasons.

import { detectableEffect, standardDeviation } from "../statistics/detectable-effect.ts";
import { hodgesLehmann, shiftSpread } from "../statistics/hodges-lehmann.ts";
import { holm } from "../statistics/holm.ts";
import { moderatedSpread, studentInterval, studentReach } from "../statistics/moderated.ts";
import { meanBeyond } from "../statistics/student.ts";
import { signedRank } from "../statistics/wilcoxon.ts";
import type { GateCause } from "./causes.ts";

/** One block's figures: both sides in the same unit, above zero. */
export interface BasePair {
  readonly base: number;
  readonly head: number;
}

/** One metric of one contender, to be compared. */
export interface Test {
  /** Unique among the tests of a run. */
  readonly id: string;
  readonly better: "less" | "more";
  readonly gates: boolean;
  readonly margin: number;
  readonly wanted: number;
  readonly pairs: readonly BasePair[];
  /** How many pairs there should be. */
  readonly planned: number;
  /**
   * Whether the mean of the log ratios is judged by Student's t instead of their ranks: of few
   * pairs and many tests no order of ranks is beyond chance.
   */
  readonly byMean?: boolean;
}

/** Head over base in figures; above 1 is worse, whichever way the metric counts. */
export interface Comparison {
  readonly pairs: number;
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  /** Exact Wilcoxon signed-rank test, two-sided; and after Holm's correction. */
  readonly pValue: number;
  readonly adjusted: number;
  /** What so many pairs see in 19 of 20 runs, the margin included: 0.05 is 5 %. */
  readonly detectable: number;
}

/** `suspected` waits for its confirmation; `unclear` is what this run could not resolve. */
export type Word = "same" | "improvement" | "suspected" | "unclear";

export interface Finding {
  readonly word: Word;
  /** Why it is unclear; null otherwise. */
  readonly cause: GateCause | null;
  /** Null without enough pairs for one. */
  readonly comparison: Comparison | null;
}

/** The level of all tests of a run together. */
export const level = 0.05;
/** A side that passes would have been caught this often. */
const power = 0.95;
/** With fewer of its pairs than this share a test was decided by what the noise had left. */
const enoughShare = 0.7;
/** The fewest that an interval of 95 % can be made of. */
const fewestPairs = 6;
/** The fewest of which a spread is worth anything. */
export const fewestForMean = 4;

/** The findings of all tests, in their order; corrected together, advisory ones apart. */
export function findAll(tests: readonly Test[]): Finding[] {
  const compared = compareAll(tests);
  return tests.map((test, index) => find(test, compared[index] ?? null));
}

/** Whether fresh blocks too differ beyond chance, to the same side, by more than the margin. */
export function confirms(
  suspicion: Comparison,
  fresh: Comparison | null,
  { margin }: Pick<Test, "margin">,
): boolean {
  if (fresh === null || fresh.adjusted >= level) return false;
  return suspicion.ratio > 1
    ? fresh.low > 1 && fresh.ratio > 1 + margin
    : fresh.high < 1 && fresh.ratio < 1 / (1 + margin);
}

/** Whether the pairs would show the wanted effect in 19 of 20 runs, their spread in doubt. */
export function isPowered(test: Pick<Test, "better" | "pairs" | "margin" | "wanted">): boolean {
  const { pairs, margin, wanted } = test;
  if (pairs.length < fewestPairs) return false;
  const doubt = 1 + 1 / Math.sqrt(2 * (pairs.length - 1));
  return detectableBy(worseBy(test), margin, doubt) <= wanted;
}

/** The figures of all tests, null if there are too few pairs. */
export function compareAll(tests: readonly Test[]): (Comparison | null)[] {
  const raw = tests.map(compareOne);
  const adjusted = new Map<string, number>();
  const sizes = new Map<boolean, number>();
  for (const gates of [true, false]) {
    const family = tests.flatMap((test, index) => {
      const comparison = raw[index];
      return comparison == null || test.gates !== gates ? [] : [{ id: test.id, comparison }];
    });
    sizes.set(gates, family.length);
    const corrected = holm(family.map(({ comparison }) => comparison.pValue));
    for (const [index, { id }] of family.entries()) adjusted.set(id, corrected[index] ?? 1);
  }
  return raw.map((comparison, index) => {
    const test = tests[index];
    if (comparison === null || test === undefined) return null;
    const detectable = detectableIn(test, sizes.get(test.gates) ?? 1);
    return { ...comparison, adjusted: adjusted.get(test.id) ?? 1, detectable };
  });
}

function compareOne(test: Test): Omit<Comparison, "detectable"> | null {
  const { pairs, byMean = false } = test;
  if (pairs.length < (byMean ? fewestForMean : fewestPairs)) return null;
  const worse = worseBy(test);
  const shift = byMean ? meanShift(worse) : rankShift(worse);
  if (shift === null) return null;
  const { pValue } = shift;
  return {
    pairs: pairs.length,
    ratio: Math.exp(shift.estimate),
    low: Math.exp(shift.low),
    high: Math.exp(shift.high),
    pValue,
    adjusted: pValue,
  };
}

function rankShift(worse: readonly number[]) {
  const shift = hodgesLehmann(worse);
  return shift === null ? null : { ...shift, pValue: signedRank(worse).pValue };
}

function meanShift(worse: readonly number[]) {
  const spread = moderatedSpread(worse, null);
  if (spread === null) return null;
  const estimate = worse.reduce((sum, value) => sum + value, 0) / worse.length;
  return { estimate, ...studentInterval(worse, spread), pValue: meanBeyond(worse) };
}

/** Log ratios of the pairs; above 0 the head is worse. */
function worseBy({ better, pairs }: Pick<Test, "better" | "pairs">): number[] {
  return pairs.map(({ base, head }) =>
    better === "less" ? Math.log(head / base) : Math.log(base / head),
  );
}

/** @param doubt a factor for the measured spread. @returns 0.05 for 5 %, the margin included. */
function detectableBy(worse: readonly number[], margin: number, doubt = 1): number {
  const sigma = doubt * shiftSpread * standardDeviation(worse);
  return (1 + margin) * (1 + detectableEffect(sigma, worse.length, { power })) - 1;
}

/** @param family how many tests are corrected together. */
function detectableIn(test: Test, family: number): number {
  const { margin, byMean = false } = test;
  const worse = worseBy(test);
  return byMean ? detectableByMean(worse, margin, family) : detectableBy(worse, margin);
}

/** Both conditions of a regression by Student's t: beyond the margin, and p < 0.05 by Holm. */
function detectableByMean(worse: readonly number[], margin: number, family: number): number {
  const freedom = worse.length - 1;
  const error = standardDeviation(worse) / Math.sqrt(worse.length);
  const beyondMargin = Math.log1p(margin) + studentReach(level, power, freedom) * error;
  // The only test of its family that differs has the smallest p value, which Holm multiplies most.
  const beyondChance = studentReach(level / family, power, freedom) * error;
  return Math.expm1(Math.max(beyondMargin, beyondChance));
}

function find(test: Test, comparison: Comparison | null): Finding {
  const { pairs, planned, margin, wanted } = test;
  if (comparison === null || pairs.length < enoughShare * planned) {
    const cause = { code: "few-pairs", pairs: pairs.length, planned } as const;
    return { word: "unclear", cause, comparison };
  }
  const { adjusted, low, high, detectable } = comparison;
  const beyondChance = adjusted < level;
  if (beyondChance && low > 1 + margin) return { word: "suspected", cause: null, comparison };
  if (beyondChance && high < 1 / (1 + margin)) {
    return { word: "improvement", cause: null, comparison };
  }
  if (low > 1 + margin) {
    return { word: "unclear", cause: { code: "chance", pairs: pairs.length }, comparison };
  }
  // An interval that ends before the effect that matters says so without any estimate of power.
  if (detectable > wanted && high > 1 + wanted) {
    return { word: "unclear", cause: { code: "insensitive", detectable, wanted }, comparison };
  }
  return { word: "same", cause: null, comparison };
}
