// The bootstrap interval against Efron and Tibshirani's mouse data and against its own promise: how
// often it covers the truth.

import { describe, expect, it } from "vitest";
import {
  attainableCoverage,
  bootstrapMedian,
  resampledMedians,
} from "../../bench/statistics/bootstrap.ts";
import { median } from "../../bench/statistics/quantile.ts";
import { seededRandom } from "../../bench/statistics/random.ts";
import { milesPerGallon, normal } from "./samples.ts";

/** Survival times of the mouse data, Efron and Tibshirani (1993), table 2.1. */
const treatedMice = [94, 197, 16, 38, 99, 141, 23];
const untreatedMice = [52, 104, 146, 10, 50, 31, 40, 27, 46];

describe("bootstrap", () => {
  it("gives the published standard error of the treated mice's median, 37.83", () => {
    const medians = resampledMedians(treatedMice, { seed: 1, resamples: 40_000 });
    const mean = medians.reduce((sum, value) => sum + value, 0) / medians.length;
    const variance =
      medians.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (medians.length - 1);
    expect(Math.abs(Math.sqrt(variance) - 37.83)).toBeLessThan(0.5);
  });

  it("gives the exact percentile interval where that is known", () => {
    // From the binomial distribution: P(median* ≤ 10) = 0.0014, P(median* ≤ 27) = 0.030, and
    // mirrored at the top.
    expect(bootstrapMedian(untreatedMice, { seed: 1 })).toEqual({ low: 27, high: 104 });
  });

  it("repeats for a seed", () => {
    const options = { seed: 5, resamples: 200 };
    expect(resampledMedians(treatedMice, options)).toEqual(resampledMedians(treatedMice, options));
  });

  it("knows nothing from fewer than two blocks, and all from equal ones", () => {
    expect(bootstrapMedian([], { seed: 1 })).toBeNull();
    expect(bootstrapMedian([4], { seed: 1 })).toBeNull();
    expect(bootstrapMedian([4, 4, 4], { seed: 1 })).toEqual({ low: 4, high: 4 });
  });

  it("holds the median and widens with the confidence", () => {
    const middle = median(milesPerGallon);
    const narrow = bootstrapMedian(milesPerGallon, { seed: 2, confidence: 0.5 });
    const wide = bootstrapMedian(milesPerGallon, { seed: 2, confidence: 0.99 });
    expect(narrow?.low).toBeLessThanOrEqual(middle);
    expect(narrow?.high).toBeGreaterThanOrEqual(middle);
    expect(wide?.low).toBeLessThanOrEqual(narrow?.low ?? 0);
    expect(wide?.high).toBeGreaterThanOrEqual(narrow?.high ?? 0);
  });

  it("covers the true median about as often as it says", () => {
    const random = seededRandom(2026);
    const trials = 400;
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      const blocks = Array.from({ length: 15 }, () => normal(random));
      const interval = bootstrapMedian(blocks, { seed: trial, resamples: 500 });
      if (interval !== null && interval.low <= 0 && interval.high >= 0) covered++;
    }
    expect(covered / trials).toBeGreaterThan(0.91);
    expect(covered / trials).toBeLessThan(0.99);
  });

  it("knows that few blocks cannot cover 95 %", () => {
    expect(attainableCoverage(0)).toBe(0);
    expect(attainableCoverage(1)).toBe(0);
    expect(attainableCoverage(3)).toBe(0.75);
    expect(attainableCoverage(5)).toBeLessThan(0.95);
    expect(attainableCoverage(6)).toBeGreaterThan(0.95);
  });

  it("refuses options out of range", () => {
    expect(() => bootstrapMedian([1, 2], { seed: 1, confidence: 1 })).toThrow("confidence 1");
    expect(() => bootstrapMedian([1, 2], { seed: 1, resamples: 0 })).toThrow("resamples 0");
    expect(() => bootstrapMedian([1, Number.NaN], { seed: 1 })).toThrow("NaN");
  });
});
