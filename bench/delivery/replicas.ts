// A round of the workload `replicas`: the replicated store of examples/ under reads as fast as it
// answers, beside a writer at a steady rate.

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
import type { StoreLoadResult, StoreLoadSettings } from "./store-load.ts";
import { zeromqRefusal } from "./zeromq.ts";

/** By contender: how old the store of a reader may become while questions wait; null: any age. */
const boundsMs: Readonly<Record<string, number | null>> = {
  "store:bounded": 100,
  "store:unbounded": null,
};
/** Questions under way at any time. */
const inFlight = 16;
const writesPerSecond = 20;
/** What a reload has to read. */
const keys = 1000;
const program = "examples/replicated-store";

export async function playReplicas(
  contender: string,
  settings: DeliverySettings,
): Promise<Played | Unplayable> {
  const boundMs = boundsMs[contender];
  if (boundMs === undefined) throw new Error(`${contender} is no store`);
  const unavailable = missingStore(packagePaths()) ?? (await zeromqRefusal());
  if (unavailable !== null) return { unavailable };
  const round = await playRound(settings, boundMs);
  return {
    windows: [round.window],
    figures: figuresOf(round),
    facts: { bound: boundMs === null ? "none" : `${boundMs} ms` },
    messages: round.load.answers,
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
  readonly forcedReloads?: number;
}

/** The figures of one round; CPU is null if not available. */
interface ReplicaRound {
  readonly load: StoreLoadResult;
  readonly window: Played["windows"][number];
  readonly brokerNs: number | null;
  readonly readersNs: number | null;
  readonly forcedReloads: number;
}

async function playRound(
  settings: DeliverySettings,
  boundMs: number | null,
): Promise<ReplicaRound> {
  const { folder, connections: readers, warmupMs, windows, windowMs } = settings;
  const data = join(folder, "store");
  mkdirSync(data);
  const bound = boundMs === null ? "never" : `${boundMs}`;
  const store = new Peer(program, ["serve", data, "--readers", `${readers}`, "--stale-ms", bound]);
  let load: Peer | null = null;
  try {
    const events: StoreEvent[] = [];
    while (events.at(-1)?.event !== "ready") events.push(await store.hear<StoreEvent>());
    const { reads = "", writes = "" } = events.at(-1) ?? {};
    const seconds = (windows * windowMs) / 1000;
    const told: StoreLoadSettings = {
      ...{ reads, writes, inFlight, seconds, writesPerSecond, keys },
      warmupSeconds: warmupMs / 1000,
    };
    load = new Peer("bench/delivery/store-load", [JSON.stringify(told)]);
    await load.hear();
    const measured = await measureLoad(load, events);
    const counters = (await store.stop<StoreEvent>()).filter(
      ({ event }) => event === "reader-counters",
    );
    const forcedReloads = counters.reduce((sum, one) => sum + (one.forcedReloads ?? 0), 0);
    return { ...measured, forcedReloads };
  } finally {
    await Promise.all([load?.kill(), store.kill()]);
  }
}

async function measureLoad(load: Peer, events: readonly StoreEvent[]) {
  const cpuNs = (role: string) =>
    sum(events.filter((one) => one.role === role).map(({ pid = 0 }) => accountsOf(pid)?.cpuNs));
  const look = () => ({ broker: cpuNs("broker"), readers: cpuNs("reader"), stolen: stealNs() });
  const before = look();
  load.ask({});
  const result = await load.hear<StoreLoadResult>();
  const after = look();
  return {
    load: result,
    brokerNs: difference(before.broker, after.broker),
    readersNs: difference(before.readers, after.readers),
    window: windowOf({
      durationNs: result.seconds * 1e9,
      completedMessages: result.answers,
      stealNs: difference(before.stolen, after.stolen),
    }),
  };
}

function figuresOf({ load, brokerNs, readersNs, forcedReloads }: ReplicaRound): ProgramFigures {
  const { answers, seconds, secondsInAll, stalenessMs } = load;
  const perRead = (ns: number | null) =>
    ns === null || answers === 0 ? null : ns / answers / 1000;
  const staleness = (q: number) =>
    stalenessMs.length === 0 ? null : quantile(sort(stalenessMs), q);
  return {
    readsPerSecond: answers / seconds,
    stalenessP50: staleness(0.5),
    stalenessP99: staleness(0.99),
    stalenessMax: staleness(1),
    brokerCpuPerRead: perRead(brokerNs),
    readerCpuPerRead: perRead(readersNs),
    forcedReloadsPerSecond: forcedReloads / secondsInAll,
  };
}

/** Null as soon as one is not told. */
function sum(values: readonly (number | undefined)[]): number | null {
  return values.reduce<number | null>(
    (total, value) => (total === null || value === undefined ? null : total + value),
    0,
  );
}
