// connect-rate: connections that open and close. The connections of the scale are slots: each
// connects, echoes one message or none, resets (which leaves no TIME_WAIT) and starts again. In the
// load without an echo, one connection in sixteen still echoes, so that the server keeps up.
// Shows the cost of creating a thread or a process.

import {
  everyConnection,
  type Load,
  type LoadScale,
  machineRules,
  type Workload,
} from "./workload.ts";

export const connectRate = {
  name: "connect-rate",
  answers: "what a connection costs: accepts per second, threads and processes created",
  title: "Connections per second",
  unit: "connections",
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
  comparesToReference: true,
  loads: (scale) => [
    { variant: "connect only", load: churn(scale, false) },
    { variant: "connect, echo, close", load: churn(scale, true) },
  ],
} as const satisfies Workload;

function churn(scale: LoadScale, echo: boolean): Load {
  return { mode: "churn", ...everyConnection(scale), inFlight: scale.connections, echo };
}
