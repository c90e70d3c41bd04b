// What is compared between base and head, as data: each metric with the margin that it must exceed
// to gate. Leaves: to the rule (rule.ts), to measuring (gate.ts) and to saved results (compare.ts).

import type { MetricName } from "../model/results.ts";

/** Counted while one connection sends one message after the other, so that nothing is chance. */
export type ExactName = "systemCalls" | "instructions";

export interface GateMetric {
  readonly name: MetricName | ExactName;
  /** As people say it. */
  readonly title: string;
  readonly unit: string;
  readonly better: "less" | "more";
  /** Whether it gates unasked. */
  readonly gates: boolean;
  /** A ratio whose interval does not lie beyond 1 + margin is no regression; 0.02 is 2 %. */
  readonly margin: number;
  /** The same between two runs of different times, where nothing was interleaved. */
  readonly marginApart: number;
  /** The smallest effect that a run has to be able to see, or it is inconclusive. */
  readonly wanted: number;
}

/** docs/regression.md has the reasons and the measured rates of false and missed alarms. */
export const gateMetrics: readonly GateMetric[] = [
  {
    name: "serverCpuPerMessage",
    title: "CPU a message",
    unit: "us",
    better: "less",
    gates: true,
    margin: 0.02,
    marginApart: 0.05,
    wanted: 0.05,
  },
  {
    name: "systemCalls",
    title: "system calls a message",
    unit: "1",
    better: "less",
    gates: true,
    margin: 0.01,
    marginApart: 0.01,
    wanted: 0.05,
  },
  {
    name: "instructions",
    title: "user instructions a message",
    unit: "1",
    better: "less",
    gates: true,
    margin: 0.02,
    marginApart: 0.02,
    wanted: 0.05,
  },
  {
    // Heaps grow in steps, and a JavaScript engine's when it pleases: unasked, it would leave most
    // runs inconclusive.
    name: "userBytesPerConnection",
    title: "bytes a connection",
    unit: "bytes",
    better: "less",
    gates: false,
    margin: 0.05,
    marginApart: 0.05,
    wanted: 0.1,
  },
  {
    // Depends on how many messages a wait finds, hence on how fast both ends are just now.
    name: "systemCallsPerMessage",
    title: "system calls a message under load",
    unit: "1",
    better: "less",
    gates: false,
    margin: 0.01,
    marginApart: 0.01,
    wanted: 0.05,
  },
  {
    name: "latencyP50",
    title: "p50 latency",
    unit: "us",
    better: "less",
    gates: false,
    margin: 0.1,
    marginApart: 0.1,
    wanted: 0.2,
  },
  {
    name: "latencyP99",
    title: "p99 latency",
    unit: "us",
    better: "less",
    gates: false,
    margin: 0.1,
    marginApart: 0.1,
    wanted: 0.2,
  },
  {
    name: "throughput",
    title: "throughput",
    unit: "1/s",
    better: "more",
    gates: false,
    margin: 0.05,
    marginApart: 0.05,
    wanted: 0.1,
  },
];

/** @throws {Error} on a name that is not in the table: a fault of whoever asks. */
export function gateMetric(name: string): GateMetric {
  const found = gateMetrics.find((metric) => metric.name === name);
  if (found === undefined) throw new Error(`${name} is not compared between base and head`);
  return found;
}
