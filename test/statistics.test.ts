// bench/statistics against published values (R, Efron and Tibshirani, the xoshiro reference,
// HdrHistogram's own test data) and against properties that must hold for any input. All randomness
// is seeded: a failure repeats.

import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  attainableCoverage,
  bootstrapMedian,
  resampledMedians,
} from "../bench/statistics/bootstrap.ts";
import {
  decodeHistogram,
  encodeHistogram,
  HistogramFormatError,
} from "../bench/statistics/hdr-encoding.ts";
import { Histogram, merge, supportedQuantile } from "../bench/statistics/histogram.ts";
import { blockOrders } from "../bench/statistics/latin.ts";
import { assertSorted, median, quantile, sort } from "../bench/statistics/quantile.ts";
import {
  deriveSeed,
  integerBelow,
  type Random,
  seededRandom,
  shuffled,
  uniform,
  xoshiro128,
} from "../bench/statistics/random.ts";
import { ratioToReference } from "../bench/statistics/ratio.ts";
import { summarize, summarizeRatio } from "../bench/statistics/summary.ts";

/** R's mtcars$mpg. */
const milesPerGallon = [
  21.0, 21.0, 22.8, 21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8, 16.4, 17.3, 15.2, 10.4, 10.4,
  14.7, 32.4, 30.4, 33.9, 21.5, 15.5, 15.2, 13.3, 19.2, 27.3, 26.0, 30.4, 15.8, 19.7, 15.0, 21.4,
];
/** Survival times of the mouse data, Efron and Tibshirani (1993), table 2.1. */
const treatedMice = [94, 197, 16, 38, 99, 141, 23];
const untreatedMice = [52, 104, 146, 10, 50, 31, 40, 27, 46];

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
}

describe("random", () => {
  it("gives the stream of the xoshiro128** reference implementation", () => {
    const next = xoshiro128([1, 2, 3, 4]);
    expect(Array.from({ length: 10 }, next)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597,
      4258142804,
    ]);
  });

  it("repeats for a seed and differs between seeds, zero included", () => {
    const stream = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
    expect(stream(7)).toEqual(stream(7));
    expect(stream(7)).not.toEqual(stream(8));
    expect(new Set(stream(0)).size).toBe(5);
  });

  it("derives different seeds for different labels and runs", () => {
    const seeds = [deriveSeed(1, "a"), deriveSeed(1, "b"), deriveSeed(2, "a"), deriveSeed(1, "")];
    expect(new Set(seeds).size).toBe(4);
    expect(deriveSeed(1, "a")).toBe(deriveSeed(1, "a"));
  });

  it("draws uniformly, without a bias to small remainders", () => {
    const random = seededRandom(3);
    const counts = [0, 0, 0];
    for (let draw = 0; draw < 30_000; draw++) {
      const value = integerBelow(random, 3);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    expect(() => integerBelow(random, 0)).toThrow(RangeError);
    // Three quarters of all words lie past the last whole multiple; they must be drawn again, not
    // folded.
    expect(integerBelow(() => 5, 2 ** 32)).toBe(5);
    const words = [2 ** 32 - 1, 17];
    expect(integerBelow(() => words.shift() ?? 0, 3 * 2 ** 30)).toBe(17);
  });

  it("keeps uniform numbers in their range", () => {
    expect(uniform(() => 0, 2, 4)).toBe(2);
    expect(uniform(() => 2 ** 32 - 1, 2, 4)).toBeLessThan(4);
  });

  it("shuffles a copy, and every order comes up", () => {
    const random = seededRandom(11);
    const original = ["a", "b", "c"];
    const seen = new Map<string, number>();
    for (let draw = 0; draw < 6000; draw++) {
      const order = shuffled(random, original).join("");
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(original).toEqual(["a", "b", "c"]);
    expect(seen.size).toBe(6);
    for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});

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

  it("ranks only where the interval excludes 1", () => {
    const comparison = (...ratios: number[]) =>
      ratioToReference(pairs(...ratios), { seed: 1 })?.comparison;
    expect(comparison(0.8, 0.82, 0.79, 0.81, 0.8, 0.83)).toBe("below");
    expect(comparison(0.98, 1.03, 1.0, 0.97, 1.02, 1.01)).toBe("tie");
    expect(comparison(1, 1, 1)).toBe("tie");
    expect(comparison(2)).toBe("tie");
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

  it("gives nulls where nothing was measured", () => {
    const empty = { median: null, low: null, high: null, blocks: [] };
    expect(summarize("us", [], { seed: 1 })).toEqual({ unit: "us", ...empty });
    expect(summarizeRatio([], { seed: 1 })).toEqual({ unit: "ratio", ...empty });
  });
});

describe("histogram", () => {
  it("keeps three digits of every value and counts all", () => {
    const random = seededRandom(4);
    for (let draw = 0; draw < 2000; draw++) {
      const value = Math.floor(Math.exp(uniform(random, 0, Math.log(3.6e12))));
      const histogram = new Histogram();
      histogram.record(value);
      const found = histogram.quantile(0.5) ?? -1;
      expect(found).toBeGreaterThanOrEqual(value);
      expect(found - value).toBeLessThanOrEqual(value / 1000);
    }
  });

  it("takes ranks as the quantiles of exact small values", () => {
    const histogram = new Histogram();
    for (let value = 1; value <= 100; value++) histogram.record(value);
    expect([0, 0.01, 0.07, 0.5, 0.501, 0.99, 1].map((q) => histogram.quantile(q))).toEqual([
      1, 1, 7, 50, 51, 99, 100,
    ]);
    expect(histogram.mean).toBeCloseTo(50.5, 0);
    expect(histogram.max).toBe(100);
    expect(histogram.count).toBe(100);
  });

  it("is empty without values", () => {
    const histogram = new Histogram();
    expect([histogram.quantile(0.5), histogram.max, histogram.mean]).toEqual([null, null, null]);
    expect(histogram.counts).toEqual([]);
    expect(merge([]).count).toBe(0);
  });

  it("merges windows as if they had been one", () => {
    const random = seededRandom(8);
    const whole = new Histogram();
    const parts = [new Histogram(), new Histogram(), new Histogram()];
    for (let draw = 0; draw < 9000; draw++) {
      const value = Math.floor(uniform(random, 0, 1e9));
      whole.record(value);
      parts[draw % 3]?.record(value);
    }
    expect(merge(parts).counts).toEqual(whole.counts);
    expect(merge(parts).count).toBe(9000);
    expect(parts.map((part) => part.count)).toEqual([3000, 3000, 3000]);
  });

  it("refuses to merge what is cut differently, and values out of range", () => {
    const coarse = new Histogram({ lowest: 1, highest: 3_600_000_000_000, digits: 2 });
    expect(() => merge([new Histogram(), coarse])).toThrow("different precision");
    expect(() => coarse.record(-1)).toThrow("value -1");
    expect(() => coarse.record(Number.NaN)).toThrow("value NaN");
    expect(() => coarse.record(3_600_000_000_001)).toThrow(RangeError);
    expect(() => new Histogram({ lowest: 1, highest: 100, digits: 6 })).toThrow("6 significant");
    expect(() => new Histogram({ lowest: 0, highest: 100, digits: 3 })).toThrow("spans 0");
  });

  it("gives p99.9 from 10,000 samples and p99.99 from 100,000, never before", () => {
    const histogram = new Histogram();
    histogram.record(5, 9_999);
    expect(supportedQuantile(histogram, 0.99)).toBe(5);
    expect(supportedQuantile(histogram, 0.999)).toBeNull();
    histogram.record(5);
    expect(supportedQuantile(histogram, 0.999)).toBe(5);
    histogram.record(5, 89_999);
    expect(supportedQuantile(histogram, 0.9999)).toBeNull();
    histogram.record(5);
    expect(supportedQuantile(histogram, 0.9999)).toBe(5);
    expect(supportedQuantile(new Histogram(), 0.5)).toBeNull();
  });
});

describe("HdrHistogram's V2 encoding", () => {
  /**
   * Strips the compressed wrapper (cookie and length, 8 bytes) in which other libraries publish
   * their histograms.
   */
  const unwrap = (text: string) =>
    inflateSync(Buffer.from(text, "base64").subarray(8)).toString("base64");
  /**
   * The standard test histogram as an early HdrHistogram_c encodes it: 1,000 ten thousand times,
   * 100,000,000 once. That release counted the header into the payload's length; the length is set
   * right here.
   */
  const standard = payloadLength(
    unwrap("HISTFAAAACl4nJNpmSzMwMBgyAABzFCaEURcm7yEwf4DROA8/4I5jNM7mJgAlWkH9g=="),
    9,
  );
  /** 2,048 once, at the first boundary of buckets; Java and C write the same bytes. */
  const boundary = unwrap("HISTFAAAACB4nJNpmSzMwMDAzAABMJoRQnEw2H+AsP7LMwEARZgDpQ==");
  /** 100, 200 and 250 once each. */
  const three = unwrap("HISTFAAAACV4nJNpmSzMwMDAwQABzFCaEUrp2H+AsI4zMh1lZEpkAgBdIQSk");
  /**
   * An interval of a jHiccup log: 2 digits, buckets from 20,000 ns, whose log line gives the
   * maximum as 2.769 ms.
   */
  const interval = unwrap(
    "HISTFAAAAEV42pNpmSzMwMCgyAABTBDKT4GBgdnNYMcCBvsPEBEJISEuATEZMQ4uASkhIR4nrxg9v2lM" +
      "axhvMekILGZkKmcCAEf2CsI=",
  );

  it("is read as other libraries read it", () => {
    const histogram = decodeHistogram(standard);
    expect(histogram.count).toBe(10_001);
    for (const q of [0.3, 0.99, 0.9999]) expect(histogram.quantile(q)).toBe(1000);
    expect(Math.abs((histogram.quantile(0.99999) ?? 0) / 100_000_000 - 1)).toBeLessThan(0.001);
    expect(
      Math.abs((histogram.mean ?? 0) / ((1000 * 10_000 + 100_000_000) / 10_001) - 1),
    ).toBeLessThan(0.001);
    expect(decodeHistogram(boundary).max).toBe(2049);
    expect([0, 0.5, 1].map((q) => decodeHistogram(three).quantile(q))).toEqual([100, 200, 250]);
    expect(((decodeHistogram(interval).max ?? 0) / 1e6).toFixed(3)).toBe("2.769");
  });

  it("is written byte for byte as other libraries write it", () => {
    for (const text of [standard, boundary, three, interval]) {
      expect(encodeHistogram(decodeHistogram(text))).toBe(text);
    }
    const histogram = new Histogram({ lowest: 1, highest: 0xd693a400, digits: 3 });
    histogram.record(1000, 10_000);
    histogram.record(100_000_000);
    expect(encodeHistogram(histogram)).toBe(standard);
  });

  it("survives a round trip whatever is in it, counts beyond 32 bits included", () => {
    const random = seededRandom(6);
    for (const digits of [0, 1, 2, 3, 4, 5]) {
      const histogram = new Histogram({ lowest: 1, highest: 1e12, digits });
      for (let draw = 0; draw < 300; draw++) {
        histogram.record(Math.floor(Math.exp(uniform(random, 0, 27))), 1 + integerBelow(random, 9));
      }
      histogram.record(12, 2 ** 40);
      const back = decodeHistogram(encodeHistogram(histogram));
      const { counts } = histogram;
      expect(back.counts.every((count, index) => count === counts[index])).toBe(true);
      expect(back.geometry).toEqual(histogram.geometry);
      expect(back.count).toBe(histogram.count);
    }
    expect(decodeHistogram(encodeHistogram(new Histogram())).count).toBe(0);
  });

  it("is refused with the reason where it is damaged or foreign", () => {
    const change = (edit: (bytes: Buffer) => Buffer | undefined) => {
      const bytes = Buffer.from(three, "base64");
      return (edit(bytes) ?? bytes).toString("base64");
    };
    const refusals: [string, string][] = [
      ["", "0 bytes"],
      ["HIST!", "not base64"],
      [change((bytes) => bytes.subarray(0, 39)), "39 bytes"],
      [change((bytes) => bytes.subarray(0, -1)), "truncated: 7 of 8 bytes"],
      [change((bytes) => void bytes.writeInt32BE(0x1c849314, 0)), "cookie 0x1c849314"],
      [change((bytes) => void bytes.writeInt32BE(-1, 4)), "truncated"],
      [change((bytes) => void bytes.writeInt32BE(3, 8)), "shifted"],
      [change((bytes) => void bytes.writeInt32BE(9, 12)), "9 significant digits"],
      [change((bytes) => void bytes.writeInt32BE(1, 4)), "inside a count"],
      [change((bytes) => void bytes.fill(0xff, 40, 48)), "inside a count"],
      [change((bytes) => longCount(bytes)), "beyond 2^53"],
      // A run of 2^39 empty buckets, then a count: no histogram is that long.
      [
        change((bytes) => Buffer.from(bytes).fill(Buffer.from("ffffffffff1f0202", "hex"), 40)),
        "bucket",
      ],
    ];
    for (const [text, reason] of refusals) {
      expect(() => decodeHistogram(text), reason).toThrow(HistogramFormatError);
      expect(() => decodeHistogram(text), reason).toThrow(reason);
    }
  });

  function payloadLength(text: string, length: number): string {
    const bytes = Buffer.from(text, "base64");
    bytes.writeInt32BE(length, 4);
    return bytes.toString("base64");
  }

  /** The header with one count of nine bytes, nearly all bits set. */
  function longCount(bytes: Buffer): Buffer {
    const header = Buffer.from(bytes.subarray(0, 40));
    header.writeInt32BE(9, 4);
    return Buffer.concat([header, Buffer.alloc(9, 0xfe)]);
  }
});

describe("block orders", () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);
  const tally = <K>(keys: Iterable<K>) => {
    const counts = new Map<K, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts;
  };

  it.each([1, 2, 3, 4, 5, 7, 10])(
    "name each of %i contenders once a block, evenly placed",
    (count) => {
      for (const blocks of [1, 3, 4, 10, 23]) {
        const orders = blockOrders(names(count), blocks, 42);
        expect(orders).toHaveLength(blocks);
        for (const order of orders) expect([...order].sort()).toEqual(names(count).sort());
        for (const name of names(count)) {
          const positions = tally(orders.map((order) => order.indexOf(name)));
          const counts = names(count).map((_, position) => positions.get(position) ?? 0);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        }
      }
    },
  );

  it.each([3, 4, 5, 6, 10])("let each of %i follow each other one equally often", (count) => {
    const whole = count % 2 === 0 ? count : 2 * count;
    const follows = blockOrders(names(count), whole, 1).flatMap((order) =>
      order.slice(1).map((name, index) => `${order[index]} ${name}`),
    );
    const counts = tally(follows);
    expect(counts.size).toBe(count * (count - 1));
    expect(new Set(counts.values())).toEqual(new Set([whole / count]));
  });

  it("alternate two as ABBA", () => {
    const orders = blockOrders(["a", "b"], 6, 3).map((order) => order.join(""));
    for (let pair = 0; pair < 6; pair += 2) {
      expect([orders[pair], orders[pair + 1]].sort()).toEqual(["ab", "ba"]);
    }
  });

  it("follow the seed and leave the contenders alone", () => {
    const contenders = names(10);
    expect(blockOrders(contenders, 10, 1)).toEqual(blockOrders(contenders, 10, 1));
    expect(blockOrders(contenders, 10, 1)).not.toEqual(blockOrders(contenders, 10, 2));
    expect(contenders).toEqual(names(10));
    expect(blockOrders([], 2, 1)).toEqual([[], []]);
    expect(blockOrders(contenders, 0, 1)).toEqual([]);
  });
});
