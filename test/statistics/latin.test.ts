// The order of contenders within blocks: everyone at every place, everyone after everyone.

import { describe, expect, it } from "vitest";
import { blockOrders } from "../../bench/statistics/latin.ts";

describe("block orders", () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `c${index}`);
  const tally = <K>(keys: Iterable<K>) => {
    const counts = new Map<K, number>();
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts;
  };

  it.each([1, 2, 3, 4, 5, 7, 10])(
    "name each of %i contenders once per block, evenly placed",
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
