// How much work to plant for a wanted share of CPU time: what a nanosecond of it costs amid all
// else is measured first, by planting more of it.

import { measurePairs, pairsOf } from "../../bench/gate/pairs.ts";
import type { LoadRow } from "../../bench/gate/profiles.ts";
import type { Trees } from "../../bench/gate/sides.ts";
import type { RoundContext } from "../../bench/run/round.ts";
import { median } from "../../bench/statistics/quantile.ts";

interface Planting {
  readonly load: LoadRow;
  /** CPU time per message where it could not be measured, in nanoseconds. */
  readonly usualNs: number;
  /** With so many nanoseconds more per message in the head. */
  readonly treesOf: (nanoseconds: number) => Trees;
  readonly context: RoundContext;
  readonly onProgress: (line: string) => void;
  readonly say: (line: string) => void;
}

/** Large enough to be measured well in a few pairs. */
const trialShare = 0.2;
const trialPairs = 10;

/** How long the planted work takes that raises the cost per message by this share. */
export async function nanosecondsOf(share: number, planting: Planting): Promise<number> {
  const { load, usualNs, treesOf, context, onProgress, say } = planting;
  const trial = { pairs: trialPairs, untilPowered: false, attempts: 2 * trialPairs };
  const row: LoadRow = { ...load, ...trial, plantedPercent: null };
  const measure = async (nanoseconds: number) => {
    const trees = treesOf(nanoseconds);
    const [course] = await measurePairs(row, { context, trees, seed: 1, onProgress });
    return course === undefined ? [] : pairsOf(course, "serverCpuPerMessage", "head");
  };
  const costs = (await measure(0)).map(({ base }) => base);
  const nanoseconds = costs.length === 0 ? usualNs : 1000 * median(costs);
  const costlier = await measure(trialShare * nanoseconds);
  const seen =
    costlier.length === 0 ? trialShare : median(costlier.map((p) => p.head / p.base)) - 1;
  // Half or twice as much as was meant is a machine that was busy, not a measurement.
  const scale = Math.min(2, Math.max(0.5, trialShare / Math.max(seen, 0.01)));
  const cost = (nanoseconds / 1000).toFixed(1);
  say(`a message costs ${cost} µs; ${percent(trialShare)} planted were ${percent(seen)}`);
  say(`planted: ${percent(share)} of it, ${(share * scale * nanoseconds).toFixed(0)} ns`);
  return share * scale * nanoseconds;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}
