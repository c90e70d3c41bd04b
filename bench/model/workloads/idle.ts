// idle: connections that are open and silent. A server that waits for events uses almost no CPU;
// one that polls its connections uses a whole CPU.

import type { LoadScale, Workload } from "./workload.ts";

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
  mustFill: false,
  baseline: null,
  samplesMemory: true,
  comparesToReference: true,
  loads: ({ connections, payloadBytes }: LoadScale) => [
    {
      variant: null,
      load: { mode: "idle", connections, activeConnections: 0, payloadBytes },
    },
  ],
} as const satisfies Workload;
