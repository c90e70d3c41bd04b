// Who can run here at all, found out before anything is measured. Enters: the plan and the
// machine's limits. Leaves: for each contender that cannot run, a status and the reason.

import type { Contender } from "../contenders/catalogue.ts";
import type { Plan, Scenario } from "../plan.ts";
import type { Refusal } from "./conclusion.ts";
import { type MachineLimits, preflight } from "./limits.ts";

/** By contender; those that can run are not in it. */
export function refusalsOf(
  plan: Plan,
  scenario: Scenario,
  machine: MachineLimits,
): Map<string, Refusal> {
  const refusals = new Map<string, Refusal>();
  for (const contender of plan.contenders) {
    const refusal = platformRefusal(contender) ?? limitRefusal(contender, scenario, machine);
    if (refusal !== null) refusals.set(contender.name, refusal);
  }
  return refusals;
}

function platformRefusal({ platforms }: Contender): Refusal | null {
  if (platforms.includes(process.platform)) return null;
  const reason = `runs on ${platforms.join(", ")}; this is ${process.platform}`;
  return { status: "unavailable", reason };
}

function limitRefusal(
  { concurrency: model }: Contender,
  { load: { connections } }: Scenario,
  machine: MachineLimits,
): Refusal | null {
  const shortfall = preflight(machine, { connections, model });
  if (shortfall === null) return null;
  return { status: "skipped", reason: `${shortfall.reason}; to lift it: ${shortfall.command}` };
}
