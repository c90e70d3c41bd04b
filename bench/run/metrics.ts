// The figures of a cell, as data: how each is worked out from one block that counts; then
// summarised over blocks. Pure. Enters: the blocks of one contender. Leaves: metrics by name for
// results.json.

import type { MemorySample } from "../host/memory.ts";
import type { MemoryStage, ReadinessTurn, Window } from "../model/events.ts";
import type { DeliveryMetric, Metric, MetricName } from "../model/results.ts";
import { supportedQuantile } from "../statistics/histogram.ts";
import { deriveSeed } from "../statistics/random.ts";
import type { Pair } from "../statistics/ratio.ts";
import { summarize } from "../statistics/summary.ts";
import { theilSen } from "../statistics/theil-sen.ts";
import type { BlockData } from "./block-data.ts";

/** Null: a platform that does not tell, or too few samples for p99.9. */
type OfBlock = (block: BlockData) => number | null;

interface MetricRow {
  readonly unit: string;
  readonly ofBlock: OfBlock;
}

/** Of figures that a round's program works out itself, with all receipts before it. */
const toldUnits: Readonly<Partial<Record<DeliveryMetric, string>>> = {
  lastListenerP50: "us",
  lastListenerP99: "us",
  othersCpuPerEvent: "us",
  listenerCpuPerEvent: "us",
  senderCpuPerEvent: "us",
  senderCpuPerListener: "us",
  lostPercent: "percent",
  duplicatedPercent: "percent",
  burstLostPercent: "percent",
  burstDuplicatedPercent: "percent",
  eventTypesHeld: "event types",
  eventTypeCost: "us",
  readsPerSecond: "1/s",
  stalenessP50: "ms",
  stalenessP99: "ms",
  stalenessMax: "ms",
  brokerCpuPerRead: "us",
  readerCpuPerRead: "us",
  forcedReloadsPerSecond: "1/s",
};

const rows: Readonly<Partial<Record<MetricName, MetricRow>>> = {
  ...toldRows(),
  serverCpuPerDelivery: { unit: "us", ofBlock: microsecondsPerMessage("serverCpuNs") },
  deliveriesPerSecond: { unit: "1/s", ofBlock: perSecond("completedMessages") },
  lastReceiverP50: { unit: "us", ofBlock: latency(0.5) },
  lastReceiverP99: { unit: "us", ofBlock: latency(0.99) },
  serverCpuPerMessage: { unit: "us", ofBlock: microsecondsPerMessage("serverCpuNs") },
  serverCpuPercent: { unit: "percent", ofBlock: percentOf("serverCpuNs") },
  serverUserCpuPercent: { unit: "percent", ofBlock: percentOf("serverUserCpuNs") },
  clientCpuPerMessage: { unit: "us", ofBlock: microsecondsPerMessage("clientCpuNs") },
  clientCpuPercent: { unit: "percent", ofBlock: percentOf("clientCpuNs") },
  throughput: { unit: "1/s", ofBlock: perSecond("completedMessages") },
  hotThroughput: { unit: "1/s", ofBlock: perSecond("hotCompletedMessages") },
  contextSwitchesPerMessage: { unit: "1", ofBlock: perMessage("serverContextSwitches") },
  systemCallsPerMessage: { unit: "1", ofBlock: systemCallsPerMessage },
  eventsPerWait: { unit: "1", ofBlock: eventsPerWait },
  idleCpuPercent: { unit: "percent", ofBlock: percentOf("serverCpuNs") },
  idleWakeupsPerSecond: { unit: "1/s", ofBlock: perSecond("serverContextSwitches") },
  acceptsPerSecond: { unit: "1/s", ofBlock: acceptsPerSecond },
  serverCpuPerConnection: { unit: "us", ofBlock: microsecondsPerMessage("serverCpuNs") },
  userBytesPerConnection: {
    unit: "bytes",
    ofBlock: bytesPerConnection("serverPssBytes", "serverBytes"),
  },
  clientBytesPerConnection: {
    unit: "bytes",
    ofBlock: bytesPerConnection("clientPssBytes", "clientBytes"),
  },
  kernelBytesPerConnection: {
    unit: "bytes",
    ofBlock: bytesPerConnection("kernelBytes", "kernelBytes"),
  },
  serverMemory: { unit: "bytes", ofBlock: memoryOf("serverPssBytes", "serverBytes") },
  clientMemory: { unit: "bytes", ofBlock: memoryOf("clientPssBytes", "clientBytes") },
  kernelMemory: { unit: "bytes", ofBlock: ({ round }) => grown(round, "kernelBytes") },
  fairnessJain: { unit: "1", ofBlock: ({ round }) => round.result?.fairness?.jain ?? null },
  longestGap: {
    unit: "us",
    ofBlock: ({ round }) => inMicroseconds(round.result?.fairness?.longestGapNs ?? null),
  },
  waitCost: { unit: "us", ofBlock: turn("waitNs") },
  eventCost: { unit: "us", ofBlock: turn("eventNs") },
  registerCost: { unit: "us", ofBlock: turn("registerNs") },
  modifyCost: { unit: "us", ofBlock: turn("modifyNs") },
  unregisterCost: { unit: "us", ofBlock: turn("unregisterNs") },
  latencyP50: { unit: "us", ofBlock: latency(0.5) },
  latencyP90: { unit: "us", ofBlock: latency(0.9) },
  latencyP99: { unit: "us", ofBlock: latency(0.99) },
  latencyP999: { unit: "us", ofBlock: latency(0.999) },
  latencyP9999: { unit: "us", ofBlock: latency(0.9999) },
  latencyP50Uncorrected: { unit: "us", ofBlock: latency(0.5, "latencyUncorrected") },
  latencyP90Uncorrected: { unit: "us", ofBlock: latency(0.9, "latencyUncorrected") },
  latencyP99Uncorrected: { unit: "us", ofBlock: latency(0.99, "latencyUncorrected") },
  latencyP999Uncorrected: { unit: "us", ofBlock: latency(0.999, "latencyUncorrected") },
  latencyP9999Uncorrected: { unit: "us", ofBlock: latency(0.9999, "latencyUncorrected") },
};

/** One metric of one block; null where it is not told. */
export function figureOf(name: MetricName, block: BlockData): number | null {
  return rows[name]?.ofBlock(block) ?? null;
}

/** The metrics named; those that no block could tell have null figures. */
export function metricsOf(
  names: readonly MetricName[],
  blocks: readonly BlockData[],
  seed: number,
): Partial<Record<MetricName, Metric>> {
  const options = { seed: deriveSeed(seed, "bootstrap") };
  const metrics: Partial<Record<MetricName, Metric>> = {};
  for (const name of names) {
    const row = rows[name];
    if (row === undefined) continue;
    const values = blocks.map((block) => row.ofBlock(block)).filter((value) => value !== null);
    metrics[name] = summarize(row.unit, values, options);
  }
  return metrics;
}

/**
 * One metric of two blocks, to be compared. Empty where one is not told, or zero: a clock too
 * coarse for a tiny round, a server that did nothing at all.
 */
export function pairOf(name: MetricName, own: BlockData, other: BlockData | null): Pair[] {
  const value = figureOf(name, own);
  const reference = other === null ? null : figureOf(name, other);
  return value && reference && value > 0 && reference > 0 ? [{ value, reference }] : [];
}

function toldRows(): Partial<Record<MetricName, MetricRow>> {
  const rowOf = (name: string, unit: string): [string, MetricRow] => {
    const ofBlock: OfBlock = ({ round }) =>
      round.delivered?.figures[name as DeliveryMetric] ?? null;
    return [name, { unit, ofBlock }];
  };
  return Object.fromEntries(Object.entries(toldUnits).map(([name, unit]) => rowOf(name, unit)));
}

type NumericField = {
  [F in keyof Window]-?: NonNullable<Window[F]> extends number ? F : never;
}[keyof Window];

function perMessage(field: NumericField): OfBlock {
  return ({ windows }) => divide(total(windows, field), total(windows, "completedMessages"));
}

function microsecondsPerMessage(field: NumericField): OfBlock {
  const nanoseconds = perMessage(field);
  return (block) => inMicroseconds(nanoseconds(block));
}

function percentOf(field: NumericField): OfBlock {
  return ({ windows }) => {
    const share = divide(total(windows, field), total(windows, "durationNs"));
    return share === null ? null : share * 100;
  };
}

function perSecond(field: NumericField): OfBlock {
  return ({ windows }) => divide(total(windows, field), secondsOf(windows));
}

/** A churn's cycles a second; else how fast the connections were established at the start. */
function acceptsPerSecond({ round, windows }: BlockData): number | null {
  if (round.load.mode === "churn") {
    return divide(total(windows, "completedMessages"), secondsOf(windows));
  }
  return round.connectMs === null ? null : divide(round.load.connections, round.connectMs / 1000);
}

/**
 * Every call that our servers count (wait, recv, send, accept) over every message of the round, the
 * warm-up's too: exact, and what strace(1) counts. Setting up and closing the connections is in it.
 */
function systemCallsPerMessage({ round: { counters, result } }: BlockData): number | null {
  if (counters === null) return null;
  const { waitCalls, recvCalls, sendCalls, acceptCalls } = counters;
  if (recvCalls === 0) return null; // Node's own sockets: who calls there cannot be counted
  return divide(waitCalls + recvCalls + sendCalls + acceptCalls, result?.totalMessages);
}

function eventsPerWait({ round: { counters, turn } }: BlockData): number | null {
  if (turn !== null) return turn.eventsPerWait;
  // A thread blocked in recv gets no events: then there is no such figure, rather than 0.
  return divide(counters?.eventsReturned || null, counters?.waitCalls);
}

/** The slope over the stages; where there are none, what was added while all were open. */
function bytesPerConnection(stage: MemoryField, sample: keyof MemorySample): OfBlock {
  return ({ round }) => {
    if (round.memory.length === 0) return divide(grown(round, sample), round.load.connections);
    const points = round.memory.flatMap((line) => {
      const bytes = line[stage];
      return bytes === null ? [] : [{ x: line.connections, y: bytes }];
    });
    return theilSen(points)?.slope ?? null;
  };
}

type MemoryField = Exclude<keyof MemoryStage, "event" | "connections">;

/** With all connections open. */
function memoryOf(stage: MemoryField, sample: keyof MemorySample): OfBlock {
  return ({ round }) => round.memory.at(-1)?.[stage] ?? round.memoryDuring?.[sample] ?? null;
}

/** The load generator is not there before. */
function grown({ memoryBefore, memoryDuring }: BlockData["round"], field: keyof MemorySample) {
  const after = memoryDuring?.[field] ?? null;
  const before = field === "clientBytes" ? 0 : (memoryBefore?.[field] ?? null);
  return after === null || before === null ? null : after - before;
}

function turn(field: Exclude<keyof ReadinessTurn, "event">): OfBlock {
  return ({ round }) => inMicroseconds(round.turn?.[field] ?? null);
}

function latency(q: number, field: "latency" | "latencyUncorrected" = "latency"): OfBlock {
  return (block) => inMicroseconds(supportedQuantile(block.latency(field), q));
}

/** Null as soon as one window does not tell. */
function total(windows: readonly Window[], field: NumericField): number | null {
  let sum = 0;
  for (const window of windows) {
    const value = window[field];
    if (value === null || value === undefined) return null;
    sum += value;
  }
  return sum;
}

function secondsOf(windows: readonly Window[]): number {
  return (total(windows, "durationNs") ?? 0) / 1e9;
}

function divide(dividend: number | null | undefined, divisor: number | null | undefined) {
  if (dividend === null || dividend === undefined || !divisor) return null;
  return dividend / divisor;
}

function inMicroseconds(nanoseconds: number | null): number | null {
  return nanoseconds === null ? null : nanoseconds / 1000;
}
