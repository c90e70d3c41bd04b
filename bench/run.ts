// One run from plan to results: who can run, all blocks of all scenarios, the cells. Enters: a
// Plan. Leaves: Results, complete or, after an interruption, with what was measured until then.
// Writes and prints nothing.

import * as settings from "./contenders/settings.ts";
import { measureBlocks, type Progress } from "./measure/blocks.ts";
import { cellsOf } from "./measure/cells.ts";
import type { Refusal } from "./measure/conclusion.ts";
import { Interrupted } from "./measure/deadline.ts";
import { limits } from "./measure/gate.ts";
import type { MachineLimits } from "./measure/limits.ts";
import { refusalsOf } from "./measure/preflight.ts";
import type { Means, Round } from "./measure/round.ts";
import type { Plan, Scenario } from "./plan.ts";
import type { Cell, Environment, Results } from "./results.ts";

export interface RunMeans extends Means {
  readonly environment: Environment;
  readonly machine: MachineLimits;
  readonly onProgress: (progress: RunProgress) => void;
}

export type RunProgress =
  | { readonly event: "refused"; readonly contenders: string[]; readonly refusal: Refusal }
  | Progress;

/** How long killed children may take to be gone. */
const endedWithinMs = 2_000;

/** Never leaves a child behind, whether it returns or throws. */
export async function run(plan: Plan, means: RunMeans): Promise<Results> {
  const startedAt = new Date().toISOString();
  const cells: Cell[] = [];
  let complete = true;
  try {
    const prepared = plan.scenarios.map((scenario) => prepare(plan, scenario, means));
    for (const { scenario, refusals } of prepared) {
      const measured = await measureScenario(plan, scenario, { refusals, means });
      complete &&= !measured.interrupted;
      cells.push(...cellsOf(plan, scenario, { ...measured, refusals }));
    }
  } finally {
    means.children.killAll();
    await means.children.allEnded(endedWithinMs);
  }
  return {
    schemaVersion: 1,
    profile: plan.profile,
    startedAt,
    finishedAt: new Date().toISOString(),
    complete,
    seed: plan.seed,
    environment: means.environment,
    settings: settingsOf(plan, means),
    reference: plan.reference,
    cells,
  };
}

/** 1 where a contender failed or none could run, else 0. */
export function exitCodeOf({ cells }: Results): number {
  const refused = (cell: Cell) => ["skipped", "unsupported", "unavailable"].includes(cell.status);
  return cells.some(({ status }) => status === "failed") || cells.every(refused) ? 1 : 0;
}

/** Every limit is looked at before anything is measured. */
function prepare(plan: Plan, scenario: Scenario, { machine, onProgress }: RunMeans) {
  const refusals = refusalsOf(plan, scenario, machine);
  const byReason = new Map<string, string[]>();
  for (const [contender, { reason }] of refusals) {
    byReason.set(reason, [...(byReason.get(reason) ?? []), contender]);
  }
  for (const contenders of byReason.values()) {
    const refusal = refusals.get(contenders[0] ?? "");
    if (refusal !== undefined) onProgress({ event: "refused", contenders, refusal });
  }
  return { scenario, refusals };
}

interface ScenarioMeans {
  readonly refusals: ReadonlyMap<string, Refusal>;
  readonly means: RunMeans;
}

async function measureScenario(plan: Plan, scenario: Scenario, { refusals, means }: ScenarioMeans) {
  const rounds: Round[] = [];
  const contenders = plan.contenders.filter(({ name }) => !refusals.has(name));
  try {
    for await (const round of measureBlocks(plan, scenario, contenders, means)) rounds.push(round);
    return { rounds, interrupted: false };
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    return { rounds, interrupted: true };
  }
}

/** What was held equal between the contenders. */
function settingsOf(plan: Plan, { cpus }: RunMeans): Results["settings"] {
  return {
    readBufferBytes: settings.READ_BUFFER_BYTES,
    backlog: settings.BACKLOG,
    acceptsPerWake: settings.ACCEPTS_PER_WAKE,
    eventsPerWait: settings.EVENTS_PER_WAIT,
    tcpNoDelay: true,
    blocks: plan.blocks,
    warmupMs: plan.timing.warmupMs,
    windows: plan.timing.windows,
    windowMs: plan.timing.windowMs,
    serverCpu: cpus.server,
    loadGeneratorCpu: cpus.client,
    windowLimits: limits,
    options: plan.options,
  };
}
