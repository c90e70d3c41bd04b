// Histograms, and HdrHistogram's wire form against what other libraries wrote. All randomness is
// seeded: a failure repeats.

import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  decodeHistogram,
  encodeHistogram,
  HistogramFormatError,
} from "../../bench/statistics/hdr-encoding.ts";
import { Histogram, merge, supportedQuantile } from "../../bench/statistics/histogram.ts";
import { integerBelow, seededRandom, uniform } from "../../bench/statistics/random.ts";

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
