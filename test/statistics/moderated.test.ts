// Moderated spreads and Student's intervals, against published quantiles and by simulation.

import { describe, expect, it } from "vitest";
import {
  moderatedSpread,
  pooledSpread,
  studentInterval,
  studentQuantile,
} from "../../bench/statistics/moderated.ts";
import { seededRandom, uniform } from "../../bench/statistics/random.ts";

describe("studentQuantile", () => {
  it.each([
    // R: qt(0.975, df)
    [1, 12.706205],
    [3, 3.182446],
    [6, 2.446912],
    [30, 2.042272],
  ])("with %i degrees of freedom is %f at 5 %%", (freedom, expected) => {
    expect(studentQuantile(0.05, freedom)).toBeCloseTo(expected, 5);
  });

  it("refuses what is no probability", () => {
    expect(() => studentQuantile(0, 3)).toThrow(RangeError);
    expect(() => studentQuantile(1, 3)).toThrow(RangeError);
  });
});

describe("spreads", () => {
  it("pools samples around their own means", () => {
    const spread = pooledSpread([[1, 3], [11, 13, 12], [7]]);
    expect(spread?.freedom).toBe(3);
    expect(spread?.deviation).toBeCloseTo(Math.sqrt((2 + 2) / 3), 12);
    expect(pooledSpread([[1], []])).toBeNull();
  });

  it("leaves a sample to itself that varies far more than the others", () => {
    const wild = [0, 10];
    const even = [
      [1, 3, 2],
      [5, 7, 6],
      [4, 2, 3],
    ];
    const spread = pooledSpread([...even, wild]);
    expect(spread).toEqual(pooledSpread(even));
    expect(moderatedSpread(wild, spread)?.deviation).toBeCloseTo(Math.sqrt(50), 12);
  });

  it("is a sample's own without others", () => {
    expect(moderatedSpread([1, 3], null)).toEqual({ deviation: Math.SQRT2, freedom: 1 });
    expect(moderatedSpread([1], null)).toBeNull();
  });

  it("lies between a sample's own and the common one", () => {
    const spread = moderatedSpread([1, 3], { deviation: 4, freedom: 9, most: 8 });
    expect(spread?.freedom).toBe(2);
    expect(spread?.deviation).toBeCloseTo(Math.sqrt((2 + 16) / 2), 12);
  });
});

describe("studentInterval", () => {
  it("covers the mean in about 95 % of samples of four, moderated by five contenders", () => {
    const random = seededRandom(7);
    const normal = () =>
      Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
    let covered = 0;
    const runs = 2000;
    for (let run = 0; run < runs; run++) {
      const samples = Array.from({ length: 5 }, () => Array.from({ length: 4 }, () => normal()));
      const [own = []] = samples;
      const spread = moderatedSpread(own, pooledSpread(samples));
      if (spread === null) throw new Error("four values have a spread");
      const { low, high } = studentInterval(own, spread);
      if (low <= 0 && high >= 0) covered++;
    }
    expect(covered / runs).toBeGreaterThan(0.93);
    expect(covered / runs).toBeLessThan(0.98);
  });

  it("covers it about as often beside contenders that vary three times as much", () => {
    const random = seededRandom(8);
    const normal = () =>
      Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
    const covered = [0, 0, 0, 0];
    const deviations = [0.03, 0.03, 0.05, 0.1];
    const runs = 4000;
    for (let run = 0; run < runs; run++) {
      const samples = deviations.map((size) => Array.from({ length: 5 }, () => size * normal()));
      const common = pooledSpread(samples);
      for (const [index, sample] of samples.entries()) {
        const spread = moderatedSpread(sample, common);
        if (spread === null) throw new Error("five values have a spread");
        const { low, high } = studentInterval(sample, spread);
        if (low <= 0 && high >= 0) covered[index] = (covered[index] ?? 0) + 1;
      }
    }
    for (const count of covered) expect(count / runs).toBeGreaterThan(0.9);
  });
});
