// E-divisive: where in a series its distribution changed, without a model of what it was. Matteson
// and James, "A Nonparametric Approach for Multiple Change Point Analysis of Multivariate Data",
// JASA 109 (2014); R's ecp::e.divisive with alpha = 1; Daly et al. (ICPE 2020) on finding
// performance changes with it.

import { median } from "./quantile.ts";
import { deriveSeed, type Random, seededRandom, shuffled } from "./random.ts";

/** The level of a change point, and the fewest values between two changes, if none is given. */
export const changeDefaults = { significance: 0.05, minimumLength: 5 };

interface ChangePointOptions {
  readonly seed: number;
  /** The level a change point must reach; default: 0.05. */
  readonly significance?: number;
  /** How many permutations make a p value; default: 199, so that none is below 0.005. */
  readonly permutations?: number;
  /** The fewest values between two changes, 2 or more; default: 5. One odd run is no change. */
  readonly minimumLength?: number;
}

interface ChangePoint {
  /** The index of the first value that belongs to the new level, counted from 0. */
  readonly index: number;
  readonly pValue: number;
  /** The scaled energy distance between both sides when they were split: the paper's Q. */
  readonly energy: number;
  /** The medians of the stretches before and after, as far as the neighbouring changes. */
  readonly before: number;
  readonly after: number;
}

/** A stretch of the series, `end` not included. */
interface Stretch {
  readonly start: number;
  readonly end: number;
}

interface Split {
  readonly index: number;
  readonly energy: number;
}

/**
 * Splits the series where the energy distance between both sides is largest, as long as shuffling
 * within the stretches rarely makes so good a split by chance. Quadratic in the length of a
 * stretch: a thousand values take about a second.
 * @returns the change points in time's order; empty for a series too short to have one.
 * @throws {RangeError} on a value that is not finite, and on options out of range.
 */
export function changePoints(
  series: readonly number[],
  options: ChangePointOptions,
): ChangePoint[] {
  const { significance = changeDefaults.significance } = options;
  checkSeries(series, options);
  const values = Float64Array.from(series);
  const found: (Split & { readonly pValue: number })[] = [];
  for (;;) {
    const bounds = [0, ...found.map(({ index }) => index), values.length].sort((a, b) => a - b);
    const stretches = bounds.slice(1).map((end, at) => ({ start: bounds[at] ?? 0, end }));
    const split = bestSplit(values, stretches, options);
    if (split === null) break;
    const pValue = permutationTest(values, stretches, { ...options, split, round: found.length });
    if (pValue > significance) break;
    found.push({ ...split, pValue });
  }
  return describe(series, found);
}

function checkSeries(series: readonly number[], options: ChangePointOptions): void {
  const { significance, permutations = 199, minimumLength } = { ...changeDefaults, ...options };
  const bad = series.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw new RangeError(`${bad} in a series`);
  if (!(significance > 0 && significance < 1)) {
    throw new RangeError(`significance ${significance} is not in (0, 1)`);
  }
  if (!Number.isInteger(permutations) || permutations < 1) {
    throw new RangeError(`${permutations} permutations`);
  }
  if (!Number.isInteger(minimumLength) || minimumLength < 2) {
    throw new RangeError(`a stretch of ${minimumLength} has no inner distance; 2 is the least`);
  }
}

/** The best split of any stretch; null if none is long enough. */
function bestSplit(
  values: Float64Array,
  stretches: readonly Stretch[],
  { minimumLength = changeDefaults.minimumLength }: ChangePointOptions,
): Split | null {
  let best: Split | null = null;
  for (const { start, end } of stretches) {
    if (end - start < 2 * minimumLength) continue;
    const split = splitOf(values.subarray(start, end), minimumLength);
    if (best === null || split.energy > best.energy) {
      best = { index: start + split.index, energy: split.energy };
    }
  }
  return best;
}

/**
 * The paper's estimator: over all cuts τ and all ends κ, where the energy distance between [0, τ)
 * and [τ, κ), scaled by their sizes, is largest. A κ before the end keeps a later change
 * from hiding this one. The sums of distances move by one value a step.
 */
function splitOf(values: Float64Array, minimumLength: number): Split {
  const length = values.length;
  // For each κ, with the current τ: the sum of |x − y| within [τ, κ), and between both sides.
  const within = new Float64Array(length + 1);
  const between = new Float64Array(length + 1);
  for (let end = 1; end <= length; end++) {
    within[end] = (within[end - 1] ?? 0) + distances(values, end - 1, 0, end - 1);
  }
  let left = 0;
  let best: Split = { index: minimumLength, energy: Number.NEGATIVE_INFINITY };
  for (let cut = 1; cut <= length - minimumLength; cut++) {
    const moved = cut - 1;
    const toLeft = distances(values, moved, 0, moved);
    let toRight = 0;
    left += toLeft;
    const here = values[moved] ?? 0;
    for (let end = cut + 1; end <= length; end++) {
      toRight += Math.abs((values[end - 1] ?? 0) - here);
      const inner = (within[end] ?? 0) - toRight;
      const cross = (between[end] ?? 0) + toRight - toLeft;
      within[end] = inner;
      between[end] = cross;
      const right = end - cut;
      if (cut < minimumLength || right < minimumLength) continue;
      const energy =
        (2 * cross - (2 * left * right) / (cut - 1) - (2 * inner * cut) / (right - 1)) / end;
      if (energy > best.energy) best = { index: cut, energy };
    }
  }
  return best;
}

/** The sum of the distances from the value at `from` to those in [start, end). */
function distances(values: Float64Array, from: number, start: number, end: number): number {
  const origin = values[from] ?? 0;
  let sum = 0;
  for (let index = start; index < end; index++) sum += Math.abs((values[index] ?? 0) - origin);
  return sum;
}

interface CandidateSplit extends ChangePointOptions {
  readonly split: Split;
  /** How many change points were found before: each test draws its own permutations. */
  readonly round: number;
}

/** The share of permutations, the series itself among them, that split as well as it does. */
function permutationTest(
  values: Float64Array,
  stretches: readonly Stretch[],
  candidate: CandidateSplit,
): number {
  const { split, permutations = 199 } = candidate;
  const random = seededRandom(deriveSeed(candidate.seed, `change point ${candidate.round}`));
  // Sums of the same distances in another order differ in their last digits.
  const threshold = split.energy - 1e-9 * Math.abs(split.energy);
  let asGood = 1;
  for (let permutation = 0; permutation < permutations; permutation++) {
    const shuffledSplit = bestSplit(permuted(random, values, stretches), stretches, candidate);
    if (shuffledSplit !== null && shuffledSplit.energy >= threshold) asGood++;
  }
  return asGood / (permutations + 1);
}

/** A copy whose values have changed places, each within its stretch. */
function permuted(
  random: Random,
  values: Float64Array,
  stretches: readonly Stretch[],
): Float64Array {
  const copy = new Float64Array(values.length);
  for (const { start, end } of stretches) {
    copy.set(shuffled(random, [...values.subarray(start, end)]), start);
  }
  return copy;
}

function describe(
  series: readonly number[],
  found: readonly (Split & { readonly pValue: number })[],
): ChangePoint[] {
  const ordered = [...found].sort((one, other) => one.index - other.index);
  return ordered.map(({ index, pValue, energy }, at) => ({
    index,
    pValue,
    energy,
    before: median(series.slice(ordered[at - 1]?.index ?? 0, index)),
    after: median(series.slice(index, ordered[at + 1]?.index ?? series.length)),
  }));
}
