// readiness: the wait itself, without a network. One process registers n socket pairs (the
// connections of the scale), makes some of them ready, and handles w events, each of which makes
// another pair ready, as libevent's benchmark does (Niels Provos, bench.c).
// bench/contenders/selector-turns.ts runs it.

import type { Workload } from "./workload.ts";

const activeCounts = [1, 100];
const writes = 1000;

export const readiness = {
  name: "readiness",
  answers: "what wait, register and modify cost, by the number of registered descriptors",
  title: "The wait itself",
  lead:
    "Pairs of sockets in one process, without a network: what waiting, registering and " +
    "modifying cost, by the number of registered descriptors.",
  counted: ["socket pair", "socket pairs"],
  charts: ["eventCost", "waitCost", "registerCost", "modifyCost", "unregisterCost"],
  regime: "readiness",
  headline: "eventCost",
  metrics: ["waitCost", "registerCost", "modifyCost", "unregisterCost", "eventsPerWait"],
  rules: [],
  loads: ({ connections }) =>
    activeCounts
      .filter((active) => active <= connections)
      .map((active) => ({
        variant: null,
        load: {
          mode: "readiness" as const,
          connections,
          activeConnections: active,
          payloadBytes: 1,
          writes,
        },
      })),
} as const satisfies Workload;
