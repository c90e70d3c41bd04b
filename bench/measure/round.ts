// One round: a fresh server, one run of the load generator against it, its end. Enters: a contender
// and a load. Leaves: a Round: windows, counters and, in words, what went wrong. It never throws
// for a contender's fault.

import type { Contender } from "../contenders/catalogue.ts";
import type { Paths } from "../paths.ts";
import type { Timing } from "../profiles.ts";
import type { Load } from "../workloads/workload.ts";
import type { CpuPlan } from "./cpus.ts";
import type { Counters, LoadResult, Window } from "./events.ts";
import { isFull } from "./gate.ts";
import { type Loaded, runLoad } from "./load.ts";
import type { ChildProcesses } from "./processes.ts";
import { type Server, type Stopped, startServer } from "./server.ts";

/** What every round of a run needs; `signal` ends the round under way. */
export interface Means {
  readonly paths: Paths;
  readonly children: ChildProcesses;
  readonly signal: AbortSignal;
  readonly cpus: CpuPlan;
  /** 15 s and 5 s unless told. */
  readonly readyTimeoutMs?: number;
  readonly stopTimeoutMs?: number;
}

export interface RoundRequest {
  readonly contender: Contender;
  readonly block: number;
  readonly load: Load;
  readonly timing: Timing;
  readonly seed: number;
}

export interface Round {
  readonly contender: string;
  readonly block: number;
  readonly connectMs: number | null;
  readonly windows: readonly Window[];
  readonly result: LoadResult | null;
  readonly counters: Counters | null;
  readonly failure: string | null;
}

/**
 * How long a server that lost its connections may take to be seen dead, so that its row says why.
 */
const deathMs = 250;

/**
 * @throws {Interrupted} when the run is to stop. The children under way are then killed, not yet
 * waited for.
 */
export async function measureRound(request: RoundRequest, means: Means): Promise<Round> {
  const { contender, block } = request;
  const { paths, children, signal } = means;
  const started = await startServer(
    [...launcher(means, means.cpus.server), ...contender.command(paths)],
    {
      children,
      signal,
      readyTimeoutMs: means.readyTimeoutMs ?? 15_000,
      stopTimeoutMs: means.stopTimeoutMs ?? 5_000,
    },
  );
  const name = contender.name;
  if ("failure" in started) {
    const failure = withoutRoot(started.failure, paths);
    const nothing = { connectMs: null, windows: [], result: null, counters: null };
    return { contender: name, block, ...nothing, failure };
  }
  const { loaded, stopped } = await loadAndStop(started.server, request, means);
  const failure = stopped.failure ?? loaded.failure ?? faultOf(loaded);
  return {
    contender: name,
    block,
    connectMs: loaded.connectMs,
    windows: loaded.windows,
    result: loaded.result,
    counters: stopped.counters,
    failure: failure === null ? null : withoutRoot(failure, paths),
  };
}

async function loadAndStop(server: Server, request: RoundRequest, means: Means) {
  const { load, timing, seed } = request;
  const { port, pid } = server;
  const command = [...launcher(means, means.cpus.client), means.paths.loadGenerator, "run"];
  try {
    const loaded: Loaded = await runLoad(
      { port, pid, load, timing, seed },
      { children: means.children, signal: means.signal, command, serverEnded: server.ended },
    );
    if (faultOf(loaded) !== null) await server.untilEnded(deathMs);
    const stopped: Stopped = await server.stop();
    return { loaded, stopped };
  } finally {
    server.kill();
  }
}

/** Both sides go through it: it pins, raises the descriptor limit, and dies when we do. */
function launcher({ paths }: Means, cpu: number | null): string[] {
  const pin = cpu === null ? [] : ["--cpu", String(cpu)];
  return [paths.loadGenerator, "launch", ...pin, "--parent", String(process.pid), "--"];
}

/** What the load generator found wrong with the server, in words; null where nothing. */
function faultOf({ result, windows }: Loaded): string | null {
  if (result === null) return "no result";
  const { mismatches, mismatchDetail, missing, connectionsLost, error } = result;
  if (mismatches > 0) {
    return `echoed wrong bytes: ${mismatchDetail ?? "no detail"} (${count(mismatches, "message")})`;
  }
  const faults: string[] = [];
  if (connectionsLost > 0) faults.push(`${count(connectionsLost, "connection")} lost`);
  // What a full server still owes when time is up is late, not wrong: the gate's matter.
  const owed = connectionsLost === 0 && windows.some(isFull);
  if (missing > 0 && !owed) faults.push(`${count(missing, "message")} never came back`);
  if (error !== null) faults.push(error);
  return faults.length === 0 ? null : faults.join("; ");
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Reasons are published with the report, where this machine's folders have no business. */
function withoutRoot(text: string, { root }: Paths): string {
  return text.replaceAll(`file://${root}`, ".").replaceAll(root, ".");
}
