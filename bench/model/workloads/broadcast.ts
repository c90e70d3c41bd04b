// broadcast: a room whose members are the connections of the scale. Each message that one member
// sends goes to every member; the rate of the scale is that of the messages sent.
// bench/delivery/broadcast runs it.

import { deliveryLoad, machineRules, only, rateOf, type Workload } from "./workload.ts";

export const broadcast = {
  name: "broadcast",
  answers: "one message in, N out: the cost of a delivery, and the delay of the last member",
  title: "Broadcast",
  lead:
    "A chat room: one message in, one out to each member. A delivery is one message to one " +
    "member; the last receiver is the one that waited longest, counted from when the message " +
    "was due.",
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
  loads: (scale) =>
    only({
      ...deliveryLoad(scale, rateOf(scale, "broadcast")),
      activeConnections: 1,
    }),
} as const satisfies Workload;
