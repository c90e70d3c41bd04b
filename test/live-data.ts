// A plan and the progress of its rounds as a run would report it, for tests of the live views.
// Nothing here was measured.

import type { RunRequest } from "../bench/run/options.ts";
import { makePlan, type Plan } from "../bench/run/plan.ts";
import type { Round } from "../bench/run/round.ts";
import { nothingMeasured } from "../bench/run/round.ts";
import type { RunProgress } from "../bench/run/run.ts";
import { encodeHistogram } from "../bench/statistics/hdr-encoding.ts";
import { Histogram, latencyGeometry } from "../bench/statistics/histogram.ts";

const nothingAsked: RunRequest = {
  profile: null,
  workloads: null,
  contenders: null,
  connections: null,
  rate: null,
  payload: null,
  duration: null,
  steady: null,
  blocks: null,
  budget: null,
  seed: null,
  out: null,
};

/** What the command line asks for; by default the profile's own. */
export const requestOf = (asked: Partial<RunRequest> = {}): RunRequest => ({
  ...nothingAsked,
  ...asked,
});

export function livePlan(): Plan {
  return makePlan(
    requestOf({
      ...{ workloads: ["echo-rate"], contenders: ["cpp:poll", "node:net"] },
      ...{ connections: [100], rate: 2_000, duration: 0.5, blocks: 2 },
    }),
  );
}

/** The first rounds of a run: 2,000 messages/s, 10 µs of CPU each, around 200 µs long. */
export function progressOf(plan: Plan, rounds: number): RunProgress[] {
  const [part] = plan.parts;
  const scenario = part?.scenarios[0];
  if (part === undefined || scenario === undefined) throw new Error("an empty plan");
  return Array.from({ length: rounds }, (_, index): RunProgress[] => {
    const { name: contender } = part.contenders[index % part.contenders.length] ?? { name: "" };
    const block = Math.floor(index / part.contenders.length) + 1;
    const step = { part, scenario, block, blocks: 2, contender };
    const round: Round = {
      ...nothingMeasured,
      ...{ contender, scenarioIndex: 0, load: scenario.load, block, startedMs: index * 800 },
      ...{ durationMs: 800, windows: [window(0), window(1)] },
    };
    return [
      { event: "round-started", step },
      { event: "round-ended", step, round },
    ];
  }).flat();
}

function window(index: number): Round["windows"][number] {
  const histogram = new Histogram(latencyGeometry);
  for (let i = 0; i < 500; i++) histogram.record(150_000 + i * 400);
  const latency = encodeHistogram(histogram);
  return {
    ...{ event: "window", index, durationNs: 250e6, intendedMessages: 500, sentMessages: 500 },
    ...{ completedMessages: 500, serverCpuNs: 5e6, serverUserCpuNs: 1e6, serverSystemCpuNs: 4e6 },
    ...{ serverContextSwitches: 9, serverRunQueueWaitNs: 0, clientCpuNs: 4e6 },
    ...{ clientRunQueueWaitNs: 0, sendLagNsP99: 1, stealNs: 0 },
    ...{ latency, latencyUncorrected: latency },
  };
}
