// The data that flows through the suite's end: what a run leaves in results.json (schemaVersion 1),
// as types. Enters: measured cells from bench/measure. Leaves: to bench/report, and to whoever
// reads the file. Pure data.

/**
 * How a cell ended. `tie` is an `ok` whose interval holds the reference; see docs in
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

/** The metric names of the schema; a cell has those that were measured. */
export type MetricName =
  | "serverCpuPerMessage"
  | "ratioToReference"
  | "serverCpuPercent"
  | "serverUserCpuPercent"
  | "latencyP50"
  | "latencyP90"
  | "latencyP99"
  | "latencyP999"
  | "latencyP50Uncorrected"
  | "latencyP90Uncorrected"
  | "latencyP99Uncorrected"
  | "latencyP999Uncorrected"
  | "throughput"
  | "systemCallsPerMessage"
  | "contextSwitchesPerMessage"
  | "eventsPerWait"
  | "clientCpuPerMessage"
  | "userBytesPerConnection"
  | "kernelBytesPerConnection"
  | "idleCpuPercent"
  | "acceptsPerSecond"
  | "fairnessJain";

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
  readonly status: Status;
  /** In words, whenever the status is not `ok` or `tie`. */
  readonly reason: string | null;
  /** Blocks that count, and windows that the validity gate dropped. */
  readonly blocks: number;
  readonly dropped: number;
  readonly messages: number;
  /** Messages whose bytes were not what was sent, plus those that never came back. */
  readonly mismatches: number;
  readonly metrics: Partial<Record<MetricName, Metric>>;
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
}
