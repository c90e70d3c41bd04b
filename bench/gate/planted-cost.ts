// The control of a gate on a server that is not the suite's: the base's server once more, beside a
// program that uses up a share of what the server uses. It needs no source, and must be caught.

import type { Contender } from "../contenders/catalogue.ts";
import { gateCauseText } from "./causes.ts";
import { gateMetric } from "./metrics.ts";
import type { Control } from "./outcome.ts";
import { measurePairs, type PairContext, pairsOf } from "./pairs.ts";
import type { LoadRow } from "./profiles.ts";
import { findAll } from "./rule.ts";
import { signed } from "./words.ts";

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
  const name = `${contender} with ${percent} % of its CPU time planted is caught`;
  given.onProgress(`control: ${contender} with a planted cost`);
  const pairs = Math.min(row.pairs, pairsAtMost);
  const metric = gateMetric("serverCpuPerMessage");
  const { trees } = given;
  const base = trees.server ?? (() => server);
  const [course] = await measurePairs(
    { ...row, metrics: [metric.name], pairs, attempts: Math.min(row.attempts, pairs + 6) },
    { ...given, trees: { ...trees, server: (side) => (side === "head" ? server : base("base")) } },
  );
  if (course === undefined) return { name, held: false, detail: "not measured" };
  const [failure] = course.failures.head;
  const test = { ...metric, id: name, planned: pairs, pairs: pairsOf(course, metric.name, "head") };
  const [finding] = findAll([test]);
  const ratio = finding?.comparison?.ratio;
  const seen = ratio === undefined ? "not measured" : `${signed(ratio)} % CPU per message`;
  const held = finding?.word === "suspected";
  const why = failure ?? (finding?.cause == null ? null : gateCauseText(finding.cause));
  return { name, held, detail: held || why === null ? seen : `${seen}; ${why}` };
}
