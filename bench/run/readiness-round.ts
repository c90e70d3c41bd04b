// One round of the readiness workload: a process that waits on socket pairs of its own, with one
// backend. Enters: its command and the shape. Leaves: what a turn cost, or why there is none.

import { within } from "../host/deadline.ts";
import { type ChildProcesses, describeExit } from "../host/processes.ts";
import { parseEvent, type ReadinessTurn } from "../model/events.ts";
import type { ReadinessLoad } from "../workloads/workload.ts";

export interface ReadinessMeans {
  readonly children: ChildProcesses;
  readonly signal: AbortSignal;
  /** The words before the command: they pin it to its CPU. */
  readonly launcher: readonly string[];
}

export interface ReadinessOutcome {
  readonly turn: ReadinessTurn | null;
  readonly unavailable: string | null;
  readonly failure: string | null;
}

const timeoutMs = 60_000;

/** @throws {Interrupted} when the run is to stop. */
export async function measureReadiness(
  command: readonly string[],
  { connections, activeConnections, writes }: ReadinessLoad,
  { children, signal, launcher }: ReadinessMeans,
): Promise<ReadinessOutcome> {
  let turn: ReadinessTurn | null = null;
  let unavailable: string | null = null;
  const shape = [connections, activeConnections, writes].map(String);
  const child = children.start([...launcher, ...command, ...shape], (line) => {
    const event = parseEvent(line);
    if (event?.event === "readiness") turn = event;
    if (event?.event === "unavailable") unavailable = event.reason;
  });
  try {
    const exit = await within(child.exited, { timeoutMs, signal });
    if (turn !== null || unavailable !== null) return { turn, unavailable, failure: null };
    const end = exit === null ? `did not end within ${timeoutMs / 1000} s` : describeExit(exit);
    const tail = child.stderrTail === "" ? "" : `; stderr: ${child.stderrTail}`;
    return { turn, unavailable, failure: `${end}${tail}` };
  } finally {
    child.kill("SIGKILL");
  }
}
