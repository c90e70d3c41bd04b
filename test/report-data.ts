// Invented results for the tests of bench/report: all ten contenders of the quick profile, figures
// near those that a two-core machine gives. Nothing here was measured.

import type { CpuProfile } from "../bench/model/cpu-profile.ts";
import {
  type Cell,
  type Metric,
  type MetricName,
  type Results,
  type Status,
  schemaVersion,
} from "../bench/model/results.ts";
import { kindOf } from "../bench/model/version-1.ts";

/** A metric with an interval of ±spread around its median. */
export function metric(unit: string, median: number, spread = 0.02): Metric {
  const low = median * (1 - spread);
  const high = median * (1 + spread);
  return { unit, median, low, high, blocks: [low, median, high] };
}

/** Server CPU per message and latencies in µs, CPU in percent of a core. */
export interface Figures {
  readonly cpu: number;
  readonly p50: number;
  readonly p99: number;
  readonly percent: number;
}

const reference = { contender: "cpp:reactor-epoll", cpu: 11.1 };

/** A cell that was measured; its ratio follows from its CPU per message. */
export function measuredCell(contender: string, { cpu, p50, p99, percent }: Figures): Cell {
  const metrics: Partial<Record<MetricName, Metric>> = {
    serverCpuPerMessage: metric("us", cpu),
    ratioToReference:
      contender === reference.contender
        ? metric("ratio", 1, 0)
        : metric("ratio", cpu / reference.cpu),
    latencyP50: metric("us", p50),
    latencyP90: metric("us", p50 * 1.7),
    latencyP99: metric("us", p99),
    latencyP999: { unit: "us", median: null, low: null, high: null, blocks: [] },
    latencyP99Uncorrected: metric("us", p99 * 0.8),
    serverCpuPercent: metric("percent", percent),
    systemCallsPerMessage: metric("1", 2.1),
  };
  return { ...emptyCell, contender, ...kindOf(contender), blocks: 8, messages: 120_345, metrics };
}

/** A cell without figures. */
export function otherCell(contender: string, status: Status, reason: string): Cell {
  return { ...emptyCell, contender, ...kindOf(contender), status, reason };
}

const emptyCell: Cell = {
  workload: "echo-rate",
  contender: "",
  runtime: "cpp",
  strategy: "",
  connections: 10_000,
  activeConnections: 10_000,
  payloadBytes: 64,
  ratePerSecond: 30_000,
  status: "ok",
  reason: null,
  blocks: 0,
  dropped: 0,
  messages: 0,
  mismatches: 0,
  metrics: {},
};

/** Eight measured contenders, one of them a tie, one skipped and one failed. */
export function tenCells(): Cell[] {
  const measured = [
    measuredCell("ts:busy-poll", { cpu: 33.4, p50: 9_800, p99: 41_000, percent: 99.96 }),
    measuredCell("cpp:select", { cpu: 30.4, p50: 2_100, p99: 9_870, percent: 91.2 }),
    measuredCell("cpp:reactor-epoll", { cpu: 11.1, p50: 412, p99: 1_240, percent: 33.1 }),
    measuredCell("ts:reactor-epoll", { cpu: 13.8, p50: 521, p99: 2_240, percent: 41.4 }),
    measuredCell("cpp:thread-per-connection", { cpu: 15.9, p50: 388, p99: 3_150, percent: 47.7 }),
    measuredCell("node:net", { cpu: 16.7, p50: 611, p99: 4_020, percent: 50.1 }),
    measuredCell("cpp:busy-poll", { cpu: 32.8, p50: 9_120, p99: 38_400, percent: 99.2 }),
    {
      ...measuredCell("cpp:poll", { cpu: 11.2, p50: 433, p99: 999.7, percent: 9.96 }),
      dropped: 3,
      status: "tie" as const,
    },
  ];
  return [
    otherCell(
      "ts:select",
      "failed",
      "exited with code 1 before it was ready: Error: cannot load the addon\n    " +
        "at load (native.js:12)\n\u001b[31mfatal\u001b[0m",
    ),
    ...measured,
    otherCell(
      "ts:poll",
      "skipped",
      "RLIMIT_NOFILE 1024 < 10080 needed; sudo prlimit --pid $$ --nofile=10080:10080",
    ),
  ];
}

export function inventedResults(changes: Partial<Results> = {}): Results {
  return {
    schemaVersion,
    profile: "quick",
    startedAt: "2026-11-21T09:30:00.123Z",
    finishedAt: "2026-11-21T09:31:02.000Z",
    complete: true,
    seed: 7,
    environment: {
      fingerprint: "0123456789abcdef",
      cpuModel: "Invented CPU @ 2.80GHz",
      logicalCores: 2,
      availableCores: 2,
      memoryBytes: 25_165_824_000,
      mitigations: { spectre_v2: "Retpolines", meltdown: "PTI" },
      loadAverage: [0.25, 0.5, 0.1],
      governor: null,
      commit: "c1eee41aaaaa",
      clean: true,
    },
    settings: {
      readBufferBytes: 16_384,
      eventsPerWait: 256,
      tcpNoDelay: true,
      options: { blocks: 8, out: "x" },
    },
    reference: reference.contender,
    cells: tenCells(),
    ...changes,
  };
}

/** Three stacks: a function, and two that it calls. */
export function inventedProfile(contender: string, given: Partial<CpuProfile> = {}): CpuProfile {
  return {
    ...{ workload: "echo-rate", contender, connections: 10_000, activeConnections: 10_000 },
    ...{ payloadBytes: 64, reason: null, samplesPerSecond: 997, seconds: 3 },
    ...{ samples: 1000, shares: { sending: 600, waiting: 300, own: 100 } },
    frames: ["main", "send_[k]", "<wait>_[k]"],
    stacks: [
      [600, 0, 1],
      [300, 0, 2],
      [100, 0],
    ],
    ...given,
  };
}
