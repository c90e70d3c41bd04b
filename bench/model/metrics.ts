// Every metric of the suite, one row each: its unit, direction and words, how a block's windows
// sum to it, and the margins of the gate. A name that is not here does not compile anywhere.

import type { MemoryStage, ReadinessTurn, Window } from "./events.ts";

/** Fields of a type that hold numbers, or null if the platform gives none. */
type NumbersOf<T> = { [F in keyof T]-?: NonNullable<T[F]> extends number ? F : never }[keyof T];

/** Where a block's figure comes from. Times are in nanoseconds until a metric has them in "us". */
export type Sum =
  /** The sum of a field over the windows, per message, per second, or as a share of their time. */
  | {
      readonly of: "windows";
      readonly field: NumbersOf<Window>;
      readonly per: "message" | "second" | "cpu-second" | "duration";
    }
  /**
   * A quantile of the latencies, counted from when messages were due or from when they left; or of
   * the time between the two that the load generator itself was late.
   */
  | { readonly of: "latency"; readonly quantile: number; readonly from: "due" | "sent" | "delay" }
  /** Messages that were sent and not back, on average over the windows. */
  | { readonly of: "in-flight" }
  /** Per message, by the server's own account while it was under load. */
  | { readonly of: "calls"; readonly field: CallField }
  | { readonly of: "switches"; readonly kinds: readonly ("voluntary" | "involuntary")[] }
  /** CPU time in one mode per message, over all blocks: the kernel samples the modes. */
  | { readonly of: "mode"; readonly mode: "user" | "system" }
  | { readonly of: "turn"; readonly field: NumbersOf<ReadinessTurn> }
  /** Memory with all connections open, or what a connection adds to it. */
  | {
      readonly of: "memory";
      readonly stage: NumbersOf<MemoryStage>;
      readonly sample: "serverBytes" | "clientBytes" | "kernelBytes";
      readonly per: "connection" | "run" | "growth";
    }
  | { readonly of: "fairness"; readonly field: "jain" | "longestGapNs" }
  /** Counted by our servers themselves, or by the run. */
  | { readonly of: "events-per-wait" | "accepts" }
  /** Reported by the program of a round, in the metric's unit. */
  | { readonly of: "program" }
  /** A ratio of two blocks; or another metric that is known only as a lower bound. */
  | { readonly of: "pairs" | "bound" };

/** What servers count, and `all`: every call. */
export type CallField =
  | "all"
  | "waitCalls"
  | "recvCalls"
  | "sendCalls"
  | "controlCalls"
  | "vainLooks";

/** What the gate makes of a metric. */
export interface GateMargins {
  readonly title: string;
  /** Whether it gates without being asked to. */
  readonly gates: boolean;
  /** A ratio whose interval does not lie beyond 1 + margin is no regression; 0.02 is 2 %. */
  readonly margin: number;
  /** The same between two saved runs, which were not interleaved. */
  readonly marginApart: number;
  /** The smallest effect that a run has to resolve. */
  readonly wanted: number;
}

export interface MetricRow {
  /** "us" (microseconds), "ms", "percent" (of one core), "ratio", "bytes", "1/s", or the things. */
  readonly unit: string;
  /** As a heading. */
  readonly title: string;
  readonly sum: Sum;
  readonly better?: "more";
  /** Of a chart; otherwise that of the unit. */
  readonly axis?: "log" | "linear";
  /** The metric that stands for this one if only a lower bound is known. */
  readonly bound?: string;
  readonly gate?: GateMargins;
}

const windows = (field: NumbersOf<Window>, per: "message" | "second" | "cpu-second" | "duration") =>
  ({ of: "windows", field, per }) as const;
const calls = (field: CallField) => ({ of: "calls", field }) as const;
const latency = (quantile: number, from: "due" | "sent" | "delay" = "due") =>
  ({ of: "latency", quantile, from }) as const;
const turn = (field: NumbersOf<ReadinessTurn>) => ({ of: "turn", field }) as const;
const server = { of: "memory", stage: "serverPssBytes", sample: "serverBytes" } as const;
const client = { of: "memory", stage: "clientPssBytes", sample: "clientBytes" } as const;
const kernel = { of: "memory", stage: "kernelBytes", sample: "kernelBytes" } as const;
const program = { of: "program" } as const;
const pairs = { of: "pairs" } as const;

const atMost2Percent = { margin: 0.02, marginApart: 0.05, wanted: 0.05 } as const;
const atMost1Percent = { margin: 0.01, marginApart: 0.01, wanted: 0.05 } as const;
const atMost5Percent = { margin: 0.05, marginApart: 0.05, wanted: 0.1 } as const;
const atMost10Percent = { margin: 0.1, marginApart: 0.1, wanted: 0.2 } as const;

export const metrics = {
  serverCpuPerMessage: {
    unit: "us",
    title: "server CPU per message",
    sum: windows("serverCpuNs", "message"),
    gate: { title: "CPU per message", gates: true, ...atMost2Percent },
  },
  // Of the cell's headline metric, in the same block.
  ratioToReference: { unit: "ratio", title: "ratio to the reference", sum: pairs },
  // Of the same contender's figure in the workload's baseline variant, in the same block.
  ratioToBaseline: { unit: "ratio", title: "ratio to its own baseline", sum: pairs },
  serverCpuPercent: {
    unit: "percent",
    title: "server CPU, % of a core",
    sum: windows("serverCpuNs", "duration"),
  },
  serverUserCpuPercent: {
    unit: "percent",
    title: "server CPU in user mode, % of a core",
    sum: windows("serverUserCpuNs", "duration"),
  },
  userBytesPerConnection: {
    unit: "bytes",
    title: "user memory per connection",
    sum: { ...server, per: "connection" },
    // Heaps grow in steps: gating on it unasked would leave most runs unresolved.
    gate: { title: "bytes per connection", gates: false, ...atMost5Percent },
  },
  clientBytesPerConnection: {
    unit: "bytes",
    title: "load generator's memory per connection",
    sum: { ...client, per: "connection" },
  },
  // Of both ends if both are on this machine.
  kernelBytesPerConnection: {
    unit: "bytes",
    title: "kernel memory per connection",
    sum: { ...kernel, per: "connection" },
  },
  serverMemory: { unit: "bytes", title: "server memory", sum: { ...server, per: "run" } },
  clientMemory: { unit: "bytes", title: "load generator's memory", sum: { ...client, per: "run" } },
  kernelMemory: { unit: "bytes", title: "kernel memory", sum: { ...kernel, per: "growth" } },
  systemCallsPerMessage: {
    unit: "1",
    title: "system calls per message",
    sum: calls("all"),
    // Depends on the messages that each wait finds, and so on the speed of both ends.
    gate: { title: "system calls per message under load", gates: false, ...atMost1Percent },
  },
  contextSwitchesPerMessage: {
    unit: "1",
    title: "context switches per message",
    sum: { of: "switches", kinds: ["voluntary", "involuntary"] },
  },
  // The server waited: it had nothing to do.
  voluntarySwitchesPerMessage: {
    unit: "1",
    title: "voluntary context switches per message",
    sum: { of: "switches", kinds: ["voluntary"] },
  },
  // The scheduler took the CPU from it.
  involuntarySwitchesPerMessage: {
    unit: "1",
    title: "involuntary context switches per message",
    sum: { of: "switches", kinds: ["involuntary"] },
  },
  waitCallsPerMessage: { unit: "1", title: "waits per message", sum: calls("waitCalls") },
  receiveCallsPerMessage: { unit: "1", title: "receives per message", sum: calls("recvCalls") },
  sendCallsPerMessage: { unit: "1", title: "sends per message", sum: calls("sendCalls") },
  controlCallsPerMessage: {
    unit: "1",
    title: "changes of the watched set (epoll_ctl) per message",
    sum: calls("controlCalls"),
  },
  // By the kernel in select(2) and poll(2), by the server in a recv(2) that finds nothing.
  vainLooksPerMessage: {
    unit: "1",
    title: "descriptors checked without result per message",
    sum: calls("vainLooks"),
  },
  serverUserCpuPerMessage: {
    unit: "us",
    title: "server CPU in user mode per message",
    sum: { of: "mode", mode: "user" },
  },
  serverSystemCpuPerMessage: {
    unit: "us",
    title: "server CPU in the kernel per message",
    sum: { of: "mode", mode: "system" },
  },
  // Little's law: throughput times the mean latency from send.
  messagesInFlight: { unit: "1", title: "messages in flight", sum: { of: "in-flight" } },
  eventsPerWait: {
    unit: "1",
    title: "events per wait",
    sum: { of: "events-per-wait" },
    better: "more",
  },
  clientCpuPerMessage: {
    unit: "us",
    title: "client CPU per message",
    sum: windows("clientCpuNs", "message"),
  },
  clientCpuPercent: {
    unit: "percent",
    title: "client CPU, % of a core",
    sum: windows("clientCpuNs", "duration"),
  },
  latencyP50: {
    unit: "us",
    title: "p50",
    sum: latency(0.5),
    gate: { title: "p50 latency", gates: false, ...atMost10Percent },
  },
  latencyP90: { unit: "us", title: "p90", sum: latency(0.9) },
  latencyP99: {
    unit: "us",
    title: "p99",
    sum: latency(0.99),
    gate: { title: "p99 latency", gates: false, ...atMost10Percent },
  },
  latencyP999: { unit: "us", title: "p99.9", sum: latency(0.999) },
  latencyP9999: { unit: "us", title: "p99.99", sum: latency(0.9999) },
  latencyP50Uncorrected: { unit: "us", title: "p50 uncorrected", sum: latency(0.5, "sent") },
  latencyP90Uncorrected: { unit: "us", title: "p90 uncorrected", sum: latency(0.9, "sent") },
  latencyP99Uncorrected: { unit: "us", title: "p99 uncorrected", sum: latency(0.99, "sent") },
  latencyP999Uncorrected: { unit: "us", title: "p99.9 uncorrected", sum: latency(0.999, "sent") },
  latencyP9999Uncorrected: {
    unit: "us",
    title: "p99.99 uncorrected",
    sum: latency(0.9999, "sent"),
  },
  // The load generator's own: from when a message was due until it was its turn.
  senderDelayP50: { unit: "us", title: "sender delay, p50", sum: latency(0.5, "delay") },
  senderDelayP99: { unit: "us", title: "sender delay, p99", sum: latency(0.99, "delay") },
  senderDelayP999: { unit: "us", title: "sender delay, p99.9", sum: latency(0.999, "delay") },
  throughput: {
    unit: "1/s",
    title: "messages per second",
    sum: windows("completedMessages", "second"),
    better: "more",
    bound: "throughputAtLeast",
    gate: { title: "throughput", gates: false, ...atMost5Percent },
  },
  throughputAtLeast: {
    unit: "1/s",
    title: "messages per second, at least",
    sum: { of: "bound" },
    better: "more",
  },
  // At saturation, of the server's CPU time: what one CPU carries.
  messagesPerCpuSecond: {
    unit: "1/s",
    title: "messages per CPU second",
    sum: windows("completedMessages", "cpu-second"),
    better: "more",
    bound: "throughputAtLeast",
  },
  hotThroughput: {
    unit: "1/s",
    title: "messages per second of the hot connection",
    sum: windows("hotCompletedMessages", "second"),
    better: "more",
  },
  idleCpuPercent: {
    unit: "percent",
    title: "CPU while idle, % of a core",
    sum: windows("serverCpuNs", "duration"),
    axis: "log",
  },
  idleWakeupsPerSecond: {
    unit: "1/s",
    title: "wake-ups per second while idle",
    sum: windows("serverContextSwitches", "second"),
  },
  acceptsPerSecond: {
    unit: "1/s",
    title: "connections accepted per second",
    sum: { of: "accepts" },
    better: "more",
  },
  // The "message" of a churn is a whole cycle from connect to close.
  serverCpuPerConnection: {
    unit: "us",
    title: "server CPU per connection",
    sum: windows("serverCpuNs", "message"),
  },
  fairnessJain: {
    unit: "1",
    title: "Jain's fairness index",
    sum: { of: "fairness", field: "jain" },
    better: "more",
    axis: "linear",
  },
  longestGap: {
    unit: "us",
    title: "longest gap between two messages of a connection",
    sum: { of: "fairness", field: "longestGapNs" },
  },
  waitCost: { unit: "us", title: "cost of a wait", sum: turn("waitNs") },
  eventCost: { unit: "us", title: "cost of an event", sum: turn("eventNs") },
  registerCost: { unit: "us", title: "cost of a register", sum: turn("registerNs") },
  modifyCost: { unit: "us", title: "cost of a modify", sum: turn("modifyNs") },
  unregisterCost: { unit: "us", title: "cost of an unregister", sum: turn("unregisterNs") },
  serverCpuPerDelivery: {
    unit: "us",
    title: "server CPU per delivery",
    sum: windows("serverCpuNs", "message"),
  },
  deliveriesPerSecond: {
    unit: "1/s",
    title: "deliveries per second",
    sum: windows("completedMessages", "second"),
    better: "more",
  },
  // From when a message was due until the last member had it.
  lastReceiverP50: { unit: "us", title: "last receiver, p50", sum: latency(0.5) },
  lastReceiverP99: { unit: "us", title: "last receiver, p99", sum: latency(0.99) },
  // From before the send until the last process that waited for the event had it.
  lastListenerP50: { unit: "us", title: "last listener, p50", sum: program },
  lastListenerP99: { unit: "us", title: "last listener, p99", sum: program },
  // Of one process that did not wait for the event, of one that did, and of the sender.
  othersCpuPerEvent: { unit: "us", title: "CPU of a process that does not wait", sum: program },
  listenerCpuPerEvent: { unit: "us", title: "CPU of a listener", sum: program },
  senderCpuPerEvent: { unit: "us", title: "CPU of the sender", sum: program },
  senderCpuPerListener: { unit: "us", title: "cost of an additional listener", sum: program },
  // Of the pairs of an event and a listener; a burst is sent without a pause.
  lostPercent: { unit: "percent", title: "lost", sum: program },
  duplicatedPercent: { unit: "percent", title: "duplicated", sum: program },
  burstLostPercent: { unit: "percent", title: "lost in a burst", sum: program },
  burstDuplicatedPercent: { unit: "percent", title: "duplicated in a burst", sum: program },
  // Places made for event types, out of as many as were tried.
  eventTypesHeld: {
    unit: "event types",
    title: "event types made",
    sum: program,
    better: "more",
  },
  eventTypeCost: { unit: "us", title: "time per event type", sum: program },
  readsPerSecond: { unit: "1/s", title: "reads per second", sum: program, better: "more" },
  // For how long there had been a newer version when a question was asked.
  stalenessP50: { unit: "ms", title: "staleness, p50", sum: program },
  stalenessP99: { unit: "ms", title: "staleness, p99", sum: program },
  stalenessMax: { unit: "ms", title: "oldest answer", sum: program },
  writesPerSecond: { unit: "1/s", title: "writes per second", sum: program, better: "more" },
  brokerCpuPerRead: { unit: "us", title: "broker's CPU per read", sum: program },
  brokerCpuPerWrite: { unit: "us", title: "broker's CPU per write", sum: program },
  readerCpuPerRead: { unit: "us", title: "readers' CPU per read", sum: program },
  // Loads of the store although questions waited, because of the bound.
  forcedReloadsPerSecond: { unit: "1/s", title: "forced reloads per second", sum: program },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof metrics;

/** Figures that the program of a round works out itself. */
export type ProgramFigures = {
  readonly [N in MetricName as (typeof metrics)[N]["sum"]["of"] extends "program" ? N : never]?:
    | number
    | null;
};

/** The row of a metric; undefined for one of a later version. */
export function metricRow(name: string): MetricRow | undefined {
  return Object.hasOwn(metrics, name) ? metrics[name as MetricName] : undefined;
}

/** What cells have in addition to figures, as headings. */
export const factTitles: Readonly<Record<string, string>> = {
  senderKnows: "the sender knows",
  bytesReach: "bytes reach",
  wakesOthers: "wakes others",
  holds: "possible event types",
  bound: "bound of staleness",
  addresses: "addresses for clients",
};
