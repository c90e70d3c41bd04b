// The order in which the contenders of a cell run, block by block, so that neither position nor
// predecessor favours one. E. J. Williams, "Experimental designs balanced for the estimation of
// residual effects of treatments" (1949); ABBA for two.

import { integerBelow, type Random, seededRandom, shuffled } from "./random.ts";

/** An order per block: how often contenders stand at two positions differs by one at most. */
export function blockOrders<T>(contenders: readonly T[], blocks: number, seed: number): T[][] {
  if (contenders.length === 0) return Array.from({ length: blocks }, () => []);
  const random = seededRandom(seed);
  const orders: T[][] = [];
  while (orders.length < blocks) {
    orders.push(
      ...(contenders.length === 2 ? abba(random, contenders) : design(random, contenders)),
    );
  }
  return orders.slice(0, blocks);
}

/** AB BA, or BA AB by a coin: a drift that is linear in time cancels. */
function abba<T>(random: Random, pair: readonly T[]): T[][] {
  const first = integerBelow(random, 2) === 0 ? [...pair] : [...pair].reverse();
  return [first, [...first].reverse()];
}

/**
 * A whole Williams design: n rows for an even n, 2n for an odd one. Each contender stands once
 * (odd: twice) at each position, and follows each other one equally often. The assignment of
 * contenders and the order of the rows are shuffled.
 */
function design<T>(random: Random, contenders: readonly T[]): T[][] {
  const names = shuffled(random, contenders);
  const count = names.length;
  const row = (shift: number) => zigzag(count).map((step) => names[(step + shift) % count] as T);
  const square = Array.from({ length: count }, (_, shift) => row(shift));
  if (count % 2 === 0) return shuffled(random, square);
  const mirror = square.map((order) => [...order].reverse());
  return [...shuffled(random, square), ...shuffled(random, mirror)];
}

/** 0, 1, n−1, 2, n−2, …: the differences of its neighbours are all different modulo n. */
function zigzag(count: number): number[] {
  return Array.from({ length: count }, (_, index) =>
    index % 2 === 1 ? (index + 1) / 2 : (count - index / 2) % count,
  );
}
