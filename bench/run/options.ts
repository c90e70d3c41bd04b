// The options of a run, which several commands take.

import {
  byteCount,
  type Given,
  type OptionRow,
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
  /** Measured time a round, in seconds. */
  readonly duration: number | null;
  /** The warm-up goes on until the load is steady, so many seconds at most. */
  readonly steady: number | null;
  readonly blocks: number | null;
  /** How long the run may take, in seconds. */
  readonly budget: number | null;
  readonly seed: number | null;
  readonly out: string | null;
}

/** The settings of a round, for any contender. */
export const loadRows: readonly OptionRow[] = [
  {
    name: "connections",
    value: "N[,N]",
    help: "numbers of connections, each measured",
    read: wholes(1, 20_000_000),
  },
  {
    name: "rate",
    value: "N",
    help: "messages per second, over all connections",
    read: whole(1, 1e7),
  },
  { name: "payload", value: "BYTES", help: "bytes per message", read: byteCount(1, 1 << 20) },
  {
    name: "duration",
    value: "SECONDS",
    help: "measured time per round",
    read: seconds(0.05, 3600),
  },
  {
    name: "steady",
    value: "SECONDS",
    help: "warm up until the load is steady, up to this long",
    read: seconds(0.05, 3600),
  },
  { name: "blocks", value: "N", help: "passes over all contenders", read: whole(1, 1000) },
  {
    name: "budget",
    value: "SECONDS",
    help: "time limit, additional blocks included",
    read: seconds(1, 1e6),
  },
  {
    name: "seed",
    value: "N",
    help: "seed of orders, schedules, resamples",
    read: whole(0, 2 ** 32 - 1),
  },
];

export const outRow: OptionRow = {
  name: "out",
  value: "DIR",
  help: "folder for reports",
  read: word,
};

/** What is measured. */
export const runRows: readonly OptionRow[] = [
  { name: "profile", value: "NAME", help: "set of workloads, see below", read: word },
  { name: "workloads", value: "A,B", help: "only these; any, not only the profile's", read: words },
  { name: "contenders", value: "A,B", help: "only these, and the reference", read: words },
  ...loadRows,
  outRow,
];

/** The request that these values make; what a command does not offer stays null. */
export function requestOf({ values }: Given): RunRequest {
  const names = runRows.map(({ name }) => [name, values[name] ?? null] as const);
  return Object.fromEntries(names) as unknown as RunRequest;
}
