// One round of the readiness workload: a process that waits on its own socket pairs.

import { within } from "../host/deadline.ts";
import { describeEnd, describeExit, type Workbench } from "../host/host.ts";
import { parseEvent, type ReadinessTurn } from "../model/events.ts";
import type { ReadinessLoad } from "../model/workloads/workload.ts";

interface ReadinessOutcome {
  readonly turn: ReadinessTurn | null;
  readonly unavailable: string | null;
  readonly failure: string | null;
}

const shortestMs = 60_000;
/** poll(2) and select(2) look at each descriptor in each of the thousands of waits. */
const msPerConnection = 3;

/** @throws {Interrupted} when the run is to stop. */
export async function measureReadiness(
  command: readonly string[],
  { connections, activeConnections, writes }: ReadinessLoad,
  { host, signal, cpus }: Workbench,
): Promise<ReadinessOutcome> {
  const timeoutMs = Math.max(shortestMs, connections * msPerConnection);
  let turn: ReadinessTurn | null = null;
  let unavailable: string | null = null;
  const shape = [connections, activeConnections, writes].map(String);
  const hear = (line: string) => {
    const event = parseEvent(line);
    if (event?.event === "readiness") turn = event;
    if (event?.event === "unavailable") unavailable = event.reason;
  };
  const launch = { cpu: cpus.server };
  const child = host.start([...command, ...shape], { launch, onLine: hear });
  try {
    const exit = await within(child.exited, { timeoutMs, signal });
    if (turn !== null || unavailable !== null) return { turn, unavailable, failure: null };
    const end = exit === null ? `did not end within ${timeoutMs / 1000} s` : describeExit(exit);
    return { turn, unavailable, failure: describeEnd(child, end) };
  } finally {
    child.kill("SIGKILL");
  }
}
