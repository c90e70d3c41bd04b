// What is read off a series or a cloud: the detectable effect, fairness, slopes; against R 4.2.2
// and SciPy 1.10.1 where they know it. The command that gave a value stands beside it.

import { describe, expect, it } from "vitest";
import { detectableEffect, standardDeviation } from "../../bench/statistics/detectable-effect.ts";
import { seededRandom } from "../../bench/statistics/random.ts";
import { theilSen } from "../../bench/statistics/theil-sen.ts";
import { normal } from "./samples.ts";

describe("the detectable effect", () => {
  it("follows from the spread and the number of blocks", () => {
    // expm1((qnorm(.975) + qnorm(.8)) * .15 / sqrt(30))
    expect(detectableEffect(0.15, 30)).toBeCloseTo(0.07974464249, 10);
    expect(detectableEffect(0, 10)).toBe(0);
  });

  it("is larger for more power and smaller for one side", () => {
    const effect = (options: object) => detectableEffect(0.1, 10, options);
    expect(effect({ power: 0.95 })).toBeGreaterThan(effect({}));
    expect(effect({ sides: 1 })).toBeLessThan(effect({}));
    expect(effect({ alpha: 0.01 })).toBeGreaterThan(effect({}));
  });

  it("finds the effect as often as promised", () => {
    // A z test of known sigma, simulated: the promise itself, without a formula.
    const random = seededRandom(3);
    const effect = detectableEffect(0.1, 20);
    let found = 0;
    for (let trial = 0; trial < 2000; trial++) {
      let sum = 0;
      for (let block = 0; block < 20; block++) sum += Math.log1p(effect) + 0.1 * normal(random);
      if (Math.abs(sum / 20) > (1.96 * 0.1) / Math.sqrt(20)) found++;
    }
    expect(found / 2000).toBeGreaterThan(0.77);
    expect(found / 2000).toBeLessThan(0.83);
  });

  it("refuses what makes no sense", () => {
    expect(() => standardDeviation([0.1])).toThrow("1 values");
    expect(() => standardDeviation([0.1, Number.NaN])).toThrow("not finite");
    expect(() => detectableEffect(1, 5, { alpha: 0.5 })).toThrow("alpha");
    expect(() => detectableEffect(1, 5, { power: 1 })).toThrow("power");
    expect(() => detectableEffect(0.1, 0)).toThrow("0 blocks");
    expect(() => detectableEffect(-1, 5)).toThrow("sigma -1");
  });
});

describe("the Theil–Sen line", () => {
  const points = (xs: readonly number[], ys: readonly number[]) =>
    xs.map((x, index) => ({ x, y: ys[index] ?? Number.NaN }));
  /** Kilobytes at 1,000, 5,000 and 10,000 connections, three blocks each, one of them disturbed. */
  const memory = points(
    [1000, 1000, 1000, 5000, 5000, 5000, 10_000, 10_000, 10_000],
    [12.1, 12.4, 12.0, 28.3, 28.9, 44.0, 49.0, 48.2, 48.8],
  );
  const ten = points(
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    [2.9, 5.1, 7.2, 8.8, 11.3, 30, 15.1, 16.7, 19.2, 21.0],
  );

  it("agrees with SciPy's theilslopes, ties included", () => {
    // theilslopes(y, x)
    const line = theilSen(memory);
    expect(line?.slope).toBeCloseTo(0.004066666666666667, 15);
    expect(line?.intercept).toBeCloseTo(8.566666666666663, 12);
    expect(line?.low).toBeCloseTo(0.003975, 15);
    expect(line?.high).toBeCloseTo(0.0042, 15);
    // theilslopes(y, x, 0.9)
    const narrow = theilSen(ten, 0.9);
    expect(narrow?.slope).toBeCloseTo(2, 12);
    expect(narrow?.low).toBeCloseTo(1.94, 12);
    expect(narrow?.high).toBeCloseTo(2.1, 12);
  });

  it("is not moved by an outlier, and is the same in any order", () => {
    expect(theilSen([...ten].reverse())).toEqual(theilSen(ten));
    const straight = points([1, 2, 3, 4, 5, 6, 7], [3, 5, 7, 9, 11, 13, 1e9]);
    expect(theilSen(straight)?.slope).toBe(2);
  });

  it("has no interval from too few points, and no line through one x", () => {
    const two = theilSen(points([1, 3], [10, 20]));
    expect(two).toEqual({ slope: 5, low: null, high: null, intercept: 5 });
    expect(theilSen([])).toBeNull();
    expect(theilSen(points([4, 4], [1, 2]))).toBeNull();
    expect(() => theilSen(points([1, 2], [1, Number.NaN]))).toThrow("point (2, NaN)");
    expect(() => theilSen(ten, 1)).toThrow("confidence 1");
  });
});
