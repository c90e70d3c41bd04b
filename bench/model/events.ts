// What the processes say: the JSON lines of contenders and of the load generator, checked field by
// field. Enters: a line of somebody's standard output. Leaves: typed events; null for whatever is
// not one.

import type { DeliveryMetric } from "./results.ts";

export interface Ready {
  readonly event: "ready";
  readonly port: number;
  readonly pid: number;
}

/** Exact calls over the whole life of a contender of ours. */
export interface Counters {
  readonly event: "counters";
  readonly waitCalls: number;
  readonly eventsReturned: number;
  readonly recvCalls: number;
  readonly sendCalls: number;
  readonly acceptCalls: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly connectionsAccepted: number;
  readonly connectionsClosed: number;
  readonly peakConnections: number;
}

export interface Connected {
  readonly event: "connected";
  readonly connections: number;
  readonly elapsedMs: number;
  readonly connectsPerSecond?: number;
}

/** Peers that never read have taken all that fits: the warm-up begins. */
export interface Filled {
  readonly event: "filled";
  readonly connections: number;
  readonly bytesSent: number;
  readonly ms: number;
}

/** How the warm-up ended. */
export interface Warmup {
  readonly event: "warmup";
  readonly ms: number;
  /** Null where it was not watched. */
  readonly steady: boolean | null;
}

/** What was taken with so many connections open: the server's whole process tree, the kernel. */
export interface MemoryStage {
  readonly event: "memory";
  readonly connections: number;
  readonly serverPssBytes: number | null;
  readonly clientPssBytes: number | null;
  /** Of the whole machine: differences are the reader's. */
  readonly kernelBytes: number | null;
}

/** One measured slice of a round. What the platform does not tell about the server is null. */
export interface Window {
  readonly event: "window";
  readonly index: number;
  readonly durationNs: number;
  readonly intendedMessages: number;
  readonly sentMessages: number;
  readonly completedMessages: number;
  readonly serverCpuNs: number | null;
  readonly serverUserCpuNs: number | null;
  readonly serverSystemCpuNs: number | null;
  readonly serverContextSwitches: number | null;
  readonly serverRunQueueWaitNs: number | null;
  /** What others took while a thread of it wanted its CPU: at least so much. Absent: not told. */
  readonly serverTakenNs?: number | null;
  readonly clientCpuNs: number;
  readonly clientRunQueueWaitNs: number | null;
  readonly clientTakenNs?: number | null;
  readonly sendLagNsP99: number | null;
  readonly stealNs: number | null;
  /** HdrHistograms in base64, nanoseconds: from the intended send time, and from the actual one. */
  readonly latency: string;
  readonly latencyUncorrected: string;
  /** Of the connection that floods. */
  readonly hotCompletedMessages?: number;
  /** Cycles of a churn that were refused or reset. */
  readonly errors?: number;
}

/** The load generator's last line. */
export interface LoadResult {
  readonly event: "result";
  readonly messages: number;
  readonly totalMessages: number;
  readonly mismatches: number;
  readonly missing: number;
  readonly mismatchDetail: string | null;
  readonly connectionsLost: number;
  readonly error: string | null;
  /** How alike the connections were served that do not flood. */
  readonly fairness?: {
    /** Jain's index over the messages of each connection. */
    readonly jain: number | null;
    /** The longest time between two messages of one connection. */
    readonly longestGapNs: number | null;
  } | null;
}

/** What one turn of the readiness workload cost, nanoseconds a call or an event. */
export interface ReadinessTurn {
  readonly event: "readiness";
  readonly waitNs: number;
  readonly eventNs: number;
  readonly registerNs: number;
  readonly modifyNs: number;
  readonly unregisterNs: number;
  readonly eventsPerWait: number;
}

/** What a round of broadcast, event-delivery or replicas told, beside its windows. */
export interface Delivered {
  readonly event: "delivered";
  readonly figures: Readonly<Partial<Record<DeliveryMetric, number | null>>>;
  readonly facts: Readonly<Record<string, string>>;
}

/** A backend that this machine refuses, and why. */
export interface Unavailable {
  readonly event: "unavailable";
  readonly reason: string;
}

export type Event =
  | Ready
  | Counters
  | Connected
  | Filled
  | Warmup
  | MemoryStage
  | Window
  | LoadResult
  | ReadinessTurn
  | Delivered
  | Unavailable;

type Kind =
  | "number"
  | "string"
  | "number or null"
  | "string or null"
  | "boolean or null"
  | "number or absent"
  | "number, null or absent"
  | "object"
  | "object or absent";
type EventShape<E extends Event> = Readonly<Record<Exclude<keyof E, "event">, Kind>>;

const shapes: { readonly [E in Event as E["event"]]: EventShape<E> } = {
  ready: { port: "number", pid: "number" },
  counters: {
    waitCalls: "number",
    eventsReturned: "number",
    recvCalls: "number",
    sendCalls: "number",
    acceptCalls: "number",
    bytesReceived: "number",
    bytesSent: "number",
    connectionsAccepted: "number",
    connectionsClosed: "number",
    peakConnections: "number",
  },
  connected: {
    connections: "number",
    elapsedMs: "number",
    connectsPerSecond: "number or absent",
  },
  filled: { connections: "number", bytesSent: "number", ms: "number" },
  warmup: { ms: "number", steady: "boolean or null" },
  memory: {
    connections: "number",
    serverPssBytes: "number or null",
    clientPssBytes: "number or null",
    kernelBytes: "number or null",
  },
  window: {
    index: "number",
    durationNs: "number",
    intendedMessages: "number",
    sentMessages: "number",
    completedMessages: "number",
    serverCpuNs: "number or null",
    serverUserCpuNs: "number or null",
    serverSystemCpuNs: "number or null",
    serverContextSwitches: "number or null",
    serverRunQueueWaitNs: "number or null",
    serverTakenNs: "number, null or absent",
    clientCpuNs: "number",
    clientRunQueueWaitNs: "number or null",
    clientTakenNs: "number, null or absent",
    sendLagNsP99: "number or null",
    stealNs: "number or null",
    latency: "string",
    latencyUncorrected: "string",
    hotCompletedMessages: "number or absent",
    errors: "number or absent",
  },
  result: {
    messages: "number",
    totalMessages: "number",
    mismatches: "number",
    missing: "number",
    mismatchDetail: "string or null",
    connectionsLost: "number",
    error: "string or null",
    fairness: "object or absent",
  },
  readiness: {
    waitNs: "number",
    eventNs: "number",
    registerNs: "number",
    modifyNs: "number",
    unregisterNs: "number",
    eventsPerWait: "number",
  },
  delivered: { figures: "object", facts: "object" },
  unavailable: { reason: "string" },
};

/**
 * @returns null where the line is not JSON, not one of our events, or lacks a field: foreign
 * servers print things.
 */
export function parseEvent(line: string): Event | null {
  if (!line.startsWith("{")) return null;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  const fields = value as Record<string, unknown>;
  const name = fields["event"];
  if (typeof name !== "string" || !Object.hasOwn(shapes, name)) return null;
  const shape: Readonly<Record<string, Kind>> = shapes[name as Event["event"]];
  const complete = Object.entries(shape).every(([field, kind]) => isOf(kind, fields[field]));
  return complete ? (value as Event) : null;
}

function isOf(kind: Kind, value: unknown): boolean {
  if (value === undefined) return kind.endsWith("or absent");
  if (value === null) return kind.includes("null") || kind === "object or absent";
  const [type = ""] = kind.split(/[ ,]/);
  return typeof value === type && (type !== "number" || Number.isFinite(value));
}
