// Ratios to the reference, ranks and ties, and the metrics of results.json.

import { describe, expect, it } from "vitest";
import { pooledSpread } from "../../bench/statistics/moderated.ts";
import { seededRandom } from "../../bench/statistics/random.ts";
import {
  blocksToRank,
  compare,
  rankedEffect,
  ratioToReference,
} from "../../bench/statistics/ratio.ts";
import { summarize, summarizeRatio } from "../../bench/statistics/summary.ts";
import { normal } from "./samples.ts";

describe("ratio", () => {
  const pairs = (...ratios: number[]) =>
    ratios.map((ratio, index) => ({ value: ratio * (index + 1), reference: index + 1 }));

  it("cancels what slows both in a block", () => {
    const ratio = ratioToReference(pairs(1.5, 1.5, 1.5, 1.5), { seed: 1 });
    expect(ratio?.median).toBeCloseTo(1.5, 12);
    expect(ratio?.low).toBeCloseTo(1.5, 12);
    expect(ratio?.high).toBeCloseTo(1.5, 12);
    expect(ratio?.comparison).toBe("above");
    expect(ratio?.blocks).toHaveLength(4);
  });

  it("ranks only if the interval excludes 1", () => {
    const comparison = (...ratios: number[]) =>
      ratioToReference(pairs(...ratios), { seed: 1 })?.comparison;
    expect(comparison(0.8, 0.82, 0.79, 0.81, 0.8, 0.83)).toBe("below");
    expect(comparison(0.98, 1.03, 1.0, 0.97, 1.02, 1.01)).toBe("tie");
    expect(comparison(1, 1, 1)).toBe("tie");
    expect(comparison(2)).toBe("tie");
  });

  it("does not rank what the interval alone would: few blocks, or less than 1 %", () => {
    const ratioOf = (...ratios: number[]) => ratioToReference(pairs(...ratios), { seed: 1 });
    const three = ratioOf(1.02, 1.05, 1.11);
    expect(three?.low).toBeGreaterThan(1);
    expect(three?.comparison).toBe("tie");
    const slight = ratioOf(1.006, 1.005, 1.0052, 1.0061, 1.0049, 1.0058, 1.0055, 1.0051);
    expect(slight?.low).toBeGreaterThan(1);
    expect(slight?.comparison).toBe("tie");
    // What is three times as much is told from three blocks already.
    expect(ratioOf(3.1, 2.9, 3.0)?.comparison).toBe("above");
  });

  it("asks the interval too: an outlier cannot make a ranking", () => {
    expect(compare({ low: 0.99, high: 1.2, blocks: [1.1, 1.1, 1.1, 1.1] })).toBe("tie");
    expect(compare({ low: 1.09, high: 1.11, blocks: [1.1, 1.1, 1.1, 1.1] })).toBe("above");
    expect(compare({ low: null, high: null, blocks: [1.1] })).toBe("tie");
  });

  it.each([
    [5, 0.03],
    [12, 0.06],
  ])(
    "ranks the effect that it states in 8 of 10 runs, %i blocks that vary by %f",
    (count, sigma) => {
      const random = seededRandom(8);
      const run = (effect: number) => {
        const samples = Array.from({ length: 9 }, (_, server) =>
          Array.from({ length: count }, () => (server === 0 ? effect : 0) + sigma * normal(random)),
        );
        const [own = []] = samples;
        const common = pooledSpread(samples);
        const ratio = ratioToReference(pairs(...own.map(Math.exp)), { seed: 1, common });
        if (ratio === null) throw new Error("no ratio");
        return { ratio, stated: rankedEffect(ratio, common) ?? 0 };
      };
      const runs = 400;
      let [ranked, contradicted] = [0, 0];
      for (let one = 0; one < runs; one++) {
        const { ratio, stated } = run(Math.log1p(run(0).stated));
        if (ratio.comparison !== "tie") ranked++;
        else if (Math.abs(Math.log(ratio.median)) > Math.log1p(stated)) contradicted++;
      }
      expect(ranked / runs).toBeGreaterThan(0.7);
      expect(ranked / runs).toBeLessThan(0.9);
      expect(contradicted).toBe(0);
    },
  );

  it("is ranked as often as promised with the blocks that the pilot pairs ask for", () => {
    const random = seededRandom(7);
    const bounds = { effect: 0.05, minimum: 6, maximum: 40 };
    for (const sigma of [0.02, 0.05]) {
      // Six values with a standard deviation of exactly sigma.
      const pilot = [-1, 1, -1, 1, -1, 1].map((sign) => sign * sigma * Math.sqrt(5 / 6));
      const blocks = blocksToRank(pilot, bounds);
      const share = (number: number) => {
        let ranked = 0;
        for (let run = 0; run < 400; run++) {
          const ratios = Array.from({ length: number }, () =>
            Math.exp(Math.log(1.05) + sigma * normal(random)),
          );
          const ratio = ratioToReference(pairs(...ratios), { seed: run, common: null });
          if (ratio?.comparison === "above") ranked++;
        }
        return ranked / 400;
      };
      expect(share(blocks)).toBeGreaterThan(0.75);
      if (blocks > bounds.minimum) expect(share(blocks - 2)).toBeLessThan(0.85);
    }
    expect(blocksToRank([0, 0], bounds)).toBe(6);
    expect(blocksToRank([-1, 1], bounds)).toBe(40);
  });

  it("has no effect that it could state if two ratios lie too far apart", () => {
    expect(rankedEffect({ blocks: [1, 2000], median: 45, low: 1, high: 2000 })).toBeNull();
  });

  it("states no effect within reach of a bootstrap interval, and none of one block", () => {
    const blocks = [1.1, 1.1, 1.1, 1.1];
    expect(rankedEffect({ median: 1.1, low: 0.9, high: 1.2, blocks })).toBeCloseTo(1.1 / 0.9 - 1);
    expect(rankedEffect({ median: 2, low: null, high: null, blocks: [2] })).toBeNull();
  });

  it.each([
    [6, 0.02],
    [6, 0.1],
    [10, 0.05],
  ])("calls a server a tie with itself, %i blocks that vary by %f", (blocks, sigma) => {
    const random = seededRandom(20);
    let ranked = 0;
    for (let run = 0; run < 400; run++) {
      const ratios = Array.from({ length: blocks }, () => Math.exp(sigma * normal(random)));
      const ratio = ratioToReference(pairs(...ratios), { seed: run, resamples: 200 });
      if (ratio?.comparison !== "tie") ranked++;
    }
    // At most 4 in 1,000 in longer simulations; the interval alone would rank 28 of these.
    expect(ranked).toBeLessThanOrEqual(6);
  });

  it("is symmetric: twice and half are equally far from 1", () => {
    const there = ratioToReference(pairs(2, 2.2, 1.9, 2.1), { seed: 9 });
    const swapped = pairs(2, 2.2, 1.9, 2.1).map(({ value, reference }) => ({
      value: reference,
      reference: value,
    }));
    const back = ratioToReference(swapped, { seed: 9 });
    expect(1 / (back?.median ?? 0)).toBeCloseTo(there?.median ?? 0, 12);
    // The middle of an even number of log ratios is the geometric mean of the middle two.
    expect(there?.median).toBeCloseTo(Math.sqrt(2 * 2.1), 12);
  });

  it("refuses figures without a ratio, and gives none without pairs", () => {
    expect(ratioToReference([], { seed: 1 })).toBeNull();
    expect(() => ratioToReference([{ value: 0, reference: 1 }], { seed: 1 })).toThrow("0 to 1");
    expect(() => ratioToReference([{ value: 1, reference: -1 }], { seed: 1 })).toThrow(RangeError);
  });
});

describe("summary", () => {
  it("makes the metrics of results.json", () => {
    const metric = summarize("us", [9.6, 9.8, 9.7], { seed: 1 });
    expect(metric).toEqual({
      unit: "us",
      median: 9.7,
      low: 9.6,
      high: 9.8,
      blocks: [9.6, 9.8, 9.7],
    });
    expect(summarize("us", [9.6], { seed: 1 })).toMatchObject({
      median: 9.6,
      low: null,
      high: null,
    });
    const ratio = summarizeRatio([{ value: 3, reference: 2 }], { seed: 1 });
    expect(ratio).toMatchObject({ unit: "ratio", low: null, high: null });
    expect(ratio.median).toBeCloseTo(1.5, 12);
  });

  it("gives nulls if nothing was measured", () => {
    const empty = { median: null, low: null, high: null, blocks: [] };
    expect(summarize("us", [], { seed: 1 })).toEqual({ unit: "us", ...empty });
    expect(summarizeRatio([], { seed: 1 })).toEqual({ unit: "ratio", ...empty });
  });
});
