// replicas: a store with one writer and several readers, asked as fast as it answers while it
// changes: what more readers bring, and how old answers are. Enters: a scale, whose connections
// are the readers. Leaves: one round's load; bench/delivery plays it.

import type { LoadScale, Workload } from "./workload.ts";

export const replicas: Workload = {
  name: "replicas",
  answers: "one writer, many readers: reads a second, how old answers are, what the broker costs",
  regime: "delivery",
  counted: "reader",
  headline: "readsPerSecond",
  metrics: [
    "stalenessP50",
    "stalenessP99",
    "stalenessMax",
    "brokerCpuPerRead",
    "readerCpuPerRead",
    "forcedReloadsPerSecond",
  ],
  // Clients, broker, writer and readers share the CPUs, and wait for one another.
  rules: ["stolen"],
  mustFill: false,
  baseline: null,
  samplesMemory: false,
  comparesToReference: false,
  loads: ({ connections }: LoadScale) => [
    {
      variant: null,
      load: {
        mode: "delivery",
        connections,
        activeConnections: connections,
        payloadBytes: 0,
        ratePerSecond: null,
      },
    },
  ],
};
