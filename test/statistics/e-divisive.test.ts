// Change points against R's ecp 3.1.6 on the flow of the Nile, against the definition worked out
// without shortcuts, and on series whose changes are known.

import { describe, expect, it } from "vitest";
import { changePoints } from "../../bench/statistics/e-divisive.ts";
import { integerBelow, seededRandom } from "../../bench/statistics/random.ts";
import { normal } from "./samples.ts";

/** R's Nile: yearly flow at Aswan, 1871 to 1970. It fell when the dam was begun, in 1898. */
const nile = [
  1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180,
  799, 958, 1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701,
  916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862,
  698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812,
  742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906,
  901, 1170, 912, 746, 919, 718, 714, 740,
];

/** Noise around levels, each held for so many values. */
function steps(seed: number, levels: readonly (readonly [level: number, length: number])[]) {
  const random = seededRandom(seed);
  return levels.flatMap(([level, length]) => Array.from({ length }, () => level + normal(random)));
}

const indexes = (series: readonly number[], seed = 1) =>
  changePoints(series, { seed }).map(({ index }) => index);

describe("E-divisive", () => {
  // e.divisive(as.matrix(as.numeric(Nile)), min.size = 5, R = 199): estimates 29 (counted from 1)
  // and p 0.005; the energy by the package's splitPointC(1, 100, dist(Nile), min.size).
  it.each([
    [5, 28, 4916.59080767514],
    [30, 30, 4204.08373014605],
  ])("finds the Nile's change as ecp does, stretches of %i", (minimumLength, index, energy) => {
    const found = changePoints(nile, { seed: 1, minimumLength });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ index, pValue: 0.005 });
    expect((found[0]?.energy ?? 0) / energy).toBeCloseTo(1, 12);
  });

  it("tells the levels on both sides", () => {
    expect(changePoints(nile, { seed: 1 })[0]).toMatchObject({ before: 1130, after: 842.5 });
    const two = changePoints(
      steps(4, [
        [0, 30],
        [9, 30],
        [3, 30],
      ]),
      { seed: 1 },
    );
    expect(two.map(({ index }) => index)).toEqual([30, 60]);
    expect(two[0]?.after).toBe(two[1]?.before);
  });

  it("splits where the definition says, with its energy", () => {
    for (let seed = 0; seed < 12; seed++) {
      const series = steps(seed, [
        [0, 8 + seed],
        [6, 9],
      ]);
      for (const minimumLength of [2, 4]) {
        const best = byDefinition(series, minimumLength);
        const found = changePoints(series, { seed, minimumLength });
        const largest = found.reduce((most, { energy }) => Math.max(most, energy), 0);
        expect(found.map(({ index }) => index)).toContain(best.index);
        expect(largest / best.energy).toBeCloseTo(1, 9);
      }
    }
  });

  it.each([5, 8, 20, 60])("finds a clean step after %i values", (length) => {
    const step = [...new Array<number>(length).fill(0), ...new Array<number>(length).fill(1)];
    expect(indexes(step)).toEqual([length]);
  });

  it("finds a change that was taken back, and several of different size", () => {
    const taken = [
      [0, 40],
      [5, 15],
      [0, 45],
    ] as const;
    const several = [
      [0, 25],
      [6, 25],
      [20, 25],
      [14, 25],
    ] as const;
    // At 5 % an innocent stretch now and then has a change too.
    const sure = (series: readonly number[]) =>
      changePoints(series, { seed: 1, significance: 0.01 }).map(({ index }) => index);
    expect(sure(steps(2, taken))).toEqual([40, 55]);
    expect(sure(steps(7, several))).toEqual([25, 50, 75]);
  });

  it("finds a change of scatter alone", () => {
    const random = seededRandom(8);
    const series = Array.from({ length: 200 }, (_, at) => (at < 100 ? 1 : 8) * normal(random));
    const found = indexes(series);
    expect(found.length).toBeGreaterThan(0);
    expect(Math.min(...found.map((index) => Math.abs(index - 100)))).toBeLessThan(10);
  });

  it("rarely sees one where nothing changed", () => {
    let alarms = 0;
    for (let seed = 0; seed < 100; seed++) {
      const found = changePoints(steps(1000 + seed, [[0, 40]]), { seed, permutations: 99 });
      if (found.length > 0) alarms++;
    }
    // The level is 5 %; 12 of 100 by chance is one run in a thousand, and the seeds are fixed.
    expect(alarms).toBeLessThanOrEqual(11);
  });

  it("sees none in what does not vary, in one odd value, or in too little", () => {
    expect(indexes(new Array<number>(50).fill(3))).toEqual([]);
    const odd = steps(3, [[0, 60]]);
    odd[30] = 40;
    expect(indexes(odd)).toEqual([]);
    expect(indexes([0, 0, 0, 0, 9, 9, 9, 9])).toEqual([]);
    expect(indexes([])).toEqual([]);
  });

  it("follows the seed, and nothing but the values' differences", () => {
    const series = steps(5, [
      [0, 30],
      [1, 30],
    ]);
    expect(changePoints(series, { seed: 3 })).toEqual(changePoints(series, { seed: 3 }));
    const shifted = changePoints(
      series.map((value) => 1000 - 4 * value),
      { seed: 3 },
    );
    expect(shifted.map(({ index, pValue }) => [index, pValue])).toEqual(
      changePoints(series, { seed: 3 }).map(({ index, pValue }) => [index, pValue]),
    );
  });

  it("is stricter with a smaller level, and its p values are shares of the permutations", () => {
    const series = steps(11, [
      [0, 20],
      [1, 20],
    ]);
    const [loose] = changePoints(series, { seed: 1, significance: 0.9, permutations: 49 });
    expect((loose?.pValue ?? 0) * 50).toBeCloseTo(Math.round((loose?.pValue ?? 0) * 50), 9);
    expect(changePoints(nile, { seed: 1, significance: 0.004 })).toEqual([]);
  });

  it("counts permutations that split just as well against it", () => {
    // 2 of the 20 orders of three and three are steps: p is a tenth, however clean the step.
    const step = [0.1, 0.1, 0.1, 0.7, 0.7, 0.7];
    const options = { seed: 1, minimumLength: 3 };
    expect(changePoints(step, options)).toEqual([]);
    const [loose] = changePoints(step, { ...options, significance: 0.5, permutations: 1999 });
    expect(loose?.index).toBe(3);
    expect(Math.abs((loose?.pValue ?? 0) - 0.1)).toBeLessThan(0.03);
  });

  it("takes a thousand values", () => {
    const series = steps(6, [
      [0, 400],
      [4, 350],
      [0, 250],
    ]);
    // The fewest at which the level of 5 % can be reached take a tenth of the time.
    const found = changePoints(series, { seed: 1, permutations: 19 }).map(({ index }) => index);
    expect(found).toContain(400);
    expect(found).toContain(750);
  });

  it("refuses what it cannot work with", () => {
    expect(() => changePoints([1, Number.NaN], { seed: 1 })).toThrow("NaN");
    expect(() => changePoints(nile, { seed: 1, minimumLength: 1 })).toThrow("stretch of 1");
    expect(() => changePoints(nile, { seed: 1, permutations: 0 })).toThrow("0 permutations");
    expect(() => changePoints(nile, { seed: 1, significance: 1 })).toThrow("significance 1");
  });

  it("shuffles with every draw of the seed alike", () => {
    // Different seeds may differ in p, never in where the best split is.
    const random = seededRandom(1);
    const places = Array.from({ length: 5 }, () => indexes(nile, integerBelow(random, 1e6)));
    for (const place of places) expect(place).toEqual([28]);
  });

  /** The estimator of Matteson and James, sum by sum. */
  function byDefinition(series: readonly number[], minimumLength: number) {
    const sum = (left: readonly number[], right: readonly number[]) =>
      left.flatMap((x) => right.map((y) => Math.abs(x - y))).reduce((all, one) => all + one, 0);
    let best = { index: -1, energy: Number.NEGATIVE_INFINITY };
    for (let cut = minimumLength; cut + minimumLength <= series.length; cut++) {
      for (let end = cut + minimumLength; end <= series.length; end++) {
        const [left, right] = [series.slice(0, cut), series.slice(cut, end)];
        const [m, n] = [left.length, right.length];
        const distance =
          (2 * sum(left, right)) / (m * n) -
          sum(left, left) / (m * (m - 1)) -
          sum(right, right) / (n * (n - 1));
        const energy = ((m * n) / (m + n)) * distance;
        if (energy > best.energy) best = { index: cut, energy };
      }
    }
    return best;
  }
});
