// The workload `replicas`: the replicated store of examples/ under reads as fast as it answers, by
// number of readers and by the bound of their staleness. Enters: a plan. Leaves: cells.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cell, Metric } from "../results.ts";
import { quantile, sort } from "../statistics/quantile.ts";
import { deriveSeed } from "../statistics/random.ts";
import { summarize } from "../statistics/summary.ts";
import { cpuNsOf, Peer } from "./peers.ts";
import type { StoreLoadResult, StoreLoadSettings } from "./store-load.ts";

export type ReplicasMetric =
  | "readsPerSecond"
  /** For how long there had been a newer version, ms, over answers. */
  | "stalenessP50"
  | "stalenessP99"
  | "stalenessMax"
  /** CPU a read, µs: of the broker, and of all readers together. */
  | "brokerCpuPerRead"
  | "readerCpuPerRead"
  /** How often readers loaded the store though questions waited, because of the bound. */
  | "forcedReloadsPerSecond";

export interface ReplicasCell extends Omit<Cell, "metrics"> {
  readonly workload: "replicas";
  readonly metrics: Partial<Record<ReplicasMetric, Metric>>;
  readonly facts: { readonly readers: number; readonly staleMs: number | null };
}

/** A row: null is a store without a bound. */
export interface ReplicasScale {
  readonly readers: number;
  readonly staleMs: number | null;
}

export interface ReplicasPlan
  extends Pick<StoreLoadSettings, "inFlight" | "seconds" | "writesPerSecond" | "keys"> {
  readonly scales: readonly ReplicasScale[];
  readonly blocks: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

/** What one block told; CPU is null where the system does not tell. */
interface Block {
  readonly load: StoreLoadResult;
  readonly brokerNs: number | null;
  readonly readersNs: number | null;
  readonly forcedReloads: number;
}

export async function measureReplicas(plan: ReplicasPlan): Promise<ReplicasCell[]> {
  const courses = plan.scales.map((scale) => ({
    scale,
    blocks: [] as Block[],
    failure: null as string | null,
  }));
  for (let block = 0; block < plan.blocks; block++) {
    for (const course of courses) {
      if (plan.signal?.aborted === true || course.failure !== null) continue;
      plan.onProgress?.(`replicas ${block + 1}/${plan.blocks} ${nameOf(course.scale)}`);
      try {
        course.blocks.push(await playBlock(plan, course.scale));
      } catch (error) {
        course.failure = error instanceof Error ? error.message : String(error);
      }
    }
  }
  return courses.map(({ scale, blocks, failure }) => cellOf(plan, scale, { blocks, failure }));
}

interface StoreEvent {
  readonly event: string;
  readonly role?: string;
  readonly pid?: number;
  readonly reads?: string;
  readonly writes?: string;
  readonly forcedReloads?: number;
}

async function playBlock(plan: ReplicasPlan, { readers, staleMs }: ReplicasScale): Promise<Block> {
  const folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
  const bound = staleMs === null ? "never" : `${staleMs}`;
  const options = ["--readers", `${readers}`, "--stale-ms", bound];
  const store = new Peer("examples/replicated-store", ["serve", folder, ...options]);
  let load: Peer | null = null;
  try {
    const events: StoreEvent[] = [];
    while (events.at(-1)?.event !== "ready") events.push(await store.hear<StoreEvent>());
    const { reads = "", writes = "" } = events.at(-1) ?? {};
    const { inFlight, seconds, writesPerSecond, keys } = plan;
    const settings = { reads, writes, inFlight, seconds, writesPerSecond, keys };
    load = new Peer("bench/delivery/store-load", [JSON.stringify(settings)]);
    await load.hear();
    const pids = (role: string) =>
      events.filter((event) => event.role === role).map(({ pid = 0 }) => pid);
    const before = [cpuOf(pids("broker")), cpuOf(pids("reader"))];
    load.ask({});
    const result = await load.hear<StoreLoadResult>();
    const after = [cpuOf(pids("broker")), cpuOf(pids("reader"))];
    const counters = (await store.stop<StoreEvent>()).filter(
      ({ event }) => event === "reader-counters",
    );
    return {
      load: result,
      brokerNs: difference(before[0], after[0]),
      readersNs: difference(before[1], after[1]),
      forcedReloads: counters.reduce((sum, { forcedReloads = 0 }) => sum + forcedReloads, 0),
    };
  } finally {
    await Promise.all([load?.kill(), store.kill()]);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const rows: readonly [ReplicasMetric, string, (block: Block) => number | null][] = [
  ["readsPerSecond", "1/s", ({ load }) => load.answers / load.seconds],
  ["stalenessP50", "ms", ({ load }) => quantileOf(load.stalenessMs, 0.5)],
  ["stalenessP99", "ms", ({ load }) => quantileOf(load.stalenessMs, 0.99)],
  ["stalenessMax", "ms", ({ load }) => quantileOf(load.stalenessMs, 1)],
  ["brokerCpuPerRead", "us", ({ load, brokerNs }) => perRead(brokerNs, load)],
  ["readerCpuPerRead", "us", ({ load, readersNs }) => perRead(readersNs, load)],
  ["forcedReloadsPerSecond", "1/s", ({ load, forcedReloads }) => forcedReloads / load.seconds],
];

function cellOf(
  plan: ReplicasPlan,
  scale: ReplicasScale,
  { blocks, failure }: { readonly blocks: readonly Block[]; readonly failure: string | null },
): ReplicasCell {
  const measured = failure === null && blocks.length > 0;
  const options = { seed: deriveSeed(plan.seed, "bootstrap") };
  const figures = rows.map(([name, unit, of]) => [
    name,
    summarize(
      unit,
      blocks.map(of).filter((value) => value !== null),
      options,
    ),
  ]);
  return {
    workload: "replicas",
    contender: nameOf(scale),
    connections: plan.inFlight,
    activeConnections: plan.inFlight,
    payloadBytes: 0,
    ratePerSecond: null,
    status: measured ? "ok" : failure === null ? "inconclusive" : "failed",
    reason: measured ? null : (failure ?? "interrupted before its first block"),
    blocks: blocks.length,
    dropped: 0,
    messages: blocks.reduce((sum, { load }) => sum + load.answers, 0),
    mismatches: 0,
    metrics: measured ? Object.fromEntries(figures) : {},
    facts: scale,
  };
}

/** `store:2-readers`, or `store:2-readers-unbounded`. */
function nameOf({ readers, staleMs }: ReplicasScale): string {
  const count = readers === 1 ? "1-reader" : `${readers}-readers`;
  return `store:${count}${staleMs === null ? "-unbounded" : `-${staleMs}ms`}`;
}

function cpuOf(pids: readonly number[]): number | null {
  const each = pids.map(cpuNsOf);
  return each.reduce((sum, ns) => (sum === null || ns === null ? null : sum + ns), 0);
}

function difference(before: number | null | undefined, after: number | null | undefined) {
  return typeof before === "number" && typeof after === "number" ? after - before : null;
}

function perRead(ns: number | null, { answers }: StoreLoadResult): number | null {
  return ns === null || answers === 0 ? null : ns / answers / 1000;
}

function quantileOf(values: readonly number[], q: number): number | null {
  return values.length === 0 ? null : quantile(sort(values), q);
}
