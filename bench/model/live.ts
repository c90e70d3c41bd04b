// The messages that the live page receives during a run: each has a kind and the data of that kind.

export type LiveMessage =
  | { readonly kind: "status"; readonly data: LiveStatus }
  | { readonly kind: "samples"; readonly data: readonly LiveSample[] }
  | { readonly kind: "round"; readonly data: LiveRound }
  | { readonly kind: "note"; readonly data: string }
  | { readonly kind: "finished"; readonly data: null };

/** How far the run is. */
interface LiveStatus {
  readonly done: number;
  readonly total: number;
  readonly elapsedSeconds: number;
  /** In words, as the terminal has them. */
  readonly left: string;
  /** The contenders that are measured now: several if the load turns from one to the next. */
  readonly running: readonly string[];
  /** What is under way, in words. */
  readonly doing: string;
}

/** One look at a server under test. */
export interface LiveSample {
  /** Seconds since the run began. */
  readonly at: number;
  readonly contender: string;
  /** Percent of one core; bytes. Null if the platform does not account it. */
  readonly cpu: number | null;
  readonly memory: number | null;
}

/** What a round gave, its windows together, whether or not they will count. */
export interface LiveRound {
  readonly at: number;
  readonly contender: string;
  /** The workload with its scale and variant, in words. */
  readonly scenario: string;
  readonly block: string;
  /** Messages per second; microseconds. */
  readonly throughput: number | null;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly cpuPerMessage: number | null;
  /** Windows that were measured, and those of them that were disturbed and will be dropped. */
  readonly windows: number;
  readonly dropped: number;
  readonly problem: string | null;
}

/** The charts of the page, by the id of their figure. */
export type LiveChartName = "cpu" | "memory" | "throughput" | "latency";

/** More than a minute of ten servers that run at one time; the final report has what is older. */
export const keptSamples = 1_000;
