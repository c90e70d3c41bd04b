// How a cell ended: one status word, and its cause as a code if it has no plain result.

import type { MetricName } from "../model/metrics.ts";
import type { Cause, GateRule } from "../model/reasons.ts";
import type { Metric, Status } from "../model/results.ts";
import type { Workload } from "../model/workloads/workload.ts";
import type { CommonSpread } from "../statistics/moderated.ts";
import { compare, rankingPower } from "../statistics/ratio.ts";

import type { Course } from "./judge.ts";
import { limits } from "./window-gate.ts";

export interface Circumstances {
  readonly workload: Workload;
  /** The reference's name. */
  readonly reference: string;
  /** False if the reference has no figures at all. */
  readonly comparable: boolean;
  /** How many blocks count. */
  readonly blocks: number;
  readonly saturation: Saturation;
  readonly interrupted: boolean;
  readonly metrics: Partial<Record<MetricName, Metric>>;
  /** The difference that so many blocks rank; null without a ratio. */
  readonly detectableEffect: number | null;
  /** The spread of the log ratios of all contenders; undefined unless they are interleaved. */
  readonly common?: CommonSpread | null | undefined;
}

/** How much of its CPU a server had, and what it made of it. */
export interface Saturation {
  /** The part of its CPU that was its own; 1 for all of it. */
  readonly cpuShare: number;
  /** The part of the whole CPU that it used; null if it is not known. */
  readonly usedShare: number | null;
  /** The part of the time in which its busiest thread ran or was ready to; null if unknown. */
  readonly readyShare: number | null;
}

interface Conclusion {
  readonly status: Status;
  readonly cause: Cause | null;
}

/** Beyond this share of unsteady blocks the figures are those of a warm-up. */
const unsteadyShare = 0.3;
/** A smaller difference does not matter to a choice between two contenders. */
const tieWithin = 1.05;

/** So many blocks give an interrupted cell its figure; their number and spread give its grade. */
const enoughWhenInterrupted = 3;

export function conclude(course: Course, circumstances: Circumstances): Conclusion {
  const { refusal, unavailable, failure } = course;
  if (refusal !== null) return refusal;
  if (unavailable !== null)
    return { status: "unavailable", cause: { code: "said", text: unavailable } };
  if (failure !== null) return { status: "failed", cause: { code: "said", text: failure } };
  const doubt = disturbance(course, circumstances) ?? bound(circumstances);
  return doubt === null ? rank(course, circumstances) : inconclusive(doubt);
}

/** Why the figures are not to be trusted; null if they are. */
function disturbance(course: Course, circumstances: Circumstances): Cause | null {
  const { planned, judged } = course;
  const { blocks, interrupted, workload, metrics } = circumstances;
  if (interrupted && judged.length < Math.min(planned, enoughWhenInterrupted)) {
    return { code: "interrupted", blocks: judged.length, planned };
  }
  if (blocks === 0) return droppedOf(course, circumstances);
  const unsteady = judged.filter(({ round }) => round.steady === false).length;
  if (unsteady > unsteadyShare * planned) {
    return { code: "unsteady", blocks: unsteady, planned };
  }
  const { headline } = workload;
  return metrics[headline]?.median == null ? { code: "not-available", metric: headline } : null;
}

/** Without a saturated server a capacity is a lower bound, by which nothing is ranked. */
function bound({ workload, metrics, saturation }: Circumstances): Cause | null {
  if (!workload.mustFill || isFilled(metrics, saturation)) return null;
  return {
    code: "load-generator-full",
    throughput: metrics.throughput?.median ?? 0,
    serverPercent: metrics.serverCpuPercent?.median ?? 0,
    clientPercent: metrics.clientCpuPercent?.median ?? 0,
    clientFull: !clientHasTime(metrics.clientCpuPercent?.median ?? null),
  };
}

/** Whether the server used up its part of the CPU, or all that other programs left of it. */
export function isSaturated(saturation: Saturation): boolean {
  return usedUp(saturation) || wasReady(saturation);
}

const usedUp = ({ usedShare, cpuShare }: Saturation) =>
  (usedShare ?? 0) >= limits.fullShare * cpuShare;

const wasReady = ({ readyShare }: Saturation) => (readyShare ?? 0) >= limits.fullShare;

/**
 * Whether server and load generator were where a capacity demands them. A server that shares its
 * CPU may have got less than its part, and was saturated if it was always ready to run.
 */
export function isFilled(
  { clientCpuPercent }: Circumstances["metrics"],
  saturation: Saturation,
): boolean {
  const ready = saturation.cpuShare < 1 && wasReady(saturation);
  return (usedUp(saturation) || ready) && clientHasTime(clientCpuPercent?.median ?? null);
}

/** Whether a load generator that used so much of its CPU could have sent more. */
export function clientHasTime(cpuPercent: number | null): boolean {
  return (cpuPercent ?? 100) <= limits.clientShare * 100;
}

function rank(course: Course, circumstances: Circumstances): Conclusion {
  const { reference, comparable, workload, metrics, detectableEffect, common } = circumstances;
  const ok: Conclusion = { status: "ok", cause: null };
  if (course.contender.name === reference || !workload.comparesToReference) return ok;
  if (!comparable) return inconclusive({ code: "no-reference", reference });
  const ratio = metrics.ratioToReference;
  // Where a reference that waits well used no CPU at all there is nothing to divide by.
  if (ratio === undefined || ratio.median === null) return ok;
  if (compare(ratio, common) !== "tie") return ok;
  const { low, high } = ratio;
  if (low !== null && high !== null && low >= 1 / tieWithin && high <= tieWithin) {
    return { status: "tie", cause: null };
  }
  if (detectableEffect === null) return inconclusive({ code: "one-block" });
  return inconclusive({ code: "unresolved", detectableEffect, power: rankingPower });
}

function inconclusive(cause: Cause): Conclusion {
  return { status: "inconclusive", cause };
}

function droppedOf(course: Course, { reference, blocks }: Circumstances): Cause {
  const { planned, judged } = course;
  const ownBlocks = judged.filter(({ data }) => data !== null).length;
  return {
    code: "disturbed",
    blocks: planned - blocks,
    planned,
    rules: countRules(course).map(([rule, windows]) => ({ rule, windows })),
    reference,
    unpaired: Math.max(0, ownBlocks - blocks),
  };
}

/** The rules broken, the most frequent first. */
function countRules({ judged }: Course): [GateRule, number][] {
  const counts = new Map<GateRule, number>();
  for (const rules of judged.flatMap(({ broken }) => broken)) {
    for (const rule of rules) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  }
  return [...counts].sort(([, left], [, right]) => right - left);
}
