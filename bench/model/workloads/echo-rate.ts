// echo-rate: every connection carries messages, the same intended rate for every contender (open
// loop). Gives CPU a message and latency, the headline. Enters: a scale. Leaves: one round's load,
// due on a seeded Poisson schedule.

import {
  echoMetrics,
  type LoadScale,
  rateOf,
  scheduleRules,
  uncorrectedMetrics,
  type Workload,
} from "./workload.ts";

export const echoRate = {
  name: "echo-rate",
  answers: "CPU per message and latency at the same load",
  title: "Echo at a given rate",
  lead: "Every server gets the same messages at the same times, whatever it makes of them.",
  charts: ["serverCpuPerMessage", "latencyP99"],
  regime: "matched-rate",
  headline: "serverCpuPerMessage",
  metrics: [...echoMetrics, ...uncorrectedMetrics],
  rules: scheduleRules,
  mustFill: false,
  baseline: null,
  samplesMemory: false,
  comparesToReference: true,
  loads: (scale: LoadScale) => [
    {
      variant: null,
      load: {
        mode: "open",
        connections: scale.connections,
        activeConnections: scale.connections,
        payloadBytes: scale.payloadBytes,
        ratePerSecond: rateOf(scale, "echo-rate"),
        schedule: "poisson",
      },
    },
  ],
} as const satisfies Workload;
