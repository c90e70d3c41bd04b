// broadcast: a room of members, of whom one speaks: one message in, one to each of them out.
// Enters: a scale, whose connections are the members and whose rate is of what is said. Leaves:
// one round's load; bench/delivery/broadcast plays it.

import { type LoadScale, machineRules, rateOf, type Workload } from "./workload.ts";

export const broadcast: Workload = {
  name: "broadcast",
  answers: "one message in, N out: what a delivery costs, and when the last member has it",
  regime: "delivery",
  counted: "member",
  headline: "serverCpuPerDelivery",
  metrics: [
    "lastReceiverP50",
    "lastReceiverP99",
    "deliveriesPerSecond",
    "serverCpuPercent",
    "clientCpuPercent",
  ],
  rules: machineRules,
  mustFill: false,
  baseline: null,
  samplesMemory: false,
  comparesToReference: false,
  loads: (scale: LoadScale) => [
    {
      variant: null,
      load: {
        mode: "delivery",
        connections: scale.connections,
        activeConnections: 1,
        payloadBytes: scale.payloadBytes,
        ratePerSecond: rateOf(scale, "broadcast"),
      },
    },
  ],
};
