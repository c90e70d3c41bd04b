// A profile of one server's CPU time: samples by category, and the stacks behind them.

import * as s from "./schema.ts";

/** What CPU time is spent on, in the order in which reports show it. */
export const timeCategories = [
  "waiting",
  "receiving",
  "sending",
  "accepting",
  "otherCalls",
  "crossing",
  "scheduling",
  "interrupts",
  "memory",
  "own",
  "runtime",
  "libraries",
] as const;

export type TimeCategory = (typeof timeCategories)[number];

export const cpuProfileSchema = s.record({
  workload: s.text,
  contender: s.text,
  connections: s.amount,
  activeConnections: s.amount,
  payloadBytes: s.amount,
  variant: s.optional(s.text),
  /** Why there are no samples; null if there are. */
  reason: s.nullable(s.text),
  /** How often the CPU was sampled, and for how long. */
  samplesPerSecond: s.amount,
  seconds: s.number,
  /** Samples of the server's processes: the sum of `shares`. */
  samples: s.amount,
  /** Samples per category. */
  shares: s.mapOf(s.amount) as s.Schema<Readonly<Partial<Record<TimeCategory, number>>>>,
  /** Functions by name; `_[k]` ends those of the kernel, `_[j]` those that an engine compiled. */
  frames: s.list(s.text),
  /** Each stack: how many samples it has, then its frames as indices, the outermost first. */
  stacks: s.list(s.list(s.amount)),
});

/** Where the CPU time of one contender goes, from a pass of its own. */
export type CpuProfile = s.Infer<typeof cpuProfileSchema>;
