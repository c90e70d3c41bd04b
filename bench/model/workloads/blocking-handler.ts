// blocking-handler: for one message in 32 the server's handler blocks for 10 ms, as a system call
// or a library would. The latency of all other messages is measured, and compared with the same
// load without blocking in the same block.

import { machineRules, matchedRate, openLoad, type Workload } from "./workload.ts";

/** One message in 32. At 2,000 messages/s one thread is blocked for 62 % of the time. */
const blocking = { ms: 10, below: 8 };
const messagesPerBlock = 256 / blocking.below;
const undisturbed = "undisturbed";

export const blockingHandler = {
  name: "blocking-handler",
  answers: "whether a handler that blocks delays the messages of all other connections",
  title: "Blocking handlers",
  lead:
    `One message in ${messagesPerBlock} blocks its handler for ${blocking.ms} ms. The latencies ` +
    "are those of all other messages. The baseline is the same load without blocking, in the " +
    "same block.",
  charts: ["latencyP99", "latencyP50", "ratioToBaseline"],
  ...matchedRate,
  headline: "latencyP99",
  // Not "rate": the workload measures what a blocked handler has not sent at a window's end.
  rules: [...machineRules, "late"],
  baseline: { variant: undisturbed, metric: "latencyP99" },
  loads: (scale) => [
    { variant: undisturbed, load: openLoad(scale, "blocking-handler") },
    {
      variant: `1 in ${messagesPerBlock} blocks for ${blocking.ms} ms`,
      load: { ...openLoad(scale, "blocking-handler"), blocking },
    },
  ],
} as const satisfies Workload;

/** The part of the time that handlers block at that rate; 100 and more: of several threads. */
export function blockedPercent(ratePerSecond: number): number {
  return (100 * (ratePerSecond / messagesPerBlock) * blocking.ms) / 1000;
}
