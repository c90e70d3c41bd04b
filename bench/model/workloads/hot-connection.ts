// hot-connection: one connection floods the server with many messages in flight; each of the others
// has one (closed loop). Measures whether the server treats them equally, and the longest wait of
// the others.

import {
  echoMetrics,
  type LoadScale,
  machineRules,
  type Variation,
  type Workload,
} from "./workload.ts";

const hotInFlight = 256;
const undisturbed = "undisturbed";

export const hotConnection = {
  name: "hot-connection",
  answers: "whether one connection that floods starves the others",
  title: "One hot connection",
  lead:
    "One connection floods among many. Jain's index is 1 if all the others are served equally. " +
    "The baseline is the same load without the flood, in the same block.",
  charts: ["fairnessJain", "longestGap", "ratioToBaseline", "hotThroughput"],
  regime: "capacity",
  headline: "fairnessJain",
  metrics: [...echoMetrics, "longestGap", "hotThroughput"],
  rules: machineRules,
  mustFill: false,
  baseline: { variant: undisturbed, metric: "latencyP99" },
  samplesMemory: false,
  comparesToReference: true,
  loads: (scale: LoadScale) => [variation(scale, undisturbed), variation(scale, "one floods")],
} as const satisfies Workload;

function variation({ connections, payloadBytes }: LoadScale, variant: string): Variation {
  return {
    variant,
    load: {
      mode: "closed",
      connections,
      activeConnections: connections,
      payloadBytes,
      inFlight: connections,
      depth: 1,
      ...(variant === undisturbed ? {} : { hotInFlight }),
    },
  };
}
