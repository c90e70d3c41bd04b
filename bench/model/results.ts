// The data that flows through the suite's end: what a run leaves in results.json (schemaVersion 1),
// as types. Enters: measured cells from bench/measure. Leaves: to bench/report, and to whoever
// reads the file. Pure data.

/**
 * How a cell ended. `tie` is an `ok` that is not told apart from the reference; see
 * reports/README.md.
 */
export type Status =
  | "ok"
  | "tie"
  | "skipped"
  | "unsupported"
  | "unavailable"
  | "inconclusive"
  | "failed";

/** Every status word: for validation and legends. */
export const statuses: readonly Status[] = [
  "ok",
  "tie",
  "skipped",
  "unsupported",
  "unavailable",
  "inconclusive",
  "failed",
];

/** One figure: its middle, its 95 % bootstrap interval over blocks, and what each block gave. */
export interface Metric {
  /** "us" (microseconds), "percent" (of one core), "ratio", "bytes"; or what is counted. */
  readonly unit: string;
  readonly median: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly blocks: readonly number[];
}

/**
 * The metric names of the schema; a cell has those that were measured. `ratioToReference` is of the
 * cell's headline metric, in the same block; `ratioToBaseline` is of the same contender's figure to
 * the one in the workload's baseline variant, in the same block. A churn's "message" is a whole
 * cycle from connect to close. The kernel's bytes a connection are of both ends where both are on
 * this machine.
 */
export type MetricName =
  | "serverCpuPerMessage"
  | "ratioToReference"
  | "serverCpuPercent"
  | "serverUserCpuPercent"
  | "latencyP50"
  | "latencyP90"
  | "latencyP99"
  | "latencyP999"
  | "latencyP9999"
  | "latencyP50Uncorrected"
  | "latencyP90Uncorrected"
  | "latencyP99Uncorrected"
  | "latencyP999Uncorrected"
  | "latencyP9999Uncorrected"
  | "throughput"
  | "throughputAtLeast"
  | "systemCallsPerMessage"
  | "contextSwitchesPerMessage"
  | "eventsPerWait"
  | "clientCpuPerMessage"
  | "clientCpuPercent"
  | "userBytesPerConnection"
  | "clientBytesPerConnection"
  | "kernelBytesPerConnection"
  | "serverMemory"
  | "clientMemory"
  | "kernelMemory"
  | "idleCpuPercent"
  | "idleWakeupsPerSecond"
  | "acceptsPerSecond"
  | "serverCpuPerConnection"
  | "fairnessJain"
  | "longestGap"
  | "hotThroughput"
  | "ratioToBaseline"
  | "waitCost"
  | "eventCost"
  | "registerCost"
  | "modifyCost"
  | "unregisterCost"
  | DeliveryMetric;

/** Of the workloads broadcast, event-delivery and replicas, in this order. */
export type DeliveryMetric =
  | "serverCpuPerDelivery"
  | "deliveriesPerSecond"
  /** From when a message was meant to be sent until the last member had it. */
  | "lastReceiverP50"
  | "lastReceiverP99"
  /** From before the send until the last of those that waited for the event had it. */
  | "lastListenerP50"
  | "lastListenerP99"
  /** Of one process that was not waiting for the event; of one that was; of the sender. */
  | "othersCpuPerEvent"
  | "listenerCpuPerEvent"
  | "senderCpuPerEvent"
  /** What one listener more costs the sender. */
  | "senderCpuPerListener"
  /** Of the pairs of an event and a listener; `burst`: sent without a pause. */
  | "lostPercent"
  | "duplicatedPercent"
  | "burstLostPercent"
  | "burstDuplicatedPercent"
  /** Places made for event types, of as many as were tried; and the time for one. */
  | "eventTypesHeld"
  | "eventTypeCost"
  | "readsPerSecond"
  /** For how long there had been a newer version when a question was asked. */
  | "stalenessP50"
  | "stalenessP99"
  | "stalenessMax"
  /** Of the broker; of all readers together. */
  | "brokerCpuPerRead"
  | "readerCpuPerRead"
  /** Loads of the store though questions waited, because of the bound. */
  | "forcedReloadsPerSecond";

/** One workload × contender × scale. */
export interface Cell {
  readonly workload: string;
  readonly contender: string;
  readonly connections: number;
  readonly activeConnections: number;
  readonly payloadBytes: number;
  /**
   * The intended rate, messages a second over all connections; null where the workload has none.
   */
  readonly ratePerSecond: number | null;
  /** What else tells it from its workload's other cells, such as "depth 16" or "undisturbed". */
  readonly variant?: string;
  /** The metric that the cell is about, and that `ratioToReference` is of. */
  readonly headline?: MetricName;
  readonly status: Status;
  /** In words, whenever the status is not `ok` or `tie`. */
  readonly reason: string | null;
  /** Blocks that count, and windows that the validity gate dropped. */
  readonly blocks: number;
  readonly dropped: number;
  /** Blocks that were run and do not count: this contender's or the reference's was disturbed. */
  readonly droppedBlocks?: number;
  /**
   * The smallest departure of the ratio from 1 that so many blocks tell from noise with a power of
   * 80 %: 0.05 is five per cent. Null without a ratio.
   */
  readonly detectableEffect?: number | null;
  readonly messages: number;
  /** Messages whose bytes were not what was sent, plus those that never came back. */
  readonly mismatches: number;
  readonly metrics: Partial<Record<MetricName, Metric>>;
  /** What the contender is, beside its figures, by name: `{ "senderKnows": "nothing" }`. */
  readonly facts?: Readonly<Record<string, string>>;
  /**
   * Latencies of all windows that count, corrected and not: HdrHistogram V2, base64, nanoseconds.
   * Null where there was none.
   */
  readonly latencyHistogram?: string | null;
  readonly latencyHistogramUncorrected?: string | null;
}

/** One round of the run, so that a report can show what happened when. */
export interface TimelineRound {
  /** Of which cell it is a part. */
  readonly workload: string;
  readonly contender: string;
  readonly connections: number;
  readonly activeConnections: number;
  readonly payloadBytes: number;
  readonly variant?: string;
  /** From 1. */
  readonly block: number;
  /** Since `startedAt`, on a clock that does not jump; and how long it took. */
  readonly startedMs: number;
  readonly durationMs: number;
  /** Windows that were measured, and those of them that do not count. */
  readonly windows: number;
  readonly dropped: number;
  /** In words: what went wrong, or the rules that were broken; null where nothing. */
  readonly reason: string | null;
  readonly failed: boolean;
  /** Whether its block counts in the contender's cell. */
  readonly counted?: boolean;
}

/** What the numbers were made on. No host name, user name or path. */
export interface Environment {
  /** A digest over hardware, kernel and Node: equal fingerprints may be compared. */
  readonly fingerprint: string;
  readonly [property: string]: unknown;
}

export interface Results {
  readonly schemaVersion: 1;
  readonly profile: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** False where the run was interrupted: the cells hold what was measured until then. */
  readonly complete: boolean;
  readonly seed: number;
  readonly environment: Environment;
  /** What was held equal between the contenders: buffer sizes, backlog, batch, windows. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly reference: string;
  readonly cells: readonly Cell[];
  /** Every round in the order in which they ran. Missing in results of earlier versions. */
  readonly timeline?: readonly TimelineRound[];
}
