// connect-rate: connections that open and close. The connections of the scale are slots: each
// connects, echoes one message or none, resets (which leaves no TIME_WAIT) and starts again. In the
// load without an echo, one connection in sixteen echoes all the same, so that the server keeps up.
// Shows the cost of creating a thread or a process.

import { type LoadScale, machineRules, type Variation, type Workload } from "./workload.ts";

export const connectRate = {
  name: "connect-rate",
  answers: "what a connection costs: accepts per second, threads and processes created",
  title: "Connections per second",
  lead: "Connections open and close repeatedly: the cost of a connection, thread or process.",
  charts: ["serverCpuPerConnection", "acceptsPerSecond"],
  regime: "churn",
  headline: "serverCpuPerConnection",
  metrics: [
    "acceptsPerSecond",
    "serverCpuPercent",
    "serverUserCpuPercent",
    "clientCpuPercent",
    "latencyP50",
    "latencyP90",
    "latencyP99",
    "latencyP999",
  ],
  rules: machineRules,
  mustFill: false,
  baseline: null,
  samplesMemory: false,
  comparesToReference: true,
  loads: (scale: LoadScale) => [
    variation(scale, { variant: "connect only", echo: false }),
    variation(scale, { variant: "connect, echo, close", echo: true }),
  ],
} as const satisfies Workload;

function variation(
  { connections, payloadBytes }: LoadScale,
  { variant, echo }: { readonly variant: string; readonly echo: boolean },
): Variation {
  return {
    variant,
    load: {
      mode: "churn",
      connections,
      activeConnections: connections,
      payloadBytes,
      inFlight: connections,
      echo,
    },
  };
}
