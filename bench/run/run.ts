// One run from plan to results: all blocks of all parts, the cells. It neither writes nor prints.

import { commonSettings } from "../contenders/settings.ts";
import { maySpin } from "../host/cpus.ts";
import { Interrupted } from "../host/deadline.ts";
import { endEverything } from "../host/host.ts";
import type { MachineLimits } from "../host/limits.ts";
import { causeText } from "../model/reasons.ts";
import {
  type Cell,
  type Environment,
  type Results,
  schemaVersion,
  type TimelineRound,
} from "../model/results.ts";
import { BlockRun, type Progress } from "./blocks.ts";
import { type Budget, type Hurry, PartClock } from "./budget.ts";
import { cellsOf } from "./cells.ts";
import { openCpuShare } from "./cpu-share.ts";
import type { Refusal } from "./judge.ts";
import { estimatePartSeconds, type Part, type Plan } from "./plan.ts";
import { fitTogether, refusalsOf, workersOf } from "./preflight.ts";
import type { RoundContext } from "./round.ts";
import { timelineOf } from "./timeline.ts";
import { runtimeWarmupMessages, runtimeWarmupMs } from "./warm-up.ts";
import { limits } from "./window-gate.ts";

export interface RunContext extends RoundContext {
  readonly environment: Environment;
  readonly machine: MachineLimits;
  readonly onProgress: (progress: RunProgress) => void;
  /** Seconds of a profile's budget that the command needs before and after the run; default: 0. */
  readonly reservedSeconds?: number;
}

export type RunProgress =
  | {
      readonly event: "refused";
      readonly part: Part;
      readonly contenders: string[];
      readonly refusal: Refusal;
    }
  | Progress;

/** Never leaves a child behind, whether it returns or throws. */
export async function run(plan: Plan, given: RunContext): Promise<Results> {
  const startedAt = new Date().toISOString();
  const runStartedMs = performance.now();
  const { reservedSeconds = 0 } = given;
  const cells: Cell[] = [];
  const clocks: PartClock[] = [];
  const timeline: TimelineRound[] = [];
  let complete = true;
  const scenarios = plan.parts.flatMap((part) => part.scenarios);
  const cpuShare = openCpuShare(scenarios, given);
  const context = { ...given, cpuShare };
  try {
    for (const { part, refusals } of plan.parts.map((part) => prepare(part, plan, context))) {
      const spentSeconds = reservedSeconds + (performance.now() - runStartedMs) / 1000;
      const clock = new PartClock(budgetOf(plan, part, spentSeconds));
      clocks.push(clock);
      const blocks = new BlockRun(plan, part, {
        ...context,
        refusals,
        clock,
        workersOf: (contender, { load }) => workersOf(contender, load.connections, context.machine),
        fits: (rounds) => fitTogether(rounds, context.machine),
      });
      // After an interruption the parts that are left have their cells, too: empty ones.
      complete &&= await wasMeasured(blocks);
      const planned = blocks.planned.bind(blocks);
      const outcome = { rounds: blocks.rounds, refusals, planned, interrupted: !complete };
      cells.push(...cellsOf(plan, part, outcome));
      timeline.push(...timelineOf(plan, part, { outcome, runStartedMs }));
    }
  } finally {
    await endEverything(context.host);
    cpuShare?.remove();
  }
  return {
    schemaVersion,
    profile: plan.profile,
    startedAt,
    finishedAt: new Date().toISOString(),
    complete,
    seed: plan.seed,
    environment: context.environment,
    settings: { ...settingsOf(plan, context), ...hurryOf(clocks) },
    reference: plan.reference,
    cells,
    timeline,
  };
}

/** What is left of the budget, shared between the parts that are left by their estimates. */
function budgetOf({ parts, budget }: Plan, part: Part, spentSeconds: number): Budget | null {
  if (budget === undefined) return null;
  const left = parts.slice(parts.indexOf(part));
  const estimated = left.reduce((sum, each) => sum + estimatePartSeconds(each), 0);
  const share = estimated === 0 ? 1 : estimatePartSeconds(part) / estimated;
  return { ...budget, seconds: Math.max(0, budget.seconds - spentSeconds) * share };
}

/** What was done to end in time; nothing on a machine that is quick enough. */
function hurryOf(clocks: readonly PartClock[]): { readonly hurry?: Hurry } {
  const sum = (how: keyof Hurry) => clocks.reduce((total, { hurry }) => total + hurry[how], 0);
  const hurry = { shortened: sum("shortened"), abandoned: sum("abandoned") };
  return Object.values(hurry).some((blocks) => blocks > 0) ? { hurry } : {};
}

/** Every limit is looked at before anything is measured. */
function prepare(part: Part, { reference }: Plan, { host, machine, onProgress }: RunContext) {
  const asking = { host, machine, reference };
  const refusals = part.scenarios.map((scenario) => refusalsOf(part, scenario, asking));
  const byReason = new Map<string, { readonly refusal: Refusal; readonly names: Set<string> }>();
  for (const [contender, refusal] of refusals.flatMap((each) => [...each])) {
    const reason = causeText(refusal.cause);
    const known = byReason.get(reason) ?? { refusal, names: new Set() };
    byReason.set(reason, known);
    known.names.add(contender);
  }
  for (const { refusal, names } of byReason.values()) {
    onProgress({ event: "refused", part, contenders: [...names], refusal });
  }
  return { part, refusals };
}

/** @returns false if it was interrupted. */
async function wasMeasured(blocks: BlockRun): Promise<boolean> {
  try {
    await blocks.measure();
    return true;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    return false;
  }
}

/** What was held equal between the contenders, and by contender what was not. */
function settingsOf(plan: Plan, { cpus, cpuShare }: RunContext): Results["settings"] {
  return {
    ...commonSettings,
    tcpNoDelay: true,
    blocks: plan.blocks.minimum,
    blocksAtMost: plan.blocks.maximum,
    ...(plan.budget === undefined ? {} : { budgetSeconds: plan.budget.seconds }),
    ...plan.timing,
    runtimeWarmupMs,
    runtimeWarmupMessages,
    serverCpu: cpus.server,
    loadGeneratorCpu: cpus.client,
    ...(cpus.clientAlone && !maySpin() ? { loadGeneratorSpins: false } : {}),
    ...(cpuShare == null
      ? {}
      : { capacityCpuShare: cpuShare.share, capacityCpuShareBy: cpuShare.means }),
    windowLimits: limits,
    options: plan.options,
    ...Object.fromEntries(
      plan.contenders.flatMap(({ name, settings }) =>
        settings === undefined ? [] : [[name, settings]],
      ),
    ),
  };
}
