// The control of a gate on a server that is not the suite's: the base's server once more, with a
// program that uses up a share of what the server uses. It needs no source, and must be caught.

import type { Contender } from "../contenders/catalogue.ts";
import type { Control } from "./controls.ts";
import { gateMetric } from "./metrics.ts";
import { measurePairs, type PairContext, pairsOf } from "./pairs.ts";
import type { LoadRow } from "./profiles.ts";
import { findAll } from "./rule.ts";

export interface PlantedCost {
  readonly percent: number;
  readonly server: Contender;
}

/** Enough for twice the wanted effect, with half the pairs of a run. */
const pairsAtMost = 12;

/** @throws {Interrupted} */
export async function plantedCostControl(
  row: LoadRow,
  { percent, server }: PlantedCost,
  given: PairContext,
): Promise<Control> {
  const [contender = ""] = row.contenders;
  const control = { code: "planted-cost", contender, percent } as const;
  given.onProgress(`control: ${contender} with a planted cost`);
  const pairs = Math.min(row.pairs, pairsAtMost);
  const metric = gateMetric("serverCpuPerMessage");
  const { trees } = given;
  const base = trees.server ?? (() => server);
  const [course] = await measurePairs(
    { ...row, metrics: [metric.name], pairs, attempts: Math.min(row.attempts, pairs + 6) },
    { ...given, trees: { ...trees, server: (side) => (side === "head" ? server : base("base")) } },
  );
  if (course === undefined) return { ...control, held: false, ratio: null, cause: null };
  const [failure] = course.failures.head;
  const test = {
    ...metric,
    id: contender,
    planned: pairs,
    pairs: pairsOf(course, metric.name, "head"),
  };
  const [finding] = findAll([test]);
  return {
    ...control,
    held: finding?.word === "suspected",
    ratio: finding?.comparison?.ratio ?? null,
    cause: failure === undefined ? (finding?.cause ?? null) : { code: "said", text: failure },
  };
}
