// echo-capacity: the highest message rate of one CPU. Each answer triggers the next message (closed
// loop), with enough messages in flight that the server always has work. Valid only if the server's
// CPU was saturated and the load generator's was not.

import { echoMetrics, type LoadScale, machineRules, type Workload } from "./workload.ts";

/** Enough that a server finds work whenever it looks; few enough that a queue stays short. */
const mostInFlight = 256;

export const echoCapacity = {
  name: "echo-capacity",
  answers: "how many messages per second one CPU handles",
  title: "Capacity of a core",
  lead:
    "Closed loop: each answer triggers the next message, so that the server is the limit. If " +
    "the load generator was the limit, the figure is a lower bound and is not ranked.",
  charts: ["throughput"],
  regime: "capacity",
  headline: "throughput",
  metrics: [...echoMetrics, "throughputAtLeast"],
  rules: machineRules,
  mustFill: true,
  baseline: null,
  samplesMemory: false,
  comparesToReference: true,
  loads: ({ connections, payloadBytes }: LoadScale) => [
    {
      variant: null,
      load: {
        mode: "closed",
        connections,
        activeConnections: connections,
        payloadBytes,
        inFlight: Math.min(connections, mostInFlight),
      },
    },
  ],
} as const satisfies Workload;
