// echo-rate: messages on every connection, at the same intended rate for every contender (open
// loop, a seeded Poisson schedule). Gives the headline: CPU per message, and latency.

import { matchedRate, only, openLoad, type Workload } from "./workload.ts";

export const echoRate = {
  name: "echo-rate",
  answers: "CPU per message and latency at the same load",
  title: "Echo at a given rate",
  lead: "Every server gets the same messages at the same times.",
  charts: ["serverCpuPerMessage", "latencyP99"],
  ...matchedRate,
  headline: "serverCpuPerMessage",
  comparesToReference: true,
  loads: (scale) => only(openLoad(scale, "echo-rate")),
} as const satisfies Workload;
