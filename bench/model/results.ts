// results.json (schemaVersion 2) as one schema, types and check; see reports/README.md.

import { callCountsSchema } from "./call-counts.ts";
import { confidenceSchema } from "./confidence.ts";
import { cpuProfileSchema } from "./cpu-profile.ts";
import type { MetricName } from "./metrics.ts";
import { causeSchema, gateRules } from "./reasons.ts";
import { type Runtime, runtimes } from "./runtimes.ts";
import * as s from "./schema.ts";

export type { MetricName } from "./metrics.ts";

export const schemaVersion = 2;

const status = s.oneOf(
  ...(["ok", "tie", "skipped", "unsupported", "unavailable", "inconclusive", "failed"] as const),
);

/** How a cell ended. `tie` is an `ok` that does not differ from the reference. */
export type Status = s.Infer<typeof status>;

const metricSchema = s.record({
  /** "us" (microseconds), "percent" (of one core), "ratio", "bytes"; or what is counted. */
  unit: s.text,
  median: s.nullable(s.number),
  /** A 95 % interval over blocks. */
  low: s.nullable(s.number),
  high: s.nullable(s.number),
  /** "student" if the interval is Student's, which few blocks do not weaken; else a bootstrap. */
  interval: s.optional(s.oneOf("student")),
  /** The figure of each block. */
  blocks: s.list(s.number),
});

/** One figure: its middle, its 95 % interval over blocks, and what each block gave. */
export type Metric = s.Infer<typeof metricSchema>;

/** What tells the load of one cell from that of another. */
const loadFields = {
  workload: s.text,
  contender: s.text,
  connections: s.amount,
  activeConnections: s.amount,
  payloadBytes: s.amount,
  /** What else tells it from its workload's other cells, such as "depth 16" or "undisturbed". */
  variant: s.optional(s.text),
};

const cellSchema = s.record({
  ...loadFields,
  /** What the contender runs on, and how it waits. */
  runtime: s.oneOf(...(Object.keys(runtimes) as Runtime[])),
  strategy: s.text,
  /** Messages per second over all connections; null if the workload has no rate of its own. */
  ratePerSecond: s.nullable(s.number),
  /** The load in per cent of the contender's own capacity, if the workload is about that. */
  capacityPercent: s.optional(s.amount),
  /** The metric that the cell is about, and that `ratioToReference` is of. */
  headline: s.optional(s.text as s.Schema<MetricName>),
  status,
  /** In words, whenever the status is not `ok` or `tie`; `cause` is the same as data. */
  reason: s.nullable(s.text),
  cause: s.optional(causeSchema),
  /** Blocks that count, and windows that do not: they or their block broke a rule. */
  blocks: s.amount,
  dropped: s.amount,
  /** Blocks that ran and do not count: this contender's or the reference's was disturbed. */
  droppedBlocks: s.optional(s.amount),
  /** How many of `blocks` use disturbed windows, because too few others were left. */
  disturbedBlocks: s.optional(s.amount),
  /** The server used up its CPU, or all of it that other programs left: missing in old files. */
  saturated: s.optional(s.boolean),
  /** How sure the figures are, by the rules of bench/model/confidence.ts; null without figures. */
  confidence: s.optional(s.nullable(confidenceSchema)),
  /** The smallest |ratio - 1| that so many blocks rank with a power of 80 %; null: no ratio. */
  detectableEffect: s.optional(s.nullable(s.number)),
  messages: s.amount,
  /** Messages whose bytes were not what was sent, plus those that never came back. */
  mismatches: s.amount,
  metrics: s.mapOf(metricSchema) as s.Schema<Readonly<Partial<Record<MetricName, Metric>>>>,
  /** System calls by name, from a pass after the rounds; missing unless asked for. */
  callCounts: s.optional(callCountsSchema),
  /** What the contender is, beside its figures, by name: `{ "senderKnows": "nothing" }`. */
  facts: s.optional(s.mapOf(s.text)),
  /** How a server of others failed once all of its windows had been measured. */
  afterwards: s.optional(s.text),
  /** Latencies of all windows that count: HdrHistogram V2, base64, nanoseconds; null: none. */
  latencyHistogram: s.optional(s.nullable(s.text)),
  latencyHistogramUncorrected: s.optional(s.nullable(s.text)),
});

/** One workload × contender × scale. */
export type Cell = s.Infer<typeof cellSchema>;

type CellLoad = Pick<
  Cell,
  | "workload"
  | "contender"
  | "connections"
  | "activeConnections"
  | "payloadBytes"
  | "variant"
  | "ratePerSecond"
>;

/** Whether both are of one contender under one load. */
export function isSameLoad(one: CellLoad, other: CellLoad): boolean {
  const names = [...Object.keys(loadFields), "ratePerSecond"] as (keyof CellLoad)[];
  return names.every((name) => one[name] === other[name]);
}

const roundSchema = s.record({
  ...loadFields,
  /** As in the cell. Missing in results of earlier versions. */
  ratePerSecond: s.optional(s.nullable(s.number)),
  /** From 1. */
  block: s.amount,
  /** Since `startedAt`, on a clock that does not jump; and how long it took. */
  startedMs: s.number,
  durationMs: s.number,
  /** Windows that were measured, and those of them that do not count. */
  windows: s.amount,
  dropped: s.amount,
  /** In words: what went wrong, or the rules that were broken; null if nothing did. */
  reason: s.nullable(s.text),
  /** The rules that its windows broke, as codes. Missing in results of earlier versions. */
  rules: s.optional(s.list(s.oneOf(...gateRules))),
  failed: s.boolean,
  /** Whether its block counts in the contender's cell. */
  counted: s.optional(s.boolean),
});

/** One round of the run, so that a report can show what happened when. */
export type TimelineRound = s.Infer<typeof roundSchema>;

/** What the numbers were made on. No host name, user name or path but in the faults of a fleet. */
export interface Environment {
  /** A digest over hardware, kernel and Node: equal fingerprints may be compared. */
  readonly fingerprint: string;
  readonly [property: string]: unknown;
}

export const resultsSchema = s.record({
  schemaVersion: s.oneOf(schemaVersion),
  profile: s.text,
  startedAt: s.time,
  finishedAt: s.time,
  /** False if the run was interrupted: the cells hold what was measured until then. */
  complete: s.boolean,
  seed: s.number,
  environment: s.record({ fingerprint: s.text }) as s.Schema<Environment>,
  /** What was held equal between the contenders: buffer sizes, backlog, batch, windows. */
  settings: s.mapOf(s.anything),
  reference: s.text,
  cells: s.list(cellSchema),
  /** Every round in the order in which they ran. Missing in results of earlier versions. */
  timeline: s.optional(s.list(roundSchema)),
  /** One per contender, from a pass after the rounds; missing unless asked for. */
  cpuProfiles: s.optional(s.list(cpuProfileSchema)),
});

export type Results = s.Infer<typeof resultsSchema>;
