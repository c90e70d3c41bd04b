// pipelining: one or several messages in flight on each connection (closed loop). Shows which
// servers handle several messages per system call.

import {
  echoMetrics,
  everyConnection,
  type LoadScale,
  machineRules,
  type Workload,
} from "./workload.ts";

const depths = [1, 16];
const nameOf = (depth: number) => `depth ${depth}`;

export const pipelining = {
  name: "pipelining",
  answers: "what several messages in flight on a connection save",
  title: "Pipelining",
  lead:
    "Several messages in flight on each connection: which servers handle them in fewer calls? " +
    "The baseline is one message at a time.",
  charts: ["serverCpuPerMessage", "ratioToBaseline", "throughput"],
  regime: "capacity",
  headline: "serverCpuPerMessage",
  metrics: echoMetrics,
  rules: machineRules,
  baseline: { variant: nameOf(1), metric: "serverCpuPerMessage" },
  comparesToReference: true,
  loads: (scale: LoadScale) =>
    depths.map((depth) => ({
      variant: nameOf(depth),
      load: {
        mode: "closed" as const,
        ...everyConnection(scale),
        inFlight: depth * scale.connections,
        depth,
      },
    })),
} as const satisfies Workload;
