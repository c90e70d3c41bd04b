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
  /** A quantile of latencies from when messages were due or sent, or of the time between both. */
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
  /** The axis of a chart; default: that of the unit. */
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
const switches = (...kinds: readonly ("voluntary" | "involuntary")[]) =>
  ({ of: "switches", kinds }) as const;
const mode = (of: "user" | "system") => ({ of: "mode", mode: of }) as const;
const fairness = (field: "jain" | "longestGapNs") => ({ of: "fairness", field }) as const;
const server = { of: "memory", stage: "serverPssBytes", sample: "serverBytes" } as const;
const client = { of: "memory", stage: "clientPssBytes", sample: "clientBytes" } as const;
const kernel = { of: "memory", stage: "kernelBytes", sample: "kernelBytes" } as const;
const program = { of: "program" } as const;
const pairs = { of: "pairs" } as const;

const atMost2Percent = { margin: 0.02, marginApart: 0.05, wanted: 0.05 } as const;
const atMost1Percent = { margin: 0.01, marginApart: 0.01, wanted: 0.05 } as const;
const atMost5Percent = { margin: 0.05, marginApart: 0.05, wanted: 0.1 } as const;
const atMost10Percent = { margin: 0.1, marginApart: 0.1, wanted: 0.2 } as const;

/** A row by its unit. The type of its sum stays exact: ProgramFigures is made of it. */
const of =
  (unit: string) =>
  <const S extends Sum>(
    title: string,
    sum: S,
    more: Omit<MetricRow, "unit" | "title" | "sum"> = {},
  ) => ({ unit, title, sum, ...more });
const us = of("us");
const ms = of("ms");
const percent = of("percent");
const bytes = of("bytes");
const ratio = of("ratio");
const perSecond = of("1/s");
const plain = of("1");
const more = { better: "more" } as const;

export const metrics = {
  serverCpuPerMessage: us("server CPU per message", windows("serverCpuNs", "message"), {
    gate: { title: "CPU per message", gates: true, ...atMost2Percent },
  }),
  // The ratio of the cell's headline metric, in the same block.
  ratioToReference: ratio("ratio to the reference", pairs),
  // The ratio to the contender's figure in the workload's baseline variant, in the same block.
  ratioToBaseline: ratio("ratio to its own baseline", pairs),
  serverCpuPercent: percent("server CPU, % of a core", windows("serverCpuNs", "duration")),
  serverUserCpuPercent: percent(
    "server CPU in user mode, % of a core",
    windows("serverUserCpuNs", "duration"),
  ),
  userBytesPerConnection: bytes(
    "user memory per connection",
    { ...server, per: "connection" },
    // Heaps grow in steps: gating on it unasked would leave most runs unresolved.
    { gate: { title: "bytes per connection", gates: false, ...atMost5Percent } },
  ),
  clientBytesPerConnection: bytes("load generator's memory per connection", {
    ...client,
    per: "connection",
  }),
  // Includes both ends if both are on this machine.
  kernelBytesPerConnection: bytes("kernel memory per connection", { ...kernel, per: "connection" }),
  serverMemory: bytes("server memory", { ...server, per: "run" }),
  clientMemory: bytes("load generator's memory", { ...client, per: "run" }),
  kernelMemory: bytes("kernel memory", { ...kernel, per: "growth" }),
  systemCallsPerMessage: plain("system calls per message", calls("all"), {
    // Depends on the messages that each wait finds, and so on the speed of both ends.
    gate: { title: "system calls per message under load", gates: false, ...atMost1Percent },
  }),
  contextSwitchesPerMessage: plain(
    "context switches per message",
    switches("voluntary", "involuntary"),
  ),
  // The server waited: it had nothing to do.
  voluntarySwitchesPerMessage: plain(
    "voluntary context switches per message",
    switches("voluntary"),
  ),
  // The scheduler took the CPU from it.
  involuntarySwitchesPerMessage: plain(
    "involuntary context switches per message",
    switches("involuntary"),
  ),
  waitCallsPerMessage: plain("waits per message", calls("waitCalls")),
  receiveCallsPerMessage: plain("receives per message", calls("recvCalls")),
  sendCallsPerMessage: plain("sends per message", calls("sendCalls")),
  controlCallsPerMessage: plain(
    "changes of the watched set (epoll_ctl) per message",
    calls("controlCalls"),
  ),
  // The kernel checks them in select(2) and poll(2), the server in a recv(2) that finds nothing.
  vainLooksPerMessage: plain("descriptors checked without result per message", calls("vainLooks")),
  serverUserCpuPerMessage: us("server CPU in user mode per message", mode("user")),
  serverSystemCpuPerMessage: us("server CPU in the kernel per message", mode("system")),
  // Little's law: throughput times the mean latency from send.
  messagesInFlight: plain("messages in flight", { of: "in-flight" }),
  eventsPerWait: plain("events per wait", { of: "events-per-wait" }, more),
  clientCpuPerMessage: us("load generator's CPU per message", windows("clientsCpuNs", "message")),
  clientCpuPercent: percent(
    "load generator's CPU, % of a core",
    windows("clientCpuNs", "duration"),
  ),
  latencyP50: us("p50", latency(0.5), {
    gate: { title: "p50 latency", gates: false, ...atMost10Percent },
  }),
  latencyP90: us("p90", latency(0.9)),
  latencyP99: us("p99", latency(0.99), {
    gate: { title: "p99 latency", gates: false, ...atMost10Percent },
  }),
  latencyP999: us("p99.9", latency(0.999)),
  latencyP9999: us("p99.99", latency(0.9999)),
  latencyP50Uncorrected: us("p50 uncorrected", latency(0.5, "sent")),
  latencyP90Uncorrected: us("p90 uncorrected", latency(0.9, "sent")),
  latencyP99Uncorrected: us("p99 uncorrected", latency(0.99, "sent")),
  latencyP999Uncorrected: us("p99.9 uncorrected", latency(0.999, "sent")),
  latencyP9999Uncorrected: us("p99.99 uncorrected", latency(0.9999, "sent")),
  // The load generator's own: from when a message was due until it was its turn.
  senderDelayP50: us("sender delay, p50", latency(0.5, "delay")),
  senderDelayP99: us("sender delay, p99", latency(0.99, "delay")),
  senderDelayP999: us("sender delay, p99.9", latency(0.999, "delay")),
  throughput: perSecond("messages per second", windows("completedMessages", "second"), {
    ...more,
    bound: "throughputAtLeast",
    gate: { title: "throughput", gates: false, ...atMost5Percent },
  }),
  throughputAtLeast: perSecond("messages per second, at least", { of: "bound" }, more),
  // At saturation, of the server's CPU time: what one CPU carries.
  messagesPerCpuSecond: perSecond(
    "messages per CPU second",
    windows("completedMessages", "cpu-second"),
    { ...more, bound: "throughputAtLeast" },
  ),
  hotThroughput: perSecond(
    "messages per second of the hot connection",
    windows("hotCompletedMessages", "second"),
    more,
  ),
  idleCpuPercent: percent("CPU while idle, % of a core", windows("serverCpuNs", "duration"), {
    axis: "log",
  }),
  idleWakeupsPerSecond: perSecond(
    "wake-ups per second while idle",
    windows("serverVoluntarySwitches", "second"),
  ),
  acceptsPerSecond: perSecond("connections accepted per second", { of: "accepts" }, more),
  // The "message" of a churn is a whole cycle from connect to close.
  serverCpuPerConnection: us("server CPU per connection", windows("serverCpuNs", "message")),
  fairnessJain: plain("Jain's fairness index", fairness("jain"), { ...more, axis: "linear" }),
  longestGap: us("longest gap between two messages of a connection", fairness("longestGapNs")),
  waitCost: us("cost of a wait", turn("waitNs")),
  eventCost: us("cost of an event", turn("eventNs")),
  registerCost: us("cost of a register", turn("registerNs")),
  modifyCost: us("cost of a modify", turn("modifyNs")),
  unregisterCost: us("cost of an unregister", turn("unregisterNs")),
  serverCpuPerDelivery: us("server CPU per delivery", windows("serverCpuNs", "message")),
  deliveriesPerSecond: perSecond(
    "deliveries per second",
    windows("completedMessages", "second"),
    more,
  ),
  // From when a message was due until the last member had it.
  lastReceiverP50: us("last receiver, p50", latency(0.5)),
  lastReceiverP99: us("last receiver, p99", latency(0.99)),
  // From before the send until the last process that waited for the event had it.
  lastListenerP50: us("last listener, p50", program),
  lastListenerP99: us("last listener, p99", program),
  // One process that did not wait for the event, one that did, and the sender.
  othersCpuPerEvent: us("CPU of a process that does not wait", program),
  listenerCpuPerEvent: us("CPU of a listener", program),
  senderCpuPerEvent: us("CPU of the sender", program),
  senderCpuPerListener: us("cost of an additional listener", program),
  // Shares of the pairs of an event and a listener; a burst is sent without a pause.
  lostPercent: percent("lost", program),
  duplicatedPercent: percent("duplicated", program),
  burstLostPercent: percent("lost in a burst", program),
  burstDuplicatedPercent: percent("duplicated in a burst", program),
  // Places made for event types, out of as many as were tried.
  eventTypesHeld: of("event types")("event types made", program, more),
  eventTypeCost: us("time per event type", program),
  readsPerSecond: perSecond("reads per second", program, more),
  // For how long there had been a newer version when a question was asked.
  stalenessP50: ms("staleness, p50", program),
  stalenessP99: ms("staleness, p99", program),
  stalenessMax: ms("oldest answer", program),
  writesPerSecond: perSecond("writes per second", program, more),
  brokerCpuPerRead: us("broker's CPU per read", program),
  brokerCpuPerWrite: us("broker's CPU per write", program),
  readerCpuPerRead: us("readers' CPU per read", program),
  // Loads of the store although questions waited, because of the bound.
  forcedReloadsPerSecond: perSecond("forced reloads per second", program),
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
