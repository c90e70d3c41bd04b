// pipelining: one or several messages in flight on each connection (closed loop). Shows which
// servers handle several messages per system call.

import { closedLoad, closedLoop, type Workload } from "./workload.ts";

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
  ...closedLoop,
  headline: "serverCpuPerMessage",
  baseline: { variant: nameOf(1), metric: "serverCpuPerMessage" },
  loads: (scale) =>
    depths.map((depth) => ({
      variant: nameOf(depth),
      load: closedLoad(scale, { inFlight: depth * scale.connections, depth }),
    })),
} as const satisfies Workload;
