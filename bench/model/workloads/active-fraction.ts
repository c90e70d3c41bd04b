// active-fraction: the same number of connections at the same rate, with different numbers of them
// active. In the baseline load only 1 % of the connections are open, and all of them are active.
// Shows why O(ready) beats O(registered).

import { matchedRate, openLoad, type Workload } from "./workload.ts";

const percents = [0.1, 1, 10, 100];
/** The baseline has this share of the connections, and no silent ones. */
const baselinePercent = 1;
const baseline = "none silent";

export const activeFraction = {
  name: "active-fraction",
  answers: "what silent connections cost: does it grow with registered or ready ones?",
  title: "Few active among many",
  lead:
    "The same number of connections, more or fewer of them active. A strategy that checks every " +
    "connection pays for the silent ones in every wait; one that gets only the ready ones does " +
    "not.",
  charts: ["serverCpuPerMessage", "latencyP99"],
  ...matchedRate,
  headline: "serverCpuPerMessage",
  baseline: { variant: baseline, metric: "serverCpuPerMessage" },
  comparesToReference: true,
  loads: (scale) => {
    const { connections } = scale;
    const few = activeOf(connections, baselinePercent);
    return [
      { variant: baseline, load: openLoad({ ...scale, connections: few }, "active-fraction") },
      ...percents.map((percent) => ({
        variant: `${percent} % active`,
        load: {
          ...openLoad(scale, "active-fraction"),
          activeConnections: activeOf(connections, percent),
        },
      })),
    ];
  },
} as const satisfies Workload;

function activeOf(connections: number, percent: number): number {
  return Math.max(1, Math.round((connections * percent) / 100));
}
