// latency-against-load: each server at parts of its own capacity, which a closed-loop pilot
// finds out in each round. Shows how latency rises as a server runs out of CPU time, and where.

import { saturating } from "./echo-capacity.ts";
import { matchedRate, type Workload } from "./workload.ts";

const percents = [25, 50, 75, 90];

export const latencyAgainstLoad = {
  name: "latency-against-load",
  answers: "how latency rises as a server nears its capacity",
  title: "Latency against load",
  lead:
    "Each server at shares of its own capacity, which a short closed loop measures before each " +
    "measurement. The knee is the lowest of these loads at which p99 is more than twice that of " +
    "the lightest load.",
  charts: ["latencyP99"],
  ...matchedRate,
  regime: "own-rate",
  headline: "latencyP99",
  // The rates differ: a ratio to the reference would compare different loads.
  loads: (scale) =>
    percents.map((capacityPercent) => ({
      variant: `${capacityPercent} % of its capacity`,
      load: { ...saturating(scale), mode: "share", capacityPercent },
    })),
} as const satisfies Workload;
