// replicas: a store with one writer and several readers (the connections of the scale), queried as
// fast as it answers while it changes, then written to as fast as it answers. Measures what more
// readers bring, how old the answers are, and what one address for both costs. bench/delivery runs
// it.

import { deliveryLoad, only, type Workload } from "./workload.ts";

export const replicas = {
  name: "replicas",
  answers: "one writer, many readers: reads per second, how old answers are, what the broker costs",
  title: "One writer, many readers",
  lead:
    "A store queried as fast as it answers while it changes 20 times per second, then written " +
    "to as fast as it answers. Staleness is the age of the first newer version at the time of " +
    "the request. Clients, broker, writer and readers share the CPUs of this machine.",
  counted: ["reader", "readers"],
  unit: "answers",
  unchecked: true,
  charts: ["readsPerSecond", "stalenessP99", "brokerCpuPerRead", "brokerCpuPerWrite"],
  whole: true,
  regime: "delivery",
  headline: "readsPerSecond",
  metrics: [
    "stalenessP50",
    "stalenessP99",
    "stalenessMax",
    "brokerCpuPerRead",
    "readerCpuPerRead",
    "writesPerSecond",
    "brokerCpuPerWrite",
    "forcedReloadsPerSecond",
  ],
  // Clients, broker, writer and readers share the CPUs, and wait for one another.
  rules: ["stolen"],
  loads: (scale) => only(deliveryLoad({ ...scale, payloadBytes: 0 }, null)),
} as const satisfies Workload;
