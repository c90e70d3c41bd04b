// echo-capacity: how much one CPU can bear. A message is sent when another is back (closed loop),
// so many under way that the server is never without work. Valid only where the server's CPU was
// full and the load generator's was not. Enters: a scale. Leaves: one round's load.

import { echoMetrics, type LoadScale, machineRules, type Workload } from "./workload.ts";

/** Enough that a server finds work whenever it looks; few enough that a queue stays short. */
const mostInFlight = 256;

export const echoCapacity = {
  name: "echo-capacity",
  answers: "how many messages a second one CPU can bear",
  title: "Capacity of a core",
  lead:
    "Closed loop: a message is sent when another is back, so that the server is the limit. " +
    "Where the load generator was the limit, the figure is a lower bound and is not ranked.",
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
