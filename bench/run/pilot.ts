// The pilot of a round whose rate is a part of the server's own capacity: a short closed loop
// against the same process. It determines the rate, and whether the load generator can send at it.

import { thousands } from "../host/diagnosis.ts";
import type { ClosedLoad, OpenLoad, ShareLoad } from "../model/workloads/workload.ts";
import { faultOf } from "./faults.ts";
import { type LoadOptions, runLoad } from "./load.ts";
import type { LoadTarget } from "./load-arguments.ts";
import { pilotMs } from "./profiles.ts";
import { limits } from "./window-gate.ts";
import { divide, total } from "./window-sums.ts";

/** Why there is no load: one of the two is set. */
interface Refused {
  readonly failure: string | null;
  readonly unavailable: string | null;
}

/** The load of the pilot itself. */
export function pilotOf(share: ShareLoad): ClosedLoad {
  const { connections, activeConnections, payloadBytes, inFlight } = share;
  return { mode: "closed", connections, activeConnections, payloadBytes, inFlight };
}

/** @returns the load to measure, or what the round comes to without one. @throws {Interrupted} */
export async function loadOf(
  share: ShareLoad,
  target: Omit<LoadTarget, "load">,
  options: LoadOptions,
): Promise<{ readonly open: OpenLoad } | Refused> {
  const { capacityPercent } = share;
  const closed = pilotOf(share);
  const timing = { ...target.timing, steadyWithinMs: 0, windows: 1, windowMs: pilotMs };
  const loaded = await runLoad({ ...target, load: closed, timing }, options);
  const failure = loaded.failure ?? faultOf(loaded, closed);
  if (failure !== null) return { failure, unavailable: null };
  // Per CPU time: a load generator that is saturated first does not hide the server's capacity.
  const messages = total(loaded.windows, "completedMessages");
  const carried = perSecond(messages, total(loaded.windows, "serverCpuNs"));
  const sent = perSecond(messages, total(loaded.windows, "clientCpuNs"));
  if (carried === null || sent === null) {
    return { failure: null, unavailable: "the CPU time of the server is not available here" };
  }
  const ratePerSecond = Math.max(1, Math.round((carried * capacityPercent) / 100));
  const sendable = Math.round(sent * limits.clientShare);
  if (ratePerSecond > sendable) {
    const text =
      `${capacityPercent} % of its capacity is ${thousands(ratePerSecond)} messages/s; the load ` +
      `generator can send ${thousands(sendable)} on its CPU`;
    return { failure: null, unavailable: text };
  }
  const { connections, activeConnections, payloadBytes } = share;
  const sizes = { connections, activeConnections, payloadBytes };
  return { open: { mode: "open", ...sizes, ratePerSecond, schedule: "poisson" } };
}

function perSecond(messages: number | null, cpuNs: number | null): number | null {
  return divide(messages, cpuNs === null ? null : cpuNs / 1e9);
}
