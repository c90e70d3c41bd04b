// What a workload is: a load pattern with the question that it answers, its metrics, and the rule
// by which its windows count. Given a scale, it returns the loads of a round, which bench/run turns
// into arguments of the load generator.

import type { MetricName } from "../metrics.ts";
import type { GateRule } from "../reasons.ts";

/** The size of one cell. */
export interface LoadScale {
  readonly connections: number;
  readonly payloadBytes: number;
  /** Messages per second over all connections; null if the workload has no rate of its own. */
  readonly ratePerSecond: number | null;
}

/** One round's demand on the load generator, its timing apart. */
export type Load =
  | OpenLoad
  | ClosedLoad
  | ShareLoad
  | IdleLoad
  | ChurnLoad
  | MemoryLoad
  | ReadinessLoad
  | DeliveryLoad;

interface ConnectedLoad {
  /** The most that are open at once. */
  readonly connections: number;
  /** How many of the connections carry messages. */
  readonly activeConnections: number;
  readonly payloadBytes: number;
  /** Connections that are sent to and never read from; default: none. */
  readonly slowReaders?: number;
  /** Messages that one further connection keeps under way, in a closed loop of its own. */
  readonly hotInFlight?: number;
  /** Messages for which the server blocks, which have no part in the latencies. */
  readonly blocking?: BlockingLoad;
}

/** A message blocks if its first byte is below `below`: `below` of 256 messages. */
export interface BlockingLoad {
  readonly ms: number;
  readonly below: number;
}

/** Messages are due on a schedule, whether or not earlier ones are back. */
export interface OpenLoad extends ConnectedLoad {
  readonly mode: "open";
  readonly ratePerSecond: number;
  readonly schedule: "poisson" | "fixed";
}

/** A message is sent when another one is back. */
export interface ClosedLoad extends ConnectedLoad {
  readonly mode: "closed";
  /** Messages under way over all connections. */
  readonly inFlight: number;
  /** Messages under way on one connection at most; default: no limit. */
  readonly depth?: number;
}

/** As an open load, at a part of what the server carries: a pilot finds that out in each round. */
export interface ShareLoad extends ConnectedLoad {
  readonly mode: "share";
  /** The load in per cent of the capacity of this server. */
  readonly capacityPercent: number;
  /** Messages under way during the pilot. */
  readonly inFlight: number;
}

/** Every connection is opened, greeted and then silent. */
interface IdleLoad extends ConnectedLoad {
  readonly mode: "idle";
}

/** Slots that connect, perhaps echo, reset the connection and begin again. */
interface ChurnLoad extends ConnectedLoad {
  readonly mode: "churn";
  readonly inFlight: number;
  readonly echo: boolean;
}

/** Connects up to each count in turn; memory is looked at when each is reached. */
interface MemoryLoad extends ConnectedLoad {
  readonly mode: "memory";
  /** Ascending; the last is `connections`. */
  readonly stages: readonly number[];
}

/** No server and no load generator: one process waits on socket pairs of its own. */
export interface ReadinessLoad extends ConnectedLoad {
  readonly mode: "readiness";
  /** Events handled, each of which makes the next pair ready, in one measured turn. */
  readonly writes: number;
}

/**
 * One event, many receivers: the contender's program starts all the processes that there are, and
 * tells what it saw of them. `connections` are members, processes or readers.
 */
export interface DeliveryLoad extends ConnectedLoad {
  readonly mode: "delivery";
  /** Null: as fast as it is answered. */
  readonly ratePerSecond: number | null;
}

/** How a workload loads its server: one chart holds figures of one regime only. */
type Regime =
  | "matched-rate"
  | "own-rate"
  | "capacity"
  | "idle"
  | "memory"
  | "churn"
  | "scale"
  | "readiness"
  | "delivery";

/** One of the loads of a workload at a scale. */
export interface Variation {
  /** Null if the scale says it all. */
  readonly variant: string | null;
  readonly load: Load;
}

export interface Workload {
  readonly name: string;
  /** The question that it answers, as one phrase. */
  readonly answers: string;
  /** As a heading, and what it shows in one or two sentences. */
  readonly title: string;
  readonly lead: string;
  /** What its `connections` are, one and several, if not connections. */
  readonly counted?: readonly [one: string, several: string];
  /** What its `messages` are, if their bytes were not checked. */
  readonly unit?: string;
  /** Whether its messages are counted only: none of them is known to be right. */
  readonly unchecked?: boolean;
  /** How many of its connections are active, in words; "27 active" if absent. */
  readonly activeText?: (count: string) => string;
  /** What its rate counts; messages if absent. */
  readonly rateUnit?: string;
  /** What its charts show, the most telling first. */
  readonly charts: readonly MetricName[];
  /** Whether the table of all its figures and facts is what it is about. */
  readonly whole?: boolean;
  readonly regime: Regime;
  /** What it is about: the metric that contenders are compared by. */
  readonly headline: MetricName;
  /** Everything else that a cell of it has. */
  readonly metrics: readonly MetricName[];
  /** A window that breaks one of them is discarded. */
  readonly rules: readonly GateRule[];
  /**
   * Whether a server that does not fill its CPU, or a load generator that does, makes the figure
   * a lower bound; default: false.
   */
  readonly mustFill?: boolean;
  /** The variant that the others are compared with in the same block, and by which metric. */
  readonly baseline?: { readonly variant: string; readonly metric: MetricName };
  /** Whether the memory of server, load generator and kernel is looked at; default: false. */
  readonly samplesMemory?: boolean;
  /** Whether a ratio to the reference is made of the headline; default: false. */
  readonly comparesToReference?: boolean;
  /** What is measured at one scale; all of it runs in the same blocks. */
  readonly loads: (scale: LoadScale) => readonly Variation[];
}

/** The length of a message unless an option sets it. */
export const usualPayloadBytes = 64;

/** What every load that sends messages has in addition to its headline. */
const echoMetrics = [
  "serverCpuPerMessage",
  "serverCpuPercent",
  "serverUserCpuPercent",
  "throughput",
  "serverUserCpuPerMessage",
  "serverSystemCpuPerMessage",
  "contextSwitchesPerMessage",
  "voluntarySwitchesPerMessage",
  "involuntarySwitchesPerMessage",
  "clientCpuPerMessage",
  "clientCpuPercent",
  "systemCallsPerMessage",
  "waitCallsPerMessage",
  "receiveCallsPerMessage",
  "sendCallsPerMessage",
  "controlCallsPerMessage",
  "vainLooksPerMessage",
  "eventsPerWait",
  "messagesInFlight",
  "latencyP50",
  "latencyP90",
  "latencyP99",
  "latencyP999",
  "latencyP9999",
] as const satisfies readonly MetricName[];

/** Latencies from the moment of sending, and what the load generator itself was late. */
const uncorrectedMetrics = [
  "latencyP50Uncorrected",
  "latencyP90Uncorrected",
  "latencyP99Uncorrected",
  "latencyP999Uncorrected",
  "latencyP9999Uncorrected",
  "senderDelayP50",
  "senderDelayP99",
  "senderDelayP999",
] as const satisfies readonly MetricName[];

/** Noise of the machine, whatever the load. */
export const machineRules = [
  "server-waited",
  "client-waited",
  "stolen",
] as const satisfies readonly GateRule[];

/** A load with a schedule must also keep to it. */
const scheduleRules = [...machineRules, "rate", "late"] as const satisfies readonly GateRule[];

/** For workloads that send every server the same messages at the same times. */
export const matchedRate = {
  regime: "matched-rate",
  metrics: [...echoMetrics, ...uncorrectedMetrics],
  rules: scheduleRules,
} as const;

/** For workloads whose answers trigger the next messages. */
export const closedLoop = {
  regime: "capacity",
  metrics: echoMetrics,
  rules: machineRules,
  comparesToReference: true,
} as const;

/** What is measured at a scale if it is one load. */
export function only(load: Load): Variation[] {
  return [{ variant: null, load }];
}

/** Every connection carries messages. */
export function everyConnection({ connections, payloadBytes }: LoadScale) {
  return { connections, activeConnections: connections, payloadBytes };
}

/** Messages on every connection at random times, at the rate of the scale. */
export function openLoad(scale: LoadScale, workload: string): OpenLoad {
  const ratePerSecond = rateOf(scale, workload);
  return { mode: "open", ...everyConnection(scale), ratePerSecond, schedule: "poisson" };
}

/** On every connection; how many messages are in flight. */
export function closedLoad(
  scale: LoadScale,
  inFlight: Pick<ClosedLoad, "inFlight" | "depth">,
): ClosedLoad {
  return { mode: "closed", ...everyConnection(scale), ...inFlight };
}

/** @param ratePerSecond null: as fast as it is answered. */
export function deliveryLoad(scale: LoadScale, ratePerSecond: number | null): DeliveryLoad {
  return { mode: "delivery", ...everyConnection(scale), ratePerSecond };
}

/** @throws {Error} where a profile forgot the rate: a fault of its data. */
export function rateOf({ ratePerSecond }: LoadScale, workload: string): number {
  if (ratePerSecond === null) throw new Error(`${workload} needs a rate`);
  return ratePerSecond;
}
