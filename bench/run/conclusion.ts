// How a cell ended: one status word, and the reason in words wherever it is not a plain result.
// Pure. Enters: a contender's judged rounds, the number of blocks that count, its figures. Leaves:
// to cells.ts.

import type { Metric, MetricName, Status } from "../model/results.ts";
import { compare } from "../statistics/ratio.ts";
import type { GateRule, Workload } from "../workloads/workload.ts";
import type { Course } from "./judge.ts";
import { limits, ruleWords } from "./window-gate.ts";

export interface Circumstances {
  readonly workload: Workload;
  /** The reference's name. */
  readonly reference: string;
  /** False where the reference has no figures at all. */
  readonly comparable: boolean;
  /** How many blocks count. */
  readonly blocks: number;
  readonly interrupted: boolean;
  readonly metrics: Partial<Record<MetricName, Metric>>;
  /** What so many blocks tell from noise; null without a ratio. */
  readonly detectableEffect: number | null;
}

export interface Conclusion {
  readonly status: Status;
  readonly reason: string | null;
}

/** Beyond this share of dropped blocks what is left was picked by the noise. */
const droppedShare = 0.3;

export function conclude(course: Course, circumstances: Circumstances): Conclusion {
  const { refusal, unavailable, failure } = course;
  if (refusal !== null) return refusal;
  if (unavailable !== null) return { status: "unavailable", reason: unavailable };
  if (failure !== null) return { status: "failed", reason: failure };
  const doubt = disturbance(course, circumstances) ?? bound(circumstances);
  return doubt === null ? rank(course, circumstances) : inconclusive(doubt);
}

/** Why the figures are not to be trusted; null where they are. */
function disturbance(course: Course, circumstances: Circumstances): string | null {
  const { planned, judged } = course;
  const { blocks, interrupted, workload, metrics } = circumstances;
  if (interrupted && judged.length < planned) {
    return `interrupted after ${judged.length} of ${planned} blocks`;
  }
  if (planned - blocks > droppedShare * planned) return describeDropped(course, circumstances);
  const unsteady = judged.filter(({ round }) => round.steady === false).length;
  if (unsteady > droppedShare * planned) {
    return `no steady state at the end of the warm-up in ${unsteady} of ${planned} blocks`;
  }
  const told = metrics[workload.headline]?.median ?? null;
  return told === null ? `this platform does not tell ${workload.headline}` : null;
}

/**
 * A capacity is one only where the server's CPU was full and the load generator's was not; else the
 * figure is a lower bound, in words, and nothing is ranked by it.
 */
function bound({ workload, metrics }: Circumstances): string | null {
  if (!workload.mustFill || isFilled(metrics)) return null;
  const rate = Math.round(metrics.throughput?.median ?? 0).toLocaleString("en-US");
  const [server, client] = [metrics.serverCpuPercent, metrics.clientCpuPercent].map((metric) =>
    Math.round(metric?.median ?? 0),
  );
  return (
    `at least ${rate} messages/s, limited by the client: ` +
    `the server used ${server} % of its CPU, the load generator ${client} %`
  );
}

/** Whether server and load generator were where a capacity demands them. */
export function isFilled({
  serverCpuPercent,
  clientCpuPercent,
}: Circumstances["metrics"]): boolean {
  return (
    (serverCpuPercent?.median ?? 0) >= limits.fullShare * 100 &&
    (clientCpuPercent?.median ?? 100) <= limits.clientShare * 100
  );
}

function rank(course: Course, circumstances: Circumstances): Conclusion {
  const { reference, comparable, workload, metrics, detectableEffect } = circumstances;
  const ok: Conclusion = { status: "ok", reason: null };
  if (course.contender === reference || !workload.comparesToReference) return ok;
  if (!comparable) return inconclusive(`no ratio: ${reference} has no figures`);
  const ratio = metrics.ratioToReference;
  // Where a reference that waits well used no CPU at all there is nothing to divide by.
  if (ratio === undefined || ratio.median === null) return ok;
  if (compare(ratio) !== "tie") return ok;
  if (course.enough || detectableEffect === null) return { status: "tie", reason: null };
  const percent = (detectableEffect * 100).toFixed(detectableEffect < 0.1 ? 1 : 0);
  return inconclusive(`too noisy for a tie; detectable effect ${percent} %`);
}

function inconclusive(reason: string): Conclusion {
  return { status: "inconclusive", reason };
}

/** "4 of 6 blocks dropped: messages left late (9 windows), the server waited for its CPU (2)". */
function describeDropped(course: Course, { reference, blocks }: Circumstances): string {
  const dropped = `${course.planned - blocks} of ${course.planned} blocks dropped`;
  const causes = countRules(course).map(
    ([rule, windows], index) =>
      `${ruleWords[rule]} (${index === 0 ? count(windows, "window") : windows})`,
  );
  const ownBlocks = course.judged.filter(({ data }) => data !== null).length;
  const unpaired = ownBlocks - blocks;
  if (unpaired > 0) causes.push(`${reference} was disturbed (${count(unpaired, "block")})`);
  return causes.length === 0 ? dropped : `${dropped}: ${causes.join(", ")}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** The rules broken, the most frequent first. */
function countRules({ judged }: Course): [GateRule, number][] {
  const counts = new Map<GateRule, number>();
  for (const rules of judged.flatMap(({ broken }) => broken)) {
    for (const rule of rules) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  }
  return [...counts].sort(([, left], [, right]) => right - left);
}
