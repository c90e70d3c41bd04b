// How much one run of the gate measures, as data.

import { usualPayloadBytes } from "../model/workloads/workload.ts";
import type { Timing } from "../run/profiles.ts";
import type { ExactName } from "./metrics.ts";

/** One load under which both sides are compared in blocks. */
export interface LoadRow {
  readonly workload: "echo-rate" | "memory" | "echo-capacity";
  readonly contenders: readonly string[];
  readonly connections: number;
  readonly payloadBytes: number;
  /** Messages per second; null if the workload has no rate of its own. */
  readonly ratePerSecond: number | null;
  /** Metrics that are compared, by their name in metrics.ts. */
  readonly metrics: readonly string[];
  /** Pairs that have to count; blocks are run until they do, up to `attempts`. */
  readonly pairs: number;
  /** Whether blocks go on until the first metric's wanted effect would be detected; default: no. */
  readonly untilPowered?: boolean;
  readonly attempts: number;
  readonly timing: Timing;
  /** All sides at the same time, on one CPU, or one after the other; each gets the whole rate. */
  readonly together: boolean;
  /** Pairs where none of its metrics is asked to gate; 0 measures nothing, none: as many. */
  readonly pairsUnasked?: number;
  /** In the same blocks the base once more, with this share of its CPU time added; null: not. */
  readonly plantedPercent?: number | null;
}

/** Figures without chance in them. */
export interface ExactRow {
  readonly metric: ExactName;
  readonly contenders: readonly string[];
  /** Sent one after the other on one connection. */
  readonly messages: number;
  /** Ten differ to one side by chance in two of a thousand runs. */
  readonly pairs: number;
}

export interface GateProfile {
  readonly name: string;
  readonly summary: string;
  readonly loads: readonly LoadRow[];
  readonly exact: readonly ExactRow[];
}

const contenders = ["cpp:reactor-epoll", "ts:reactor-epoll"];

/** JavaScript compiles while it warms up; what is left of that is the same on both sides. */
const usual: Timing = { warmupMs: 300, steadyWithinMs: 0, windows: 4, windowMs: 200 };
/** Starting servers takes most of a second: the longer each counts, the less of a run that is. */
const longer: Timing = { ...usual, windows: 8, windowMs: 300 };
const short: Timing = { warmupMs: 150, steadyWithinMs: 0, windows: 2, windowMs: 150 };

const systemCalls: ExactRow = { metric: "systemCalls", contenders, messages: 300, pairs: 10 };
const instructions: ExactRow = {
  metric: "instructions",
  contenders: ["cpp:reactor-epoll"],
  messages: 1_000,
  pairs: 10,
};

const echo: LoadRow = {
  workload: "echo-rate",
  contenders,
  connections: 500,
  payloadBytes: usualPayloadBytes,
  ratePerSecond: 18_000,
  metrics: ["serverCpuPerMessage", "systemCallsPerMessage"],
  pairs: 10,
  untilPowered: true,
  attempts: 40,
  timing: longer,
  together: true,
};

/** Taking turns: on a shared CPU the wait for it would add to every latency. */
const latency: LoadRow = {
  ...echo,
  ratePerSecond: 20_000,
  metrics: ["latencyP50", "latencyP99"],
  untilPowered: false,
  timing: usual,
  pairs: 20,
  attempts: 30,
  together: false,
  pairsUnasked: 6,
};

const capacity: LoadRow = {
  ...echo,
  workload: "echo-capacity",
  connections: 100,
  ratePerSecond: null,
  metrics: ["throughput"],
  untilPowered: false,
  pairs: 20,
  attempts: 30,
  timing: usual,
  together: false,
  pairsUnasked: 0,
};

export const defaultGateProfile = "default";

export const gateProfiles: readonly GateProfile[] = [
  {
    name: defaultGateProfile,
    summary: "10 to 40 pairs of each contender and exact counts, two to five minutes",
    loads: [
      echo,
      latency,
      {
        workload: "memory",
        contenders,
        connections: 10_000,
        payloadBytes: usualPayloadBytes,
        ratePerSecond: null,
        metrics: ["userBytesPerConnection"],
        pairs: 10,
        attempts: 12,
        timing: usual,
        together: false,
        pairsUnasked: 0,
      },
      capacity,
    ],
    exact: [systemCalls, instructions],
  },
  {
    name: "short",
    summary: "10 short pairs and exact system calls, about a minute; detects large changes only",
    // Of fewer pairs not even the most extreme result differs beyond chance if all metrics gate.
    loads: [
      { ...echo, connections: 200, untilPowered: false, attempts: 12, timing: short },
      { ...latency, connections: 200, pairs: 10, attempts: 12, timing: short, pairsUnasked: 0 },
      { ...capacity, pairs: 10, attempts: 12, timing: short },
    ],
    exact: [{ ...systemCalls, messages: 250 }],
  },
];
