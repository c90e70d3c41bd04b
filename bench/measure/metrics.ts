// The figures of a cell: each worked out for every block that counts, then summarised over blocks.
// Pure. Enters: the valid windows of each block, and its counters. Leaves: metrics by name for
// results.json.

import type { Metric, MetricName } from "../results.ts";
import { decodeHistogram } from "../statistics/hdr-encoding.ts";
import { type Histogram, merge, supportedQuantile } from "../statistics/histogram.ts";
import { deriveSeed } from "../statistics/random.ts";
import type { Pair } from "../statistics/ratio.ts";
import { summarize, summarizeRatio } from "../statistics/summary.ts";
import type { Counters, LoadResult, Window } from "./events.ts";

/** What one block told about one contender. */
export interface BlockData {
  /** At least one; only those that count. */
  readonly windows: readonly Window[];
  readonly result: LoadResult | null;
  readonly counters: Counters | null;
}

/**
 * A contender's block and the reference's of the same block; null where there is no reference to
 * pair with.
 */
export interface PairedBlock {
  readonly own: BlockData;
  readonly reference: BlockData | null;
}

interface MetricRow {
  readonly name: MetricName;
  readonly unit: string;
  readonly ofBlock: (block: BlockData) => number | null;
}

/**
 * Nulls are left out before the summary: a platform that does not tell, or too few samples for
 * p99.9.
 */
const rows: readonly MetricRow[] = [
  { name: "serverCpuPerMessage", unit: "us", ofBlock: serverCpuPerMessage },
  { name: "serverCpuPercent", unit: "percent", ofBlock: percentOf("serverCpuNs") },
  { name: "serverUserCpuPercent", unit: "percent", ofBlock: percentOf("serverUserCpuNs") },
  {
    name: "throughput",
    unit: "1/s",
    ofBlock: ({ windows }) => divide(total(windows, "completedMessages"), seconds(windows)),
  },
  {
    name: "contextSwitchesPerMessage",
    unit: "1",
    ofBlock: ({ windows }) => perMessage(windows, "serverContextSwitches"),
  },
  {
    name: "clientCpuPerMessage",
    unit: "us",
    ofBlock: ({ windows }) => inMicroseconds(perMessage(windows, "clientCpuNs")),
  },
  { name: "systemCallsPerMessage", unit: "1", ofBlock: systemCallsPerMessage },
  {
    name: "eventsPerWait",
    unit: "1",
    // A thread blocked in recv gets no events: then there is no such figure, rather than 0.
    ofBlock: ({ counters }) => divide(counters?.eventsReturned || null, counters?.waitCalls),
  },
];

const quantiles = [
  ["P50", 0.5],
  ["P90", 0.9],
  ["P99", 0.99],
  ["P999", 0.999],
] as const;

const histograms = [
  ["", "latency"],
  ["Uncorrected", "latencyUncorrected"],
] as const;

/** Every metric of a cell; those that no block could tell have null figures. */
export function metricsOf(
  blocks: readonly PairedBlock[],
  seed: number,
): Partial<Record<MetricName, Metric>> {
  const options = { seed: deriveSeed(seed, "bootstrap") };
  const metrics: Partial<Record<MetricName, Metric>> = {};
  const add = (name: MetricName, unit: string, values: readonly (number | null)[]) => {
    metrics[name] = summarize(unit, values.filter(isNumber), options);
  };
  for (const { name, unit, ofBlock } of rows) {
    add(
      name,
      unit,
      blocks.map(({ own }) => ofBlock(own)),
    );
  }
  metrics.ratioToReference = summarizeRatio(blocks.flatMap(pairOf), options);
  for (const [suffix, field] of histograms) {
    const merged = blocks.map(({ own }) => mergedLatency(own.windows, field));
    for (const [label, q] of quantiles) {
      const values = merged.map((histogram) => inMicroseconds(supportedQuantile(histogram, q)));
      add(`latency${label}${suffix}`, "us", values);
    }
  }
  return metrics;
}

function pairOf({ own, reference }: PairedBlock): Pair[] {
  const value = serverCpuPerMessage(own);
  const base = reference === null ? null : serverCpuPerMessage(reference);
  // A platform that cannot sample the server gives neither; a clock too coarse for a tiny round
  // gives zero.
  return value && base ? [{ value, reference: base }] : [];
}

function serverCpuPerMessage({ windows }: BlockData): number | null {
  return inMicroseconds(perMessage(windows, "serverCpuNs"));
}

function percentOf(field: "serverCpuNs" | "serverUserCpuNs"): MetricRow["ofBlock"] {
  return ({ windows }) => {
    const share = divide(total(windows, field), total(windows, "durationNs"));
    return share === null ? null : share * 100;
  };
}

/**
 * Every call that our servers count (wait, recv, send, accept) over every message of the round, the
 * warm-up's too: exact, and what strace(1) counts. Setting up and closing the connections is in it.
 */
function systemCallsPerMessage({ counters, result }: BlockData): number | null {
  if (counters === null) return null;
  const { waitCalls, recvCalls, sendCalls, acceptCalls } = counters;
  if (recvCalls === 0) return null; // Node's own sockets: who calls there cannot be counted
  return divide(waitCalls + recvCalls + sendCalls + acceptCalls, result?.totalMessages);
}

function mergedLatency(
  windows: readonly Window[],
  field: "latency" | "latencyUncorrected",
): Histogram {
  return merge(windows.map((window) => decodeHistogram(window[field])));
}

type NumericField = {
  [F in keyof Window]: Window[F] extends number | null ? F : never;
}[keyof Window];

/** Null as soon as one window does not tell. */
function total(windows: readonly Window[], field: NumericField): number | null {
  let sum = 0;
  for (const window of windows) {
    const value = window[field];
    if (value === null) return null;
    sum += value;
  }
  return sum;
}

function perMessage(windows: readonly Window[], field: NumericField): number | null {
  return divide(total(windows, field), total(windows, "completedMessages"));
}

function seconds(windows: readonly Window[]): number {
  return (total(windows, "durationNs") ?? 0) / 1e9;
}

function divide(dividend: number | null | undefined, divisor: number | null | undefined) {
  if (dividend === null || dividend === undefined || !divisor) return null;
  return dividend / divisor;
}

function inMicroseconds(nanoseconds: number | null): number | null {
  return nanoseconds === null ? null : nanoseconds / 1000;
}

function isNumber(value: number | null): value is number {
  return value !== null;
}
