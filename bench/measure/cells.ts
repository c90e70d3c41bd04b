// From rounds to cells: windows that do not count are dropped, each block is paired with the
// reference's, and what is left makes the figures. Pure. Enters: the rounds of one scenario.
// Leaves: cells for results.json.

import type { Contender } from "../contenders/catalogue.ts";
import type { Plan, Scenario } from "../plan.ts";
import type { Cell } from "../results.ts";
import { type Course, conclude, type Judged, type Refusal } from "./conclusion.ts";
import { brokenRules } from "./gate.ts";
import { type BlockData, metricsOf, type PairedBlock } from "./metrics.ts";
import type { Round } from "./round.ts";

/** How far the run of a scenario got. */
export interface Outcome {
  readonly rounds: readonly Round[];
  /** By contender: those that were not run at all. */
  readonly refusals: ReadonlyMap<string, Refusal>;
  readonly interrupted: boolean;
}

/** One cell for each contender of the plan, in the plan's order. */
export function cellsOf(plan: Plan, scenario: Scenario, outcome: Outcome): Cell[] {
  const courses = plan.contenders.map((contender) => courseOf(contender, outcome));
  const reference = courses.find(({ contender }) => contender === plan.reference);
  return courses.map((course) => cellOf(plan, scenario, { course, reference }));
}

interface Courses {
  readonly course: Course;
  /** Undefined where it was not measured, or wrong. */
  readonly reference: Course | undefined;
}

function cellOf(plan: Plan, scenario: Scenario, { course, reference }: Courses): Cell {
  const usable = reference?.failure === null && reference.refusal === null ? reference : null;
  const blocks = pairedBlocks(course, usable);
  const metrics = blocks.length === 0 ? {} : metricsOf(blocks, plan.seed);
  const { load, workload, ratePerSecond } = scenario;
  const results = course.judged.map(({ round }) => round.result);
  return {
    workload,
    contender: course.contender,
    connections: load.connections,
    activeConnections: load.activeConnections,
    payloadBytes: load.payloadBytes,
    ratePerSecond,
    ...conclude(course, { plan, reference: usable, blocks: blocks.length, metrics }),
    blocks: blocks.length,
    dropped: sum(course.judged.map(({ broken }) => broken.length)),
    messages: sum(results.map((result) => result?.messages ?? 0)),
    mismatches: sum(results.map((result) => (result?.mismatches ?? 0) + (result?.missing ?? 0))),
    metrics,
  };
}

function courseOf({ name, concurrency }: Contender, outcome: Outcome): Course {
  const rounds = outcome.rounds.filter(({ contender }) => contender === name);
  return {
    contender: name,
    refusal: outcome.refusals.get(name) ?? null,
    judged: rounds.map((round) => judge(round, concurrency === "single")),
    failure: rounds.find(({ failure }) => failure !== null)?.failure ?? null,
    interrupted: outcome.interrupted,
  };
}

function judge(round: Round, singleThreaded: boolean): Judged {
  const verdicts = round.windows.map((window) => ({
    window,
    rules: brokenRules(window, singleThreaded),
  }));
  return {
    round,
    valid: verdicts.filter(({ rules }) => rules.length === 0).map(({ window }) => window),
    broken: verdicts.filter(({ rules }) => rules.length > 0).map(({ rules }) => rules),
  };
}

/**
 * The blocks that count: with a valid window of its own and, where there is a reference, one of the
 * reference's.
 */
function pairedBlocks(course: Course, reference: Course | null): PairedBlock[] {
  return course.judged.flatMap((own): PairedBlock[] => {
    if (own.valid.length === 0) return [];
    if (reference === null) return [{ own: dataOf(own), reference: null }];
    const other = reference.judged.find(({ round }) => round.block === own.round.block);
    if (other === undefined || other.valid.length === 0) return [];
    return [{ own: dataOf(own), reference: dataOf(other) }];
  });
}

function dataOf({ valid, round }: Judged): BlockData {
  return { windows: valid, result: round.result, counters: round.counters };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
