// idle: connections that are open and silent. A server that waits for events uses almost no CPU;
// one that polls its connections uses a whole CPU.

import { everyConnection, only, type Workload } from "./workload.ts";

export const idle = {
  name: "idle",
  answers: "what waiting costs: CPU and wake-ups of silent connections",
  title: "What waiting costs",
  lead: "Connections that are open and silent. A server that waits for events uses almost no CPU.",
  charts: ["idleCpuPercent", "idleWakeupsPerSecond", "serverMemory"],
  regime: "idle",
  headline: "idleCpuPercent",
  metrics: ["idleWakeupsPerSecond", "serverMemory"],
  // Nothing is sent, so nothing is sent late; a server that waited for its CPU was not idle.
  rules: ["server-waited", "stolen"],
  samplesMemory: true,
  comparesToReference: true,
  loads: (scale) => only({ mode: "idle", ...everyConnection(scale), activeConnections: 0 }),
} as const satisfies Workload;
