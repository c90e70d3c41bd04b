// Quantiles against R's quantile() of published samples.

import { describe, expect, it } from "vitest";
import { assertSorted, median, quantile, sort } from "../../bench/statistics/quantile.ts";
import { milesPerGallon } from "./samples.ts";

describe("quantile", () => {
  it("agrees with R's quantile() of mtcars$mpg", () => {
    const sorted = sort(milesPerGallon);
    const published = [10.4, 15.425, 19.2, 22.8, 33.9];
    for (const [index, value] of published.entries()) {
      expect(quantile(sorted, index / 4)).toBeCloseTo(value, 12);
    }
  });

  it("agrees with R's quantile(1:10)", () => {
    const sorted = sort([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect([0, 0.25, 0.5, 0.75, 1].map((q) => quantile(sorted, q))).toEqual([
      1, 3.25, 5.5, 7.75, 10,
    ]);
  });

  it("takes the middle, or the mean of two", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([9])).toBe(9);
  });

  it("sorts as numbers and leaves its input alone", () => {
    const values = [10, 9, -1];
    expect([...sort(values)]).toEqual([-1, 9, 10]);
    expect(values).toEqual([10, 9, -1]);
  });

  it("refuses what has no quantiles", () => {
    expect(() => sort([])).toThrow("without values");
    expect(() => sort([1, Number.NaN])).toThrow("NaN");
    expect(() => sort([1, Number.POSITIVE_INFINITY])).toThrow("Infinity");
    expect(() => assertSorted([2, 1])).toThrow("not sorted: 1 after 2");
    expect(() => quantile(sort([1]), 1.5)).toThrow("not in [0, 1]");
    expect(() => quantile(sort([1]), Number.NaN)).toThrow("not in [0, 1]");
  });
});
