// Signed ranks, Student's t, Holm's correction and normal quantiles against R 4.2.2 (with
// exactRankTests 0.8-35) and SciPy 1.10.1; the command that gave a value stands beside it.

import { describe, expect, it } from "vitest";
import { hodgesLehmann } from "../../bench/statistics/hodges-lehmann.ts";
import { holm } from "../../bench/statistics/holm.ts";
import { normalQuantile } from "../../bench/statistics/normal.ts";
import { integerBelow, seededRandom } from "../../bench/statistics/random.ts";
import { meanBeyond, studentTails } from "../../bench/statistics/student.ts";
import { type Alternative, signedRank } from "../../bench/statistics/wilcoxon.ts";
import { normal } from "./samples.ts";

/** Differences of Hollander and Wolfe's depression scores: example(wilcox.test) of R. */
const depression = [0.952, -0.147, 1.022, 0.43, 0.62, 0.59, 0.49, -0.08, 0.01];
/** Darwin's maize, cross- less self-fertilised, in eighths of an inch: SciPy's wilcoxon example. */
const maize = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75];
const tied = [1, -1, 2, 2, -2, 3, 3, 3, -4, 5, 5, 0, 0];
const sixty = Array.from({ length: 60 }, (_, index) => (index + 1) * (index % 3 === 2 ? -1 : 1));

const alternatives: readonly Alternative[] = ["two-sided", "greater", "less"];

describe("the signed-rank test", () => {
  // wilcox.test(x, alternative = …), and wilcox.exact(tied, alternative = …)
  it.each([
    ["depression", depression, 40, [0.0390625, 0.01953125, 0.986328125]],
    ["maize", maize, 96, [0.041259765625, 0.0206298828125, 0.982330322265625]],
    ["tied", tied, 51.5, [0.1064453125, 0.05322265625, 0.95263671875]],
    ["sixty", sixty, 1200, [0.0355631737847665, 0.0177815868923832, 0.982546930901323]],
  ] as const)("agrees with R on %s", (_, differences, statistic, pValues) => {
    for (const [index, alternative] of alternatives.entries()) {
      const result = signedRank(differences, { alternative });
      expect(result.statistic).toBe(statistic);
      expect(result.pValue).toBeCloseTo(pValues[index] ?? 0, 13);
    }
  });

  // wilcox.test(x, conf.int = TRUE, exact = TRUE, conf.level = …)
  it.each([
    ["depression", depression, 0.95, [0.46, 0.01, 0.786]],
    ["maize", maize, 0.95, [25, 4, 41.5]],
    ["maize", maize, 0.8, [25, 14, 36]],
    ["sixty", sixty, 0.95, [11, 0.5, 21]],
  ] as const)("has the interval that R gives for %s", (_, values, confidence, expected) => {
    const shift = hodgesLehmann(values, confidence);
    for (const [index, value] of [shift?.estimate, shift?.low, shift?.high].entries()) {
      expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 12);
    }
  });

  it("has an interval that leaves zero out where the test says so, and nowhere else", () => {
    const random = seededRandom(32);
    for (let trial = 0; trial < 300; trial++) {
      const values = Array.from(
        { length: 6 + integerBelow(random, 20) },
        () => 0.6 + normal(random),
      );
      const shift = hodgesLehmann(values);
      const outside = (shift?.low ?? 0) > 0 || (shift?.high ?? 0) < 0;
      expect(outside).toBe(signedRank(values).pValue < 0.05);
    }
    expect(hodgesLehmann([])).toBeNull();
    expect(hodgesLehmann([3])).toEqual({ estimate: 3, low: 3, high: 3 });
  });

  it("drops zeros before ranking", () => {
    expect(signedRank(tied).n).toBe(11);
  });

  it("equals the count over all signs, with ties and zeros", () => {
    const random = seededRandom(31);
    for (let trial = 0; trial < 60; trial++) {
      const differences = Array.from({ length: 1 + integerBelow(random, 10) }, () =>
        Math.round(3 * normal(random)),
      );
      for (const alternative of alternatives) {
        const { pValue } = signedRank(differences, { alternative });
        expect(pValue).toBeCloseTo(byEnumeration(differences, alternative), 12);
      }
    }
  });

  it("mirrors with the signs, and is the same in any order", () => {
    const flipped = [...depression].reverse().map((difference) => -difference);
    expect(signedRank(flipped).pValue).toBe(signedRank(depression).pValue);
    expect(signedRank(flipped, { alternative: "less" }).pValue).toBeCloseTo(0.01953125, 14);
  });

  it("says nothing from nothing, and the most that n differences can", () => {
    expect(signedRank([])).toEqual({ statistic: 0, pValue: 1, n: 0 });
    expect(signedRank([0, 0, -0])).toEqual({ statistic: 0, pValue: 1, n: 0 });
    expect(signedRank([3])).toEqual({ statistic: 1, pValue: 1, n: 1 });
    expect(signedRank([1, 2, 3, 4, 5, 6]).pValue).toBe(2 / 2 ** 6);
    const large = Array.from({ length: 500 }, (_, index) => index + 1);
    expect(signedRank(large).pValue).toBeLessThan(1e-140);
  });

  it("refuses what it cannot rank", () => {
    expect(() => signedRank([1, Number.NaN])).toThrow("NaN");
    expect(() => signedRank([Number.NEGATIVE_INFINITY])).toThrow(RangeError);
    expect(() => signedRank(new Array<number>(501).fill(1))).toThrow("at most 500");
  });

  function byEnumeration(all: readonly number[], alternative: Alternative): number {
    const sizes = all.filter((difference) => difference !== 0).map(Math.abs);
    const rankOf = (size: number) =>
      sizes.filter((other) => other < size).length +
      (sizes.filter((other) => other === size).length + 1) / 2;
    const ranks = sizes.map(rankOf);
    const observed = all
      .filter((difference) => difference > 0)
      .reduce((sum, difference) => sum + rankOf(difference), 0);
    let atLeast = 0;
    let atMost = 0;
    for (let signs = 0; signs < 2 ** ranks.length; signs++) {
      const sum = ranks.reduce((part, rank, bit) => part + ((signs >> bit) & 1) * rank, 0);
      if (sum >= observed) atLeast++;
      if (sum <= observed) atMost++;
    }
    const counts = { greater: atLeast, less: atMost, "two-sided": 2 * Math.min(atLeast, atMost) };
    return Math.min(1, counts[alternative] / 2 ** ranks.length);
  }
});

describe("Holm's correction", () => {
  it.each([
    // p.adjust(c(…), "holm")
    [
      [0.01, 0.04, 0.03, 0.005, 0.2],
      [0.04, 0.09, 0.09, 0.025, 0.2],
    ],
    [
      [0.5, 0.6, 0.001, 0.001],
      [1, 1, 0.004, 0.004],
    ],
    [[0.03], [0.03]],
    [[], []],
  ])("agrees with R on %j", (raw, adjusted) => {
    const found = holm(raw);
    expect(found).toHaveLength(adjusted.length);
    for (const [index, value] of adjusted.entries()) expect(found[index]).toBeCloseTo(value, 14);
  });

  it("keeps the order and never lowers a value", () => {
    const random = seededRandom(12);
    const raw = Array.from({ length: 40 }, () => integerBelow(random, 1000) / 1000);
    const adjusted = holm(raw);
    for (const [one, value] of raw.entries()) {
      expect(adjusted[one]).toBeGreaterThanOrEqual(value);
      for (const [other, against] of raw.entries()) {
        if (value <= against) expect(adjusted[one]).toBeLessThanOrEqual(adjusted[other] ?? -1);
      }
    }
  });

  it("refuses what is no probability", () => {
    expect(() => holm([0.1, 1.1])).toThrow("1.1");
    expect(() => holm([Number.NaN])).toThrow(RangeError);
  });
});

describe("Student's test", () => {
  // 2 * pt(-c(0.1, 1, 2.5, 10, 40), df)
  it.each([
    [1, [0.936548965138893, 0.5, 0.242237883181687, 0.0634510348611071, 0.0159121798240516]],
    [2, [0.92946543841414, 0.42264973081037, 0.129611720221511, 0.00985245702332569]],
    [5, [0.92423014115466, 0.363217467649123, 0.0544900993423762, 0.000170947575742964]],
    [9, [0.922536447956681, 0.343436396137914, 0.0338618276829857, 3.57823743192474e-6]],
    [29, [0.921032444487374, 0.325581988016194, 0.0183253443384261, 6.59986257643348e-11]],
    [400, [0.920394424888548, 0.317915056437514, 0.0128188667634316, 3.66354640955675e-21]],
  ])("has R's tails with %i degrees of freedom", (freedom, tails) => {
    for (const [index, tail] of tails.entries()) {
      const t = [0.1, 1, 2.5, 10, 40][index] ?? 0;
      expect(studentTails(t, freedom) / tail).toBeCloseTo(1, 11);
      expect(studentTails(-t, freedom)).toBe(studentTails(t, freedom));
    }
    expect(studentTails(0, freedom)).toBe(1);
  });

  it("agrees with R's t.test, and moves with the margin", () => {
    // t.test(maize)$p.value; t.test(maize, mu = 5)$p.value
    expect(meanBeyond(maize)).toBeCloseTo(0.0497029440218009, 12);
    expect(meanBeyond(maize, 5)).toBeCloseTo(0.1243397831051485, 12);
    expect(meanBeyond(maize, 30)).toBe(1);
  });

  it("is sure of what does not vary, and of nothing from one value", () => {
    expect(meanBeyond([0.5, 0.5, 0.5, 0.5])).toBe(0);
    expect(meanBeyond([0.004, 0.004], 0.01)).toBe(1);
    expect(meanBeyond([0.4])).toBe(1);
    expect(() => meanBeyond([1, Number.NaN])).toThrow(RangeError);
    expect(() => meanBeyond([1, 2], -1)).toThrow("margin -1");
    expect(() => studentTails(1, 0)).toThrow("0 degrees");
  });
});

describe("normal quantiles", () => {
  it("agree with R's qnorm() in fourteen digits", () => {
    const published: [number, number][] = [
      [1e-300, -37.0470962993612],
      [1e-20, -9.26234008979841],
      [1e-12, -7.03448382530113],
      [0.001, -3.09023230616781],
      [0.025, -1.95996398454005],
      [0.074, -1.44663206715898],
      [0.076, -1.43250272082581],
      [0.3, -0.524400512708041],
      [0.8, 0.841621233572914],
      [0.975, 1.95996398454005],
      [0.999999, 4.75342430881709],
    ];
    for (const [p, z] of published) expect(normalQuantile(p) / z).toBeCloseTo(1, 13);
    expect(normalQuantile(0.5)).toBe(0);
  });

  it("know no certainty", () => {
    for (const p of [0, 1, -0.1, Number.NaN]) expect(() => normalQuantile(p)).toThrow(RangeError);
  });
});
