// slow-readers: one peer in twenty sends and never reads. The latency of the others is compared
// with a load without such peers in the same block, and the server's memory must stay bounded.

import {
  echoMetrics,
  type LoadScale,
  rateOf,
  scheduleRules,
  uncorrectedMetrics,
  type Variation,
  type Workload,
} from "./workload.ts";

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
  regime: "matched-rate",
  headline: "latencyP99",
  metrics: [...echoMetrics, ...uncorrectedMetrics, "serverMemory"],
  rules: scheduleRules,
  mustFill: false,
  baseline: { variant: undisturbed, metric: "latencyP99" },
  samplesMemory: true,
  comparesToReference: true,
  loads: (scale: LoadScale) => {
    const slow = Math.max(1, Math.round(scale.connections * slowShare));
    return [
      variation(scale, { variant: undisturbed, slow: 0 }),
      variation(scale, { variant: `${slow} never read`, slow }),
    ];
  },
} as const satisfies Workload;

function variation(
  scale: LoadScale,
  { variant, slow }: { readonly variant: string; readonly slow: number },
): Variation {
  return {
    variant,
    load: {
      mode: "open",
      connections: scale.connections,
      activeConnections: scale.connections - slow,
      payloadBytes: scale.payloadBytes,
      ratePerSecond: rateOf(scale, "slow-readers"),
      schedule: "poisson",
      ...(slow === 0 ? {} : { slowReaders: slow }),
    },
  };
}
