// echo-rate: every connection carries messages, the same intended rate for every contender (open
// loop). Gives CPU a message and latency, the headline. Enters: a scale. Leaves: one round's load,
// due on a seeded Poisson schedule.

import type { Scale, Workload } from "./workload.ts";

export const echoRate: Workload = {
  name: "echo-rate",
  answers: "CPU per message and latency at the same load",
  load: ({ connections, payloadBytes, ratePerSecond }: Scale) => {
    if (ratePerSecond === null) throw new Error("echo-rate needs a rate");
    return {
      mode: "open",
      connections,
      activeConnections: connections,
      payloadBytes,
      ratePerSecond,
      schedule: "poisson",
    };
  },
};
