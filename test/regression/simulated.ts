// The gate's rule on many invented pairs with a known truth: how often each verdict occurs.

import { compareAll, confirms, findAll, isPowered, type Test } from "../../bench/gate/rule.ts";
import { blocks, type Noise, testOf } from "../regression-data.ts";

export interface Simulation extends Noise {
  readonly runs: number;
  /** In one run, of which the first is as told and the others compare equal sides. */
  readonly tests: number;
  readonly margin?: number;
  /** Up to so many pairs, until the wanted effect would be detected; default: `pairs`. */
  readonly pairsAtMost?: number;
}

/** @returns how many runs gave each word; a suspicion is confirmed or becomes "unconfirmed". */
export function simulate({ runs, ...simulation }: Simulation): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let seed = 1; seed <= runs; seed++) {
    const word = wordOf(seed, simulation);
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}

function wordOf(seed: number, simulation: Omit<Simulation, "runs">): string {
  const { tests, margin, pairsAtMost, ...noise } = simulation;
  const { pairs: fewest = 20 } = noise;
  const invent = (id: string, from: number, ratio: number) => {
    const all = blocks(from, { ...noise, ratio, pairs: pairsAtMost ?? fewest });
    const test = testOf(id, all, fewest);
    return untilPowered(margin === undefined ? test : { ...test, margin }, fewest);
  };
  const own = invent("own", seed, noise.ratio);
  const others = Array.from({ length: tests - 1 }, (_, index) =>
    invent(`other ${index + 1}`, 1_000_000 * (index + 1) + seed, 1),
  );
  const [finding] = findAll([own, ...others]);
  if (finding?.comparison == null || finding.word !== "suspected") return finding?.word ?? "none";
  const [fresh] = compareAll([invent("own", seed + 500_000, noise.ratio)]);
  return confirms(finding.comparison, fresh ?? null, own) ? "regression" : "unconfirmed";
}

/** With as many of its pairs as a run of the gate would have measured. */
function untilPowered(test: Test, fewest: number): Test {
  let pairs = test.pairs.slice(0, fewest);
  while (pairs.length < test.pairs.length && !isPowered({ ...test, pairs })) {
    pairs = test.pairs.slice(0, pairs.length + 1);
  }
  return { ...test, pairs };
}
