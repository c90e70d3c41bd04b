// broadcast: a room of members, of whom one speaks: one message in, one to each of them out.
// Enters: a scale, whose connections are the members and whose rate is of what is said. Leaves:
// one round's load; bench/delivery/broadcast plays it.

import { type LoadScale, machineRules, rateOf, type Workload } from "./workload.ts";

export const broadcast = {
  name: "broadcast",
  answers: "one message in, N out: what a delivery costs, and when the last member has it",
  title: "Broadcast",
  lead:
    "A chat room: one message in, one out to each member. A delivery is one message to one " +
    "member; the last receiver is the one that waited longest, counted from when the message " +
    "was meant to be sent.",
  counted: ["member", "members"],
  unit: "deliveries",
  activeText: () => "one speaks",
  charts: ["serverCpuPerDelivery", "lastReceiverP50", "deliveriesPerSecond"],
  regime: "delivery",
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
} as const satisfies Workload;
