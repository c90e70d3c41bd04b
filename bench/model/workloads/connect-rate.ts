// connect-rate: connections that come and go. A few slots connect, perhaps echo one message, reset
// (so that no TIME_WAIT is left) and begin anew. Where they only connect, one in sixteen echoes all
// the same, so that the server keeps up. Shows what creating a thread or a process costs.
// Enters: a scale, whose connections are the slots. Leaves: a load without the echo and one with
// it.

import { type LoadScale, machineRules, type Variation, type Workload } from "./workload.ts";

export const connectRate = {
  name: "connect-rate",
  answers: "what a connection costs: accepts a second, threads and processes created",
  title: "Connections a second",
  lead: "Connect and close, over and over: what a new connection, thread or process costs.",
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
