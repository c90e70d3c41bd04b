// How a cell ended: one status word, and the reason in words wherever it is not a plain result.
// Pure. Enters: a contender's judged rounds, the number of blocks that count, its figures. Leaves:
// to cells.ts.

import type { Plan } from "../plan.ts";
import type { Metric, MetricName, Status } from "../results.ts";
import { compare } from "../statistics/ratio.ts";
import type { Window } from "./events.ts";
import { type Rule, ruleWords } from "./gate.ts";
import type { Round } from "./round.ts";

/** Why a contender was not run at all. */
export interface Refusal {
  readonly status: "skipped" | "unsupported" | "unavailable";
  readonly reason: string;
}

/** A round as the gate saw it. */
export interface Judged {
  readonly round: Round;
  /** The windows that count. */
  readonly valid: readonly Window[];
  /** The rules that each of the others broke. */
  readonly broken: readonly (readonly Rule[])[];
}

/** All that one contender did in one scenario. */
export interface Course {
  readonly contender: string;
  readonly refusal: Refusal | null;
  readonly judged: readonly Judged[];
  readonly failure: string | null;
  readonly interrupted: boolean;
}

export interface Circumstances {
  readonly plan: Plan;
  /** Null where there is nothing to compare with. */
  readonly reference: Course | null;
  /** How many count. */
  readonly blocks: number;
  readonly metrics: Partial<Record<MetricName, Metric>>;
}

export interface Conclusion {
  readonly status: Status;
  readonly reason: string | null;
}

/** Beyond this share of dropped blocks what is left was picked by the noise. */
const droppedShare = 0.3;

export function conclude(course: Course, circumstances: Circumstances): Conclusion {
  const { plan, reference, blocks, metrics } = circumstances;
  if (course.refusal !== null) return course.refusal;
  if (course.failure !== null) return { status: "failed", reason: course.failure };
  const run = course.judged.length;
  if (course.interrupted && run < plan.blocks) {
    return inconclusive(`interrupted after ${run} of ${plan.blocks} blocks`);
  }
  if (plan.blocks - blocks > droppedShare * plan.blocks) {
    return inconclusive(describeDropped(course, circumstances));
  }
  if (course.contender === plan.reference) return { status: "ok", reason: null };
  if (reference === null) return inconclusive(`no ratio: ${plan.reference} has no figures`);
  const ratio = metrics.ratioToReference;
  if (ratio === undefined || ratio.median === null) {
    return inconclusive("no ratio: this platform does not tell the server's CPU time");
  }
  const tie = compare(ratio) === "tie";
  return { status: tie ? "tie" : "ok", reason: null };
}

function inconclusive(reason: string): Conclusion {
  return { status: "inconclusive", reason };
}

/** "4 of 6 blocks dropped: messages left late (9 windows), the server waited for its CPU (2)". */
function describeDropped(course: Course, { plan, blocks }: Circumstances): string {
  const dropped = `${plan.blocks - blocks} of ${plan.blocks} blocks dropped`;
  const causes = countRules(course).map(
    ([rule, windows], index) =>
      `${ruleWords[rule]} (${index === 0 ? count(windows, "window") : windows})`,
  );
  const ownBlocks = course.judged.filter(({ valid }) => valid.length > 0).length;
  const unpaired = ownBlocks - blocks;
  if (unpaired > 0) causes.push(`${plan.reference} was disturbed (${count(unpaired, "block")})`);
  return causes.length === 0 ? dropped : `${dropped}: ${causes.join(", ")}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** The rules broken, the most frequent first. */
function countRules({ judged }: Course): [Rule, number][] {
  const counts = new Map<Rule, number>();
  for (const rules of judged.flatMap(({ broken }) => broken)) {
    for (const rule of rules) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  }
  return [...counts].sort(([, left], [, right]) => right - left);
}
