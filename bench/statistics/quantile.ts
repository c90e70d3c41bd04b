// Quantiles of a sample, Hyndman and Fan's type 7 (the default of R, NumPy and spreadsheets).
// "Sample Quantiles in Statistical Packages", The American Statistician 50 (1996). The type
// Sorted proves that an array has been sorted and checked.

declare const sortedBrand: unique symbol;

/** At least one finite number, ascending. Only sort() and assertSorted() make it. */
export type Sorted = readonly number[] & { readonly [sortedBrand]: true };

/** A sorted copy. @throws {RangeError} on an empty sample, and on NaN or an infinity in it. */
export function sort(values: readonly number[]): Sorted {
  const copy = [...values].sort((left, right) => left - right);
  assertSorted(copy);
  return copy;
}

/**
 * Proves to the compiler that an array is sorted, by looking.
 * @throws {RangeError} on an empty or unsorted sample, and on NaN or an infinity in it.
 */
export function assertSorted(values: readonly number[]): asserts values is Sorted {
  if (values.length === 0) throw new RangeError("a sample without values has no quantiles");
  let previous = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) throw new RangeError(`${value} in a sample`);
    if (value < previous) throw new RangeError(`sample not sorted: ${value} after ${previous}`);
    previous = value;
  }
}

/**
 * The q-quantile, interpolated between the two nearest order statistics (type 7).
 * @param q in [0, 1]; 0 is the smallest value, 1 the largest.
 * @throws {RangeError} on a q outside [0, 1].
 */
export function quantile(values: Sorted, q: number): number {
  if (!(q >= 0 && q <= 1)) throw new RangeError(`quantile ${q} is not in [0, 1]`);
  const position = (values.length - 1) * q;
  const below = Math.floor(position);
  const low = values[below] ?? Number.NaN;
  const high = values[Math.ceil(position)] ?? Number.NaN;
  return low + (position - below) * (high - low);
}

/** The middle value or the mean of both, of any order. @throws {RangeError} as sort() does. */
export function median(values: readonly number[]): number {
  return quantile(sort(values), 0.5);
}

/**
 * The mean of the middle half: as robust as it takes for windows that something disturbed, and
 * less noisy than a median. Values at the edges of the half count in part.
 * @throws {RangeError} without values.
 */
export function interquartileMean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = values.toSorted((one, other) => one - other);
  const [from, to] = [sorted.length / 4, (3 * sorted.length) / 4];
  let [sum, weights] = [0, 0];
  for (const [index, value] of sorted.entries()) {
    const weight = Math.max(0, Math.min(index + 1, to) - Math.max(index, from));
    sum += weight * value;
    weights += weight;
  }
  return sum / weights;
}
