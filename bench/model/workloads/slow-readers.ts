// slow-readers: one peer in twenty sends and never reads. The latency of the others is compared
// with a load without such peers in the same block, and the server's memory must stay bounded.

import { matchedRate, openLoad, type Workload } from "./workload.ts";

const slowShare = 0.05;
const undisturbed = "undisturbed";

export const slowReaders = {
  name: "slow-readers",
  answers: "whether peers that stop reading slow the others, or fill the server's memory",
  title: "Slow readers",
  lead:
    "Some peers stop reading. The others' latency and the server's memory must stay bounded. " +
    "The baseline is the same without such peers, in the same block.",
  charts: ["latencyP99", "ratioToBaseline", "serverMemory"],
  ...matchedRate,
  headline: "latencyP99",
  metrics: [...matchedRate.metrics, "serverMemory"],
  baseline: { variant: undisturbed, metric: "latencyP99" },
  samplesMemory: true,
  comparesToReference: true,
  loads: (scale) => {
    const slow = Math.max(1, Math.round(scale.connections * slowShare));
    const load = openLoad(scale, "slow-readers");
    const activeConnections = scale.connections - slow;
    return [
      { variant: undisturbed, load },
      { variant: `${slow} never read`, load: { ...load, activeConnections, slowReaders: slow } },
    ];
  },
} as const satisfies Workload;
