// echo-capacity: how many messages one CPU carries. Each answer triggers the next message (closed
// loop), with enough messages in flight that the server always has work. The server is limited to a
// part of its CPU, so that it is saturated while the load generator is not; the figure counts per
// second of the server's CPU time. Valid only if the server used up its part.

import {
  type ClosedLoad,
  closedLoad,
  closedLoop,
  type LoadScale,
  only,
  type Workload,
} from "./workload.ts";

/** Enough that a server finds work whenever it looks; few enough that a queue stays short. */
const mostInFlight = 256;

export function saturating(scale: LoadScale): ClosedLoad {
  return closedLoad(scale, { inFlight: Math.min(scale.connections, mostInFlight) });
}

export const echoCapacity = {
  name: "echo-capacity",
  answers: "how many messages per second one CPU handles",
  title: "Capacity of a core",
  lead:
    "Closed loop, with the server on a part of its CPU, so that it is saturated while the load " +
    "generator is not: messages per second of the server's CPU time. If the load generator was " +
    "the limit, the figure is a lower bound and is not ranked.",
  charts: ["messagesPerCpuSecond", "throughput"],
  ...closedLoop,
  headline: "messagesPerCpuSecond",
  metrics: [...closedLoop.metrics, "throughputAtLeast"],
  mustFill: true,
  loads: (scale) => only(saturating(scale)),
} as const satisfies Workload;
