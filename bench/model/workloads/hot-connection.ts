// hot-connection: one connection floods the server with many messages in flight; each of the others
// has one (closed loop). Measures whether the server treats them equally, and the longest wait of
// the others.

import {
  type ClosedLoad,
  closedLoad,
  closedLoop,
  type LoadScale,
  type Workload,
} from "./workload.ts";

const hotInFlight = 256;
const undisturbed = "undisturbed";

export const hotConnection = {
  name: "hot-connection",
  answers: "whether one connection that floods starves the others",
  title: "One hot connection",
  lead:
    "One of many connections floods the server. Jain's index is 1 if all the others are served " +
    "equally. The baseline is the same load without the flood, in the same block.",
  charts: ["fairnessJain", "longestGap", "ratioToBaseline", "hotThroughput"],
  ...closedLoop,
  headline: "fairnessJain",
  metrics: [...closedLoop.metrics, "longestGap", "hotThroughput"],
  baseline: { variant: undisturbed, metric: "latencyP99" },
  loads: (scale) => [
    { variant: undisturbed, load: oneEach(scale) },
    { variant: "one floods", load: { ...oneEach(scale), hotInFlight } },
  ],
} as const satisfies Workload;

function oneEach(scale: LoadScale): ClosedLoad {
  return closedLoad(scale, { inFlight: scale.connections, depth: 1 });
}
