// The JSON lines that contenders and the load generator print. One schema is the type and the check
// of each; other lines, which foreign servers print, are not events.

import * as s from "./schema.ts";

const count = s.number;
const maybe = s.nullable(s.number);

const calls = {
  waitCalls: count,
  eventsReturned: count,
  recvCalls: count,
  sendCalls: count,
  acceptCalls: count,
  /** Changes of what a set in the kernel watches: epoll_ctl(2). */
  controlCalls: s.optional(count),
  /** Looks at a descriptor on which nothing could be done, by the kernel or by the server. */
  vainLooks: s.optional(count),
  bytesReceived: count,
  bytesSent: count,
  connectionsAccepted: count,
  connectionsClosed: count,
  peakConnections: count,
};

const events = {
  ready: s.record({
    port: count,
    pid: count,
    /** Whether SIGUSR2 makes it print its counters so far. */
    snapshots: s.optional(s.boolean),
  }),
  /** Exact calls over the whole life of a contender of the suite. */
  counters: s.record(calls),
  /** The same so far. */
  snapshot: s.record(calls),
  connected: s.record({
    connections: count,
    elapsedMs: count,
    connectsPerSecond: s.optional(count),
  }),
  /** Peers that never read have taken all that fits: the warm-up begins. */
  filled: s.record({ connections: count, bytesSent: count, ms: count }),
  /** How the warm-up ended; `steady` is null if it was not watched. */
  warmup: s.record({ ms: count, steady: s.nullable(s.boolean) }),
  /** With so many connections open: of the server's process tree, of the whole machine's kernel. */
  memory: s.record({
    connections: count,
    serverPssBytes: maybe,
    clientPssBytes: maybe,
    kernelBytes: maybe,
  }),
  /** One measured slice of a round. What the platform does not report about the server is null. */
  window: s.record({
    index: count,
    durationNs: count,
    intendedMessages: count,
    sentMessages: count,
    completedMessages: count,
    serverCpuNs: maybe,
    serverUserCpuNs: maybe,
    serverSystemCpuNs: maybe,
    serverContextSwitches: maybe,
    serverRunQueueWaitNs: maybe,
    /** What other programs took while a thread of it wanted its CPU: a lower bound. */
    serverTakenNs: s.optional(maybe),
    /** The time in which its busiest thread ran or was ready to run. */
    serverReadyNs: s.optional(maybe),
    /** Without the time spent in spinning, which is `clientSpunNs`. */
    clientCpuNs: count,
    clientSpunNs: s.optional(count),
    /** The sum over all load generators; `clientCpuNs` is that of the busiest one. */
    clientsCpuNs: s.optional(maybe),
    clientRunQueueWaitNs: maybe,
    clientTakenNs: s.optional(maybe),
    sendLagNsP99: maybe,
    stealNs: maybe,
    /** HdrHistograms, base64, nanoseconds: from the intended send time, from the actual one. */
    latency: s.text,
    latencyUncorrected: s.text,
    /** The load generators that limited the load, counted from 1, if there are several. */
    fullAgents: s.optional(s.list(count)),
    /** From the intended send time to when the load generator got to it: its own delay. */
    senderDelay: s.optional(s.text),
    /** The integral over the window of the messages that were sent and not back. */
    inFlightNs: s.optional(maybe),
    /** Due in the window, and not back in the time that was given for it. */
    unansweredMessages: s.optional(count),
    serverVoluntarySwitches: s.optional(maybe),
    serverInvoluntarySwitches: s.optional(maybe),
    /** CPU time by the ticks of the kernel: coarse in one window, right over many. */
    serverUserTickNs: s.optional(maybe),
    serverSystemTickNs: s.optional(maybe),
    /** Messages of the connection that floods. */
    hotCompletedMessages: s.optional(count),
    /** Cycles of a churn that were refused or reset. */
    errors: s.optional(count),
  }),
  /** What a load generator has counted so far, nothing being under way. */
  report: s.record({ totalMessages: count }),
  /** The load generator's last line. */
  result: s.record({
    messages: count,
    totalMessages: count,
    mismatches: count,
    missing: count,
    mismatchDetail: s.nullable(s.text),
    connectionsLost: count,
    error: s.nullable(s.text),
    protocol: s.optional(s.text),
    /** Closed by the server after an answer, or as the options ask for, and opened again. */
    connectionsReopened: s.optional(count),
    /** Faulty answers by kind: wrong, short, late, status, closed, doubled, tls. */
    faults: s.optional(s.mapOf(s.record({ count, first: s.nullable(s.text) }))),
    /** How alike the connections were served that do not flood. */
    fairness: s.optional(
      s.nullable(
        s.record({
          /** Jain's index over the messages of each connection. */
          jain: maybe,
          /** The longest time between two messages of one connection. */
          longestGapNs: maybe,
        }),
      ),
    ),
  }),
  /** What one turn of the readiness workload cost, nanoseconds per call or per event. */
  readiness: s.record({
    waitNs: count,
    eventNs: count,
    registerNs: count,
    modifyNs: count,
    unregisterNs: count,
    eventsPerWait: count,
  }),
  /** What a round of broadcast, event-delivery or replicas reports, in addition to its windows. */
  delivered: s.record({ figures: s.mapOf(maybe), facts: s.mapOf(s.text) }),
  /** A backend that this machine refuses, and why. */
  unavailable: s.record({ reason: s.text }),
};

const eventSchema = s.variants("event", events);
export type Event = s.Infer<typeof eventSchema>;
type EventOf<N extends Event["event"]> = Extract<Event, { readonly event: N }>;

export type Ready = EventOf<"ready">;

/** Exit code if the machine refuses the strategy, as in native/echo_server/main.cc. sysexits(3) */
export const exitUnavailable = 69;
export type Counters = EventOf<"counters">;
export type Snapshot = EventOf<"snapshot">;
export type Filled = EventOf<"filled">;
export type MemoryStage = EventOf<"memory">;
export type Window = EventOf<"window">;
export type LoadResult = EventOf<"result">;
export type ReadinessTurn = EventOf<"readiness">;
export type Delivered = EventOf<"delivered">;
/** @returns null if the line is not JSON, not one of these events, or lacks a field. */
export function parseEvent(line: string): Event | null {
  if (!line.startsWith("{")) return null;
  try {
    const value: unknown = JSON.parse(line);
    return s.satisfies(eventSchema, value) ? value : null;
  } catch {
    return null;
  }
}
