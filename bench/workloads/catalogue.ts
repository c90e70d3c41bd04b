// The workloads: load patterns, one file and one row each. Pure data. Leaves: to bench/run/plan.ts.

import { activeFraction } from "./active-fraction.ts";
import { broadcast } from "./broadcast.ts";
import { connectRate } from "./connect-rate.ts";
import { echoCapacity } from "./echo-capacity.ts";
import { echoRate } from "./echo-rate.ts";
import { eventDelivery } from "./event-delivery.ts";
import { hotConnection } from "./hot-connection.ts";
import { idle } from "./idle.ts";
import { memory } from "./memory.ts";
import { pipelining } from "./pipelining.ts";
import { readiness } from "./readiness.ts";
import { replicas } from "./replicas.ts";
import { scale } from "./scale.ts";
import { slowReaders } from "./slow-readers.ts";
import type { Workload } from "./workload.ts";

export const workloads: readonly Workload[] = [
  echoRate,
  echoCapacity,
  activeFraction,
  idle,
  memory,
  connectRate,
  pipelining,
  slowReaders,
  hotConnection,
  broadcast,
  eventDelivery,
  replicas,
  readiness,
  scale,
];
