// Seeded randomness against the xoshiro reference implementation, and the evenness of its draws.

import { describe, expect, it } from "vitest";
import {
  deriveSeed,
  integerBelow,
  seededRandom,
  shuffled,
  uniform,
  xoshiro128,
} from "../../bench/statistics/random.ts";

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
