// The workloads: load patterns, one file and one row each. Pure data. Leaves: to bench/plan.ts.

import { echoRate } from "./echo-rate.ts";
import type { Workload } from "./workload.ts";

export const workloads: readonly Workload[] = [echoRate];
