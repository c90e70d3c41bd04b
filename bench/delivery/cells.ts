// The workload `event-delivery`: every way in blocks, as cells of results.json with what a table of
// ways needs beside the figures. Enters: which ways, how many blocks. Leaves: cells.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cell, Metric } from "../results.ts";
import { quantile, sort } from "../statistics/quantile.ts";
import { deriveSeed } from "../statistics/random.ts";
import { summarize } from "../statistics/summary.ts";
import { type Block, playBlock, type Scale } from "./scene.ts";
import type { Way } from "./way.ts";
import { ways } from "./ways.ts";

export type DeliveryMetric =
  /** From before the send until the last listener had it, µs. */
  | "lastListenerP50"
  | "lastListenerP99"
  /** CPU an event, µs: of one process that was not waiting, of one that was, of the sender. */
  | "othersCpuPerEvent"
  | "listenerCpuPerEvent"
  | "senderCpuPerEvent"
  /** And what one listener more costs the sender. */
  | "senderCpuPerListener"
  /** Percent of the pairs of an event and a listener; `burst`: sent without a pause. */
  | "lostPercent"
  | "duplicatedPercent"
  | "burstLostPercent"
  | "burstDuplicatedPercent"
  /** To make the place for one event type more, µs. */
  | "microsecondsPerEventType";

/** What a way is, beside what it costs. */
export interface DeliveryFacts {
  readonly known: string;
  readonly bytesReach: string;
  readonly wakesOthers: boolean;
  readonly holds: string;
  /** How many event types were made in the trial, of how many. */
  readonly heldEventTypes: number;
  readonly triedEventTypes: number;
  /** Whether the sender of an event that nobody waits for knew that. */
  readonly knowsNobody: boolean;
}

export interface DeliveryCell extends Omit<Cell, "metrics"> {
  readonly workload: "event-delivery";
  readonly metrics: Partial<Record<DeliveryMetric, Metric>>;
  readonly facts: DeliveryFacts | null;
}

export interface DeliveryPlan extends Scale {
  /** All unless given. */
  readonly ways?: readonly Way[];
  readonly blocks: number;
  readonly seed: number;
  /** Event types to try to hold; a million takes some seconds and as many inodes. */
  readonly eventTypes: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

/** Measures each way. One that fails is a cell with its reason, and the others go on. */
export async function measureDelivery(plan: DeliveryPlan): Promise<DeliveryCell[]> {
  const chosen = plan.ways ?? ways;
  const blocks = new Map<Way, Block[]>(chosen.map((way) => [way, []]));
  const failures = new Map<Way, string>();
  for (let block = 0; block < plan.blocks; block++) {
    for (const way of chosen) {
      if (plan.signal?.aborted === true || failures.has(way)) continue;
      plan.onProgress?.(`event-delivery ${block + 1}/${plan.blocks} ${way.name}`);
      try {
        blocks.get(way)?.push(await playBlock(way, plan));
      } catch (error) {
        failures.set(way, error instanceof Error ? error.message : String(error));
      }
    }
  }
  const cells: DeliveryCell[] = [];
  for (const way of chosen) {
    cells.push(await cellOf(way, plan, [blocks.get(way) ?? [], failures.get(way) ?? null]));
  }
  return cells;
}

async function cellOf(
  way: Way,
  plan: DeliveryPlan,
  [blocks, failure]: [readonly Block[], string | null],
): Promise<DeliveryCell> {
  const measured = failure === null && blocks.length > 0;
  const held = measured ? await holdTypes(way, plan.eventTypes) : null;
  return {
    workload: "event-delivery",
    contender: way.name,
    connections: plan.processes,
    activeConnections: Math.ceil(plan.processes / 2),
    payloadBytes: 0,
    ratePerSecond: 1000 / plan.gapMs,
    status: measured ? "ok" : failure === null ? "inconclusive" : "failed",
    reason: measured ? null : (failure ?? "interrupted before its first block"),
    blocks: blocks.length,
    dropped: 0,
    messages: blocks.reduce((sum, { paced, burst }) => sum + paced.expected + burst.expected, 0),
    mismatches: 0,
    metrics: measured ? metricsOf(blocks, plan, held?.usEach ?? null) : {},
    facts: held === null ? null : factsOf(way, blocks, { plan, held: held.count }),
  };
}

function factsOf(
  way: Way,
  blocks: readonly Block[],
  { plan, held }: { readonly plan: DeliveryPlan; readonly held: number },
): DeliveryFacts {
  const { known, bytesReach, wakesOthers, holds } = way;
  return {
    ...{ known, bytesReach, wakesOthers, holds },
    heldEventTypes: held,
    triedEventTypes: plan.eventTypes,
    knowsNobody: blocks.every(({ nobody }) => nobody === 0),
  };
}

async function holdTypes(way: Way, events: number): Promise<{ count: number; usEach: number }> {
  const folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
  try {
    const from = performance.now();
    const count = await way.hold(folder, events);
    return { count, usEach: ((performance.now() - from) * 1000) / Math.max(count, 1) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const rows: readonly [DeliveryMetric, string, (block: Block) => number | null][] = [
  ["lastListenerP50", "us", ({ paced }) => quantileUs(paced.lastNs, 0.5)],
  ["lastListenerP99", "us", ({ paced }) => quantileUs(paced.lastNs, 0.99)],
  ["othersCpuPerEvent", "us", ({ cpuNs }) => us(cpuNs.other)],
  ["listenerCpuPerEvent", "us", ({ cpuNs }) => us(cpuNs.listener)],
  ["senderCpuPerEvent", "us", ({ cpuNs }) => us(cpuNs.sender)],
  ["senderCpuPerListener", "us", ({ cpuNs }) => us(cpuNs.senderPerListener)],
  ["lostPercent", "percent", ({ paced }) => (100 * paced.lost) / paced.expected],
  ["duplicatedPercent", "percent", ({ paced }) => (100 * paced.duplicated) / paced.expected],
  ["burstLostPercent", "percent", ({ burst }) => (100 * burst.lost) / burst.expected],
  ["burstDuplicatedPercent", "percent", ({ burst }) => (100 * burst.duplicated) / burst.expected],
];

function metricsOf(
  blocks: readonly Block[],
  { seed }: DeliveryPlan,
  usEach: number | null,
): Partial<Record<DeliveryMetric, Metric>> {
  const options = { seed: deriveSeed(seed, "bootstrap") };
  const figures = rows.map(([name, unit, of]) => [
    name,
    summarize(
      unit,
      blocks.map(of).filter((value) => value !== null),
      options,
    ),
  ]);
  const types = summarize("us", usEach === null ? [] : [usEach], options);
  return { ...Object.fromEntries(figures), microsecondsPerEventType: types };
}

function quantileUs(valuesNs: readonly number[], q: number): number | null {
  return valuesNs.length === 0 ? null : quantile(sort(valuesNs), q) / 1000;
}

function us(ns: number | null): number | null {
  return ns === null ? null : ns / 1000;
}
