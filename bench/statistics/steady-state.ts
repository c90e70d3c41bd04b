// Whether a server has warmed up: the last windows of a series neither drift nor scatter. Georges,
// Buytaert and Eeckhout, "Statistically Rigorous Java Performance Evaluation" (OOPSLA 2007), with a
// slope beside their coefficient of variation, for a slow drift scatters little. Enters: one figure
// a window, so far. Leaves: steady or not, and since when.

import { standardDeviation } from "./sample-size.ts";

export interface SteadyStateOptions {
  /** How many windows are looked at together, at least 3; 5 unless told. */
  readonly windows?: number;
  /** The largest relative change across those windows; 0.02 unless told. */
  readonly slope?: number;
  /** The largest coefficient of variation within them; 0.05 unless told. */
  readonly variation?: number;
}

export interface SteadyState {
  readonly steady: boolean;
  /** The window, from 0, with which the series first was steady; null where it never was. */
  readonly window: number | null;
}

/**
 * Looks for the first window that ends a steady run. Call it again with each further window: what
 * it has found once stays found.
 * @param series one figure a window in their order, such as CPU time a message.
 * @throws {RangeError} on a figure that is not finite, and on fewer than 3 windows.
 */
export function steadyState(
  series: readonly number[],
  options: SteadyStateOptions = {},
): SteadyState {
  const { windows = 5, slope = 0.02, variation = 0.05 } = options;
  if (!(Number.isInteger(windows) && windows >= 3)) {
    throw new RangeError(`${windows} windows show no trend; 3 do`);
  }
  const bad = series.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw new RangeError(`${bad} in a series`);
  for (let end = windows; end <= series.length; end++) {
    const last = series.slice(end - windows, end);
    if (Math.abs(relativeSlope(last)) < slope && variationOf(last) < variation) {
      return { steady: true, window: end - 1 };
    }
  }
  return { steady: false, window: null };
}

/**
 * The change from the first window to the last along the line of least squares, over the mean:
 * 0.02 is a rise by two per cent. 0 where all are zero, infinite where only the mean is.
 */
export function relativeSlope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  let products = 0;
  let squares = 0;
  for (const [index, value] of values.entries()) {
    products += (index - middle) * value;
    squares += (index - middle) ** 2;
  }
  return relative((products / squares) * (values.length - 1), values);
}

/** The coefficient of variation: standard deviation over mean; as relativeSlope at a zero mean. */
export function variationOf(values: readonly number[]): number {
  return relative(standardDeviation(values), values);
}

function relative(size: number, values: readonly number[]): number {
  if (values.every((value) => value === 0)) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return size / Math.abs(mean);
}
