// How each metric is called, written and drawn, and which of them a workload is about. Pure data
// and what is worked out from a unit, so that a metric or a workload that this version does not
// know is shown all the same. Leaves: to every renderer of bench/report.

import type { Cell } from "../model/results.ts";
import { bytes, count, duration, percent, ratio, significant, words } from "./format.ts";

export interface MetricWords {
  /** As a heading: "server CPU a message". */
  readonly title: string;
  /** With the value already scaled to `figure()`'s unit: times in microseconds. */
  readonly format: (value: number) => string;
  readonly axis: "log" | "linear";
  /** What round is on an axis. */
  readonly unit: number;
}

/** Any metric's words; a stranger's from its name and unit. */
export function metricWords(name: string, unit: string): MetricWords {
  const { axis, round, format } = unitWords(unit);
  return { title: titles[name] ?? words(name), format, axis: axes[name] ?? axis, unit: round };
}

/** A figure on an axis: without zeros that say nothing, "1.5 ms" for "1.50 ms". */
export function tickText(format: (value: number) => string): (value: number) => string {
  return (value) =>
    format(value)
      .replace(/(\.\d*?)0+(?!\d)/, "$1")
      .replace(/\.(?!\d)/, "");
}

export interface WorkloadWords {
  readonly title: string;
  /** What it answers, in one or two sentences. */
  readonly lead: string;
  /** What it is about, the first above all. */
  readonly metrics: readonly string[];
  /** What its `connections` are, one and several, where not connections. */
  readonly counted?: readonly [one: string, several: string];
  /** What its `messages` are, where nobody checked their bytes. */
  readonly unit?: string;
  /** Whether the table of all its figures and facts is what it is about. */
  readonly whole?: boolean;
}

/** "50 members"; connections where the workload has no other word. */
export function sizeText(workload: string, connections: number): string {
  const [one, several] = workloads[workload]?.counted ?? ["connection", "connections"];
  return `${count(connections)} ${connections === 1 ? one : several}`;
}

/** "members"; the same word for an axis. */
export function countedWord(workload: string): string {
  return workloads[workload]?.counted?.[1] ?? "connections";
}

/** Any workload's words; a stranger's from its name and what its cells have. */
export function workloadWords(workload: string, cells: readonly Cell[]): WorkloadWords {
  const known = workloads[workload];
  if (known !== undefined) return known;
  const found = new Set(cells.flatMap((cell) => Object.keys(cell.metrics)));
  const metrics = [...preferred.filter((name) => found.has(name)), ...found];
  return { title: words(workload), lead: "", metrics: [...new Set(metrics)].slice(0, 2) };
}

/** The metric that a group of cells is about: what they say, else what its workload usually is. */
export function principalMetric(workload: string, cells: readonly Cell[]): string {
  const told = cells.find(({ headline }) => headline !== undefined)?.headline;
  if (told !== undefined) return told;
  const has = (name: string) =>
    cells.some(({ metrics }) => (metrics as Record<string, unknown>)[name] !== undefined);
  const { metrics } = workloadWords(workload, cells);
  return metrics.find(has) ?? preferred.find(has) ?? "serverCpuPerMessage";
}

/** Metrics of which more is better, which turns the order of a table. */
export function moreIsBetter(metric: string): boolean {
  return rising.has(metric);
}

const rising: ReadonlySet<string> = new Set([
  ...["throughput", "throughputAtLeast", "hotThroughput", "acceptsPerSecond"],
  ...["fairnessJain", "eventsPerWait"],
  ...["deliveriesPerSecond", "eventTypesHeld", "readsPerSecond"],
]);

interface UnitWords {
  readonly format: (value: number) => string;
  readonly axis: "log" | "linear";
  readonly round: number;
}

function unitWords(unit: string): UnitWords {
  if (["ns", "us", "ms", "s"].includes(unit)) return { format: duration, axis: "log", round: 1 };
  if (unit === "percent") {
    return { format: (value) => `${small(value)} %`, axis: "linear", round: 1 };
  }
  if (unit === "ratio") return { format: ratio, axis: "log", round: 1 };
  if (unit === "bytes") return { format: bytes, axis: "linear", round: 1024 };
  if (unit === "1/s") return { format: perSecond, axis: "log", round: 1 };
  return { format: significant, axis: "log", round: 1 };
}

/** An idle server's share of a core is far below a tenth of a percent. */
function small(value: number): string {
  return value < 0.95 && value > 0 ? significant(value, 2) : percent(value);
}

function perSecond(value: number): string {
  return `${value < 100 ? significant(value) : count(Number(value.toPrecision(3)))}/s`;
}

const preferred = [
  "serverCpuPerMessage",
  "throughput",
  "acceptsPerSecond",
  "idleCpuPercent",
  "userBytesPerConnection",
  "fairnessJain",
  "latencyP99",
];

const axes: Readonly<Record<string, "log" | "linear">> = {
  fairnessJain: "linear",
  idleCpuPercent: "log",
};

const titles: Readonly<Record<string, string>> = {
  serverCpuPerMessage: "server CPU a message",
  ratioToReference: "ratio to the reference",
  serverCpuPercent: "server CPU, % of a core",
  serverUserCpuPercent: "server CPU in user mode, % of a core",
  latencyP50: "p50",
  latencyP90: "p90",
  latencyP99: "p99",
  latencyP999: "p99.9",
  latencyP50Uncorrected: "p50 uncorrected",
  latencyP90Uncorrected: "p90 uncorrected",
  latencyP99Uncorrected: "p99 uncorrected",
  latencyP999Uncorrected: "p99.9 uncorrected",
  throughput: "messages a second",
  systemCallsPerMessage: "system calls a message",
  contextSwitchesPerMessage: "context switches a message",
  eventsPerWait: "events a wait",
  clientCpuPerMessage: "client CPU a message",
  userBytesPerConnection: "user memory a connection",
  kernelBytesPerConnection: "kernel memory a connection",
  idleCpuPercent: "CPU while idle, % of a core",
  acceptsPerSecond: "connections accepted a second",
  serverCpuPerConnection: "server CPU a connection",
  ratioToBaseline: "ratio to its own baseline",
  latencyP9999: "p99.99",
  latencyP9999Uncorrected: "p99.99 uncorrected",
  throughputAtLeast: "messages a second, at least",
  hotThroughput: "messages a second of the hot connection",
  clientCpuPercent: "client CPU, % of a core",
  clientBytesPerConnection: "load generator's memory a connection",
  serverMemory: "server memory",
  clientMemory: "load generator's memory",
  kernelMemory: "kernel memory",
  idleWakeupsPerSecond: "wake-ups a second while idle",
  fairnessJain: "Jain's fairness index",
  longestGap: "longest gap between two messages of a connection",
  waitCost: "cost of a wait",
  eventCost: "cost of an event",
  registerCost: "cost of a register",
  modifyCost: "cost of a modify",
  unregisterCost: "cost of an unregister",
  serverCpuPerDelivery: "server CPU a delivery",
  deliveriesPerSecond: "deliveries a second",
  lastReceiverP50: "last receiver, p50",
  lastReceiverP99: "last receiver, p99",
  lastListenerP50: "last listener, p50",
  lastListenerP99: "last listener, p99",
  othersCpuPerEvent: "CPU of who does not wait",
  listenerCpuPerEvent: "CPU of a listener",
  senderCpuPerEvent: "CPU of the sender",
  senderCpuPerListener: "cost of one listener more",
  lostPercent: "lost",
  duplicatedPercent: "duplicated",
  burstLostPercent: "lost in a burst",
  burstDuplicatedPercent: "duplicated in a burst",
  eventTypesHeld: "event types made",
  eventTypeCost: "time an event type",
  readsPerSecond: "reads a second",
  stalenessP50: "staleness, p50",
  stalenessP99: "staleness, p99",
  stalenessMax: "oldest answer",
  brokerCpuPerRead: "broker's CPU a read",
  readerCpuPerRead: "readers' CPU a read",
  forcedReloadsPerSecond: "forced reloads a second",
};

/** What a cell tells beside figures, as a heading; a stranger's from its name. */
export function factTitle(name: string): string {
  return factTitles[name] ?? words(name);
}

const factTitles: Readonly<Record<string, string>> = {
  senderKnows: "the sender knows",
  bytesReach: "bytes reach",
  wakesOthers: "wakes others",
  holds: "event types there can be",
  bound: "bound of staleness",
};

const workloads: Readonly<Record<string, WorkloadWords>> = {
  "echo-rate": {
    title: "Echo at a given rate",
    lead: "Every server gets the same messages at the same times, whatever it makes of them.",
    metrics: ["serverCpuPerMessage", "latencyP99"],
  },
  "echo-capacity": {
    title: "Capacity of a core",
    lead:
      "Closed loop: a message is sent when another is back, so that the server is the limit. " +
      "Where the load generator was the limit, the figure is a lower bound and is not ranked.",
    metrics: ["throughput"],
  },
  "active-fraction": {
    title: "Few active among many",
    lead:
      "The same number of connections, more or fewer of them active. What looks at every " +
      "connection pays for the silent ones with every wait; what is told which are ready does not.",
    metrics: ["serverCpuPerMessage", "latencyP99"],
  },
  idle: {
    title: "What waiting costs",
    lead: "Connections that are open and silent. A server that waits well uses next to nothing.",
    metrics: ["idleCpuPercent", "idleWakeupsPerSecond", "serverMemory"],
  },
  memory: {
    title: "Memory a connection",
    lead:
      "The slope over several connection counts, so that what a process needs anyway is not in " +
      "it: the server's own memory, and what the kernel holds for both ends of the connection.",
    metrics: ["userBytesPerConnection", "kernelBytesPerConnection"],
  },
  "connect-rate": {
    title: "Connections a second",
    lead: "Connect and close, over and over: what a new connection, thread or process costs.",
    metrics: ["serverCpuPerConnection", "acceptsPerSecond"],
  },
  pipelining: {
    title: "Pipelining",
    lead:
      "Several messages under way on each connection: who gathers them into fewer calls? The " +
      "baseline is one message at a time.",
    metrics: ["serverCpuPerMessage", "ratioToBaseline", "throughput"],
  },
  "slow-readers": {
    title: "Slow readers",
    lead:
      "Some peers stop reading. The others' latency and the server's memory must stay bounded. " +
      "The baseline is the same without such peers, in the same block.",
    metrics: ["latencyP99", "ratioToBaseline", "serverMemory"],
  },
  "hot-connection": {
    title: "One hot connection",
    lead:
      "One connection floods among many. Jain's index is 1 where all the others are served " +
      "alike. The baseline is the same without the flood, in the same block.",
    metrics: ["fairnessJain", "longestGap", "ratioToBaseline", "hotThroughput"],
  },
  broadcast: {
    title: "Broadcast",
    lead:
      "A chat room: one message in, one out to each member. A delivery is one message to one " +
      "member; the last receiver is the one that waited longest, counted from when the message " +
      "was meant to be sent.",
    metrics: ["serverCpuPerDelivery", "lastReceiverP50", "deliveriesPerSecond"],
    counted: ["member", "members"],
    unit: "deliveries",
  },
  "event-delivery": {
    title: "An event for exactly those who wait",
    lead:
      "Processes that wait for events, half of them for the one that is sent, and a sender. Who " +
      "waits should have it soon, and who does not should not notice. CPU is of one process for " +
      "one event; a burst is all events at once.",
    metrics: ["lastListenerP50", "othersCpuPerEvent", "burstLostPercent"],
    counted: ["process", "processes"],
    unit: "events for a listener, lost ones counted apart",
    whole: true,
  },
  replicas: {
    title: "One writer, many readers",
    lead:
      "A store asked as fast as it answers while it changes 20 times a second. Staleness is for " +
      "how long there had been a newer version when the question was asked. Clients, broker, " +
      "writer and readers share the CPUs of this machine.",
    metrics: ["readsPerSecond", "stalenessP99", "brokerCpuPerRead"],
    counted: ["reader", "readers"],
    unit: "answers",
    whole: true,
  },
  readiness: {
    title: "The wait itself",
    lead:
      "Pairs of sockets in one process, without a network: what waiting, registering and " +
      "modifying cost by the number registered.",
    metrics: ["eventCost", "waitCost", "registerCost", "modifyCost", "unregisterCost"],
    counted: ["socket pair", "socket pairs"],
  },
  scale: {
    title: "As many as the machine holds",
    lead: "Every connection echoes when it is opened; then messages sweep over all of them.",
    metrics: ["userBytesPerConnection", "kernelBytesPerConnection"],
  },
};
