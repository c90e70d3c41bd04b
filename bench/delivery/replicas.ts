// A round of the workload `replicas`: the replicated store of examples/ gets reads as fast as it
// answers them, while a writer changes it at a steady rate; then writes as fast as it answers them.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { missingStore } from "../contenders/missing.ts";
import { accountsOf, stealNs } from "../host/usage.ts";
import type { ProgramFigures } from "../model/metrics.ts";
import { packagePaths } from "../paths.ts";
import type { DeliverySettings } from "../run/delivery-round.ts";
import { quantile, sort } from "../statistics/quantile.ts";
import { Peer } from "./peers.ts";
import { difference, type Played, type Unplayable, windowOf } from "./played.ts";
import type { ReadResult, StoreLoadPhase, StoreLoadSettings, WriteResult } from "./store-load.ts";
import { zeromqRefusal } from "./zeromq.ts";

interface StoreRow {
  /** How old the store of a reader may become while requests wait; null: any age. */
  readonly boundMs: number | null;
  /** Whether clients have an address for reads and one for writes, or one for both. */
  readonly addresses: "one" | "two";
}

const rows: Readonly<Record<string, StoreRow>> = {
  "store:bounded": { boundMs: 100, addresses: "two" },
  "store:unbounded": { boundMs: null, addresses: "two" },
  "store:one-address": { boundMs: 100, addresses: "one" },
};
/** Requests in flight at any time. */
const inFlight = 16;
const writesPerSecond = 20;
/** What a reload has to read. */
const keys = 1000;
const program = "examples/replicated-store";

export async function playReplicas(
  contender: string,
  settings: DeliverySettings,
): Promise<Played | Unplayable> {
  const row = rows[contender];
  if (row === undefined) throw new Error(`${contender} is no store`);
  const unavailable = missingStore(packagePaths()) ?? (await zeromqRefusal());
  if (unavailable !== null) return { unavailable };
  const round = await playRound(settings, row);
  return {
    windows: [round.window],
    figures: figuresOf(round),
    facts: {
      bound: row.boundMs === null ? "none" : `${row.boundMs} ms`,
      addresses: row.addresses,
    },
    messages: round.reads.load.answers + round.writes.load.answers,
    wrong: 0,
    error: null,
  };
}

interface StoreEvent {
  readonly event: string;
  readonly role?: string;
  readonly pid?: number;
  readonly reads?: string;
  readonly writes?: string;
  readonly both?: string;
  readonly forcedReloads?: number;
}

/** A stretch of one kind of request, with the CPU time that it took; null if not available. */
interface MeasuredPhase<T> {
  readonly load: T;
  readonly brokerNs: number | null;
  readonly readersNs: number | null;
  readonly stolenNs: number | null;
}

interface ReplicaRound {
  readonly reads: MeasuredPhase<ReadResult>;
  readonly writes: MeasuredPhase<WriteResult>;
  readonly forcedReloads: number;
  readonly window: Played["windows"][number];
}

async function playRound(settings: DeliverySettings, row: StoreRow): Promise<ReplicaRound> {
  const data = join(settings.folder, "store");
  mkdirSync(data);
  const bound = row.boundMs === null ? "never" : `${row.boundMs}`;
  const options = ["--readers", `${settings.connections}`, "--stale-ms", bound];
  const store = new Peer(program, ["serve", data, ...options]);
  let load: Peer | null = null;
  try {
    const events: StoreEvent[] = [];
    while (events.at(-1)?.event !== "ready") events.push(await store.hear<StoreEvent>());
    const told: StoreLoadSettings = { ...loadOf(settings), ...clientOf(row, events.at(-1)) };
    load = new Peer("bench/delivery/store-load", [JSON.stringify(told)]);
    await load.hear();
    const busyMs = settings.warmupMs + settings.windows * settings.windowMs;
    const reads = await measure<ReadResult>("reads", { load, busyMs }, events);
    const writes = await measure<WriteResult>("writes", { load, busyMs }, events);
    const counters = (await store.stop<StoreEvent>()).filter(
      ({ event }) => event === "reader-counters",
    );
    const forcedReloads = counters.reduce((sum, one) => sum + (one.forcedReloads ?? 0), 0);
    const window = windowOf({
      durationNs: (reads.load.seconds + writes.load.seconds) * 1e9,
      completedMessages: reads.load.answers + writes.load.answers,
      stealNs: sum([reads.stolenNs, writes.stolenNs]),
    });
    return { reads, writes, forcedReloads, window };
  } finally {
    await Promise.all([load?.kill(), store.kill()]);
  }
}

function loadOf({ warmupMs, windows, windowMs }: DeliverySettings) {
  const seconds = (windows * windowMs) / 1000;
  return { inFlight, writesPerSecond, keys, seconds, warmupSeconds: warmupMs / 1000 };
}

/** @param ready what the store says about its addresses */
function clientOf(
  { addresses }: StoreRow,
  { reads = "", writes = "", both = "" }: Partial<StoreEvent> = {},
): Pick<StoreLoadSettings, "reads" | "writes" | "operationFrame"> {
  return addresses === "one"
    ? { reads: both, writes: both, operationFrame: true }
    : { reads, writes, operationFrame: false };
}

async function measure<T>(
  phase: StoreLoadPhase,
  { load, busyMs }: { readonly load: Peer; readonly busyMs: number },
  events: readonly StoreEvent[],
): Promise<MeasuredPhase<T>> {
  const cpuNs = (role: string) =>
    sum(events.filter((one) => one.role === role).map(({ pid = 0 }) => accountsOf(pid)?.cpuNs));
  const look = () => ({ broker: cpuNs("broker"), readers: cpuNs("reader"), stolen: stealNs() });
  const before = look();
  load.ask({ phase });
  const result = await load.hear<T>(busyMs);
  const after = look();
  return {
    load: result,
    brokerNs: difference(before.broker, after.broker),
    readersNs: difference(before.readers, after.readers),
    stolenNs: difference(before.stolen, after.stolen),
  };
}

function figuresOf({ reads, writes, forcedReloads }: ReplicaRound): ProgramFigures {
  const { answers, seconds, secondsInAll, stalenessMs } = reads.load;
  const staleness = (q: number) =>
    stalenessMs.length === 0 ? null : quantile(sort(stalenessMs), q);
  return {
    readsPerSecond: answers / seconds,
    stalenessP50: staleness(0.5),
    stalenessP99: staleness(0.99),
    stalenessMax: staleness(1),
    brokerCpuPerRead: usPerAnswer(reads.brokerNs, answers),
    readerCpuPerRead: usPerAnswer(reads.readersNs, answers),
    forcedReloadsPerSecond: forcedReloads / secondsInAll,
    writesPerSecond: writes.load.answers / writes.load.seconds,
    brokerCpuPerWrite: usPerAnswer(writes.brokerNs, writes.load.answers),
  };
}

function usPerAnswer(ns: number | null, answers: number): number | null {
  return ns === null || answers === 0 ? null : ns / answers / 1000;
}

/** Null if one of them is not available. */
function sum(values: readonly (number | null | undefined)[]): number | null {
  return values.reduce<number | null>(
    (total, value) => (total === null || typeof value !== "number" ? null : total + value),
    0,
  );
}
