// What is compared between base and head: the metrics of the suite's table that have margins, and
// what is counted exactly. docs/regression.md has the reasons and the measured rates of alarms.

import { type GateMargins, type MetricName, type MetricRow, metrics } from "../model/metrics.ts";

/** Counted while one connection sends one message after the other, so that nothing is chance. */
export type ExactName = "systemCalls" | "instructions";

export interface GateMetric extends GateMargins {
  readonly name: MetricName | ExactName;
  readonly unit: string;
  readonly better: "less" | "more";
}

const counted = { unit: "1", better: "less", gates: true, wanted: 0.05 } as const;
const exact: readonly GateMetric[] = [
  {
    ...counted,
    ...{ name: "systemCalls", title: "system calls per message", margin: 0.01, marginApart: 0.01 },
  },
  {
    ...counted,
    ...{ name: "instructions", title: "user instructions per message" },
    ...{ margin: 0.02, marginApart: 0.02 },
  },
];

const rows = Object.entries<MetricRow>(metrics).flatMap(
  ([name, { gate, unit, better }]): GateMetric[] =>
    gate === undefined
      ? []
      : [{ ...gate, name: name as MetricName, unit, better: better ?? "less" }],
);

/** What gates unasked first. */
export const gateMetrics: readonly GateMetric[] = [
  ...rows.filter(({ gates }) => gates),
  ...exact,
  ...rows.filter(({ gates }) => !gates),
];

/** @throws {Error} on a name that is not in the table: a fault of the caller. */
export function gateMetric(name: string): GateMetric {
  const found = gateMetrics.find((metric) => metric.name === name);
  if (found === undefined) throw new Error(`${name} is not compared between base and head`);
  return found;
}
