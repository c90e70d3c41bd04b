// The options of a run, which several commands take.

import {
  byteCount,
  type Given,
  type OptionRow,
  option,
  seconds,
  UsageError,
  whole,
  wholes,
  word,
  words,
} from "../command-line.ts";

export { UsageError };

/** What was asked for; null leaves it to the profile. */
export interface RunRequest {
  readonly profile: string | null;
  readonly workloads: readonly string[] | null;
  readonly contenders: readonly string[] | null;
  readonly connections: readonly number[] | null;
  /** Messages per second. */
  readonly rate: number | null;
  readonly payload: number | null;
  /** Measured time per round, in seconds. */
  readonly duration: number | null;
  /** The warm-up continues until the load is steady, up to this many seconds. */
  readonly steady: number | null;
  readonly blocks: number | null;
  /** How long the run may take, in seconds. */
  readonly budget: number | null;
  readonly seed: number | null;
  readonly out: string | null;
}

/** The settings of a round, for any contender. */
export const loadRows: readonly OptionRow[] = [
  option("connections", "N[,N]", "numbers of connections, each measured", wholes(1, 20_000_000)),
  option("rate", "N", "messages per second, over all connections", whole(1, 1e7)),
  option("payload", "BYTES", "bytes per message", byteCount(1, 1 << 20)),
  option("duration", "SECONDS", "measured time per round", seconds(0.05, 3600)),
  option(
    "steady",
    "SECONDS",
    "warm up until the load is steady, up to this long",
    seconds(0.05, 3600),
  ),
  option("blocks", "N", "rounds of every contender", whole(1, 1000)),
  option("budget", "SECONDS", "time limit, additional blocks included", seconds(1, 1e6)),
  option("seed", "N", "seed of orders, schedules, resamples", whole(0, 2 ** 32 - 1)),
];

export const outRow: OptionRow = option(
  "out",
  "DIR",
  "folder for reports; default: reports/",
  word,
);

/** What is measured. */
export const runRows: readonly OptionRow[] = [
  option("profile", "NAME", "set of workloads; default: quick", word),
  option("workloads", "A,B", "only these; also workloads outside the profile", words),
  option("contenders", "A,B", "only these, and the reference", words),
  ...loadRows,
  outRow,
];

/** The request that these values make; what a command does not offer stays null. */
export function requestOf({ values }: Given): RunRequest {
  const names = runRows.map(({ name }) => [name, values[name] ?? null] as const);
  return Object.fromEntries(names) as unknown as RunRequest;
}
