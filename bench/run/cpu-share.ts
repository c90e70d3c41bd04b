// The part of a CPU that servers get if a workload saturates them.

import type { CpuShare, Workbench } from "../host/host.ts";
import type { Workload } from "../model/workloads/workload.ts";

/** So little that the load generator, which costs more per message, is not saturated first. */
export const capacityCpuShare = 0.4;

/**
 * Not where the program that uses up the rest would take the load generator's CPU. The caller
 * removes it.
 */
export function openCpuShare(
  scenarios: readonly { readonly workload: Workload }[],
  { host, cpus }: Workbench,
): CpuShare | null {
  const saturates = scenarios.some(({ workload }) => workload.mustFill);
  return saturates && cpus.clientAlone ? (host.cpuShare?.(capacityCpuShare) ?? null) : null;
}
