// The profiles: which workloads, contenders and scales one command runs, and for how long. Pure
// data. Leaves: to bench/plan.ts, where the command line overrides single figures.

/** How one round of one contender is timed. */
export interface Timing {
  readonly warmupMs: number;
  readonly windows: number;
  readonly windowMs: number;
}

/** One workload at the scales given: every connection count with every payload. */
export interface ProfileRow {
  readonly workload: string;
  readonly connections: readonly number[];
  readonly payloadBytes: readonly number[];
  readonly ratePerSecond: number | null;
}

export interface Profile {
  readonly name: string;
  readonly summary: string;
  /** Names from the catalogue; null for all of them. */
  readonly contenders: readonly string[] | null;
  readonly rows: readonly ProfileRow[];
  readonly blocks: number;
  readonly timing: Timing;
}

export const defaultProfile = "quick";

export const profiles: readonly Profile[] = [
  {
    name: "quick",
    summary: "echo-rate at 10,000 connections, all contenders, about two minutes",
    contenders: null,
    rows: [
      { workload: "echo-rate", connections: [10_000], payloadBytes: [64], ratePerSecond: 20_000 },
    ],
    // Below six blocks no interval of a median over blocks can cover 95 %.
    blocks: 6,
    timing: { warmupMs: 500, windows: 4, windowMs: 250 },
  },
];
