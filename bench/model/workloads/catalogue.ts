// The workloads: load patterns with their words, one file and one row each.

import type { MetricName } from "../metrics.ts";
import { activeFraction } from "./active-fraction.ts";
import { blockingHandler } from "./blocking-handler.ts";
import { broadcast } from "./broadcast.ts";
import { connectRate } from "./connect-rate.ts";
import { echoCapacity } from "./echo-capacity.ts";
import { echoRate } from "./echo-rate.ts";
import { eventDelivery } from "./event-delivery.ts";
import { hotConnection } from "./hot-connection.ts";
import { idle } from "./idle.ts";
import { latencyAgainstLoad } from "./latency-against-load.ts";
import { memory } from "./memory.ts";
import { pipelining } from "./pipelining.ts";
import { readiness } from "./readiness.ts";
import { replicas } from "./replicas.ts";
import { scale } from "./scale.ts";
import { slowReaders } from "./slow-readers.ts";
import type { Workload } from "./workload.ts";

export const workloads = [
  echoRate,
  echoCapacity,
  latencyAgainstLoad,
  activeFraction,
  idle,
  memory,
  connectRate,
  pipelining,
  slowReaders,
  hotConnection,
  blockingHandler,
  broadcast,
  eventDelivery,
  replicas,
  readiness,
  scale,
] as const satisfies readonly Workload[];

type Row = (typeof workloads)[number];
export type WorkloadName = Row["name"];

/** Ratios are made of the metrics that a workload names. */
type MeasuredMetric =
  | Row["headline"]
  | Row["metrics"][number]
  | "ratioToReference"
  | "ratioToBaseline";
type None<T extends never> = T;
/** Does not compile if there is a metric that no workload measures. */
export type MeasuredNowhere = None<Exclude<MetricName, MeasuredMetric>>;

/** The row of a workload; undefined for one of a later version. */
export function workloadRow(name: string): Workload | undefined {
  return workloads.find((row) => row.name === name);
}
