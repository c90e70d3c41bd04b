// event-delivery: processes that wait for events, half of them for the event that is sent. Those
// should learn of it soon, and the others should not be disturbed. The connections of the scale are
// the processes; bench/delivery runs it.

import { deliveryLoad, only, rateOf, type Workload } from "./workload.ts";

export const eventDelivery = {
  name: "event-delivery",
  answers: "how an event reaches exactly the processes that wait for it",
  title: "Waking exactly the processes that wait",
  lead:
    "Processes that wait for events, half of them for the one that is sent, and a sender. Those " +
    "should receive it soon, and the others should not be disturbed. CPU is per process and " +
    "event; a burst is all events at once.",
  counted: ["process", "processes"],
  unit: "events for a listener, lost ones counted separately",
  unchecked: true,
  activeText: (count) => `${count} wait for what is sent`,
  rateUnit: "events",
  charts: ["lastListenerP50", "othersCpuPerEvent", "burstLostPercent"],
  whole: true,
  regime: "delivery",
  headline: "lastListenerP50",
  metrics: [
    "lastListenerP99",
    "othersCpuPerEvent",
    "listenerCpuPerEvent",
    "senderCpuPerEvent",
    "senderCpuPerListener",
    "lostPercent",
    "duplicatedPercent",
    "burstLostPercent",
    "burstDuplicatedPercent",
    "eventTypesHeld",
    "eventTypeCost",
  ],
  // More processes than CPUs wait for one another: that is what the latency is of.
  rules: ["stolen"],
  loads: (scale) =>
    only({
      ...deliveryLoad({ ...scale, payloadBytes: 0 }, rateOf(scale, "event-delivery")),
      activeConnections: Math.ceil(scale.connections / 2),
    }),
} as const satisfies Workload;
