// Blocks: each is one pass over all contenders of a scenario in a seeded, balanced order, the
// reference among them. Enters: a scenario and its contenders. Leaves: rounds, in the order in
// which they ran, and progress while they do.

import type { Contender } from "../contenders/catalogue.ts";
import type { Plan, Scenario } from "../plan.ts";
import { blockOrders } from "../statistics/latin.ts";
import { deriveSeed } from "../statistics/random.ts";
import { Interrupted } from "./deadline.ts";
import { type Means, measureRound, type Round } from "./round.ts";

/** What happens while it happens, for whoever shows it. */
export type Progress =
  | { readonly event: "round-started"; readonly step: Step }
  | { readonly event: "round-ended"; readonly step: Step; readonly round: Round };

/** A round's place in the run. */
export interface Step {
  readonly scenario: Scenario;
  /** From 1. */
  readonly block: number;
  readonly contender: string;
}

/**
 * Measures a scenario's contenders. One that failed is not run again.
 * @yields each round as it ends.
 * @throws {Interrupted} when the run is to stop.
 */
export async function* measureBlocks(
  plan: Plan,
  scenario: Scenario,
  contenders: readonly Contender[],
  means: Means & { readonly onProgress: (progress: Progress) => void },
): AsyncGenerator<Round> {
  const key = `${scenario.workload} ${JSON.stringify(scenario.load)}`;
  const orders = blockOrders(contenders, plan.blocks, deriveSeed(plan.seed, `order ${key}`));
  const failed = new Set<string>();
  for (const [block, order] of orders.entries()) {
    for (const contender of order) {
      if (failed.has(contender.name)) continue;
      if (means.signal.aborted) throw new Interrupted();
      const step: Step = { scenario, block: block + 1, contender: contender.name };
      means.onProgress({ event: "round-started", step });
      const round = await measureRound(
        {
          contender,
          block,
          load: scenario.load,
          timing: plan.timing,
          // The same for all contenders of a block: the same messages are due at the same times.
          seed: deriveSeed(plan.seed, `load ${key} ${block}`),
        },
        means,
      );
      if (round.failure !== null) failed.add(contender.name);
      means.onProgress({ event: "round-ended", step, round });
      yield round;
    }
  }
}
