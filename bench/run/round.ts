// One round: a fresh server, its load, its end. It never throws for a contender's fault.

import { homedir } from "node:os";
import type { Contender } from "../contenders/catalogue.ts";
import type { CpuShare, Workbench } from "../host/host.ts";
import type { MemorySample } from "../host/memory.ts";
import { isSystemError, reasonOf } from "../host/output.ts";
import type {
  Counters,
  Delivered,
  LoadResult,
  MemoryStage,
  ReadinessTurn,
  Window,
} from "../model/events.ts";
import type { Load, ShareLoad } from "../model/workloads/workload.ts";
import type { Paths } from "../paths.ts";
import { measureDelivery } from "./delivery-round.ts";
import { faultOf } from "./faults.ts";
import { type Loaded, runLoad } from "./load.ts";
import { type GeneratorLoad, serverArguments } from "./load-arguments.ts";
import { AccountTaker, type OwnAccount } from "./own-account.ts";
import { loadOf, pilotOf } from "./pilot.ts";
import type { Scenario } from "./plan.ts";
import type { Timing } from "./profiles.ts";
import { measureReadiness } from "./readiness-round.ts";
import { type ServerProcess, type Stopped, startServer } from "./server.ts";
import { warmed } from "./warm-up.ts";

/** What every round of a run needs; `signal` ends the round under way. */
export interface RoundContext extends Workbench {
  /** For workloads that saturate the server; null or missing if the host has no means to. */
  readonly cpuShare?: CpuShare | null;
  /** By default 15 s and 5 s; a server of many connections gets more. */
  readonly readyTimeoutMs?: number;
  readonly stopTimeoutMs?: number;
  /** Called with the process of a contender once it is ready. */
  readonly onServer?: (contender: string, pid: number) => void;
}

export interface RoundRequest {
  readonly contender: Contender;
  /** Processes that a server of several is to have. */
  readonly workers: number;
  /** Its place among the scenarios of its part. */
  readonly scenarioIndex: number;
  readonly scenario: Scenario;
  readonly block: number;
  readonly timing: Timing;
  readonly seed: number;
}

export interface Round {
  readonly contender: string;
  readonly scenarioIndex: number;
  readonly load: Load;
  /** From 0. */
  readonly block: number;
  /** On the clock of performance.now(). */
  readonly startedMs: number;
  readonly durationMs: number;
  readonly connectMs: number | null;
  /** Null if the warm-up was not watched. */
  readonly steady: boolean | null;
  readonly windows: readonly Window[];
  /**
   * Null unless servers took turns. Then so many windows are one turn, and the window of the
   * reference with the same `index` was beside it.
   */
  readonly windowsPerTurn: number | null;
  readonly memory: readonly MemoryStage[];
  /** Before the first connection, and while all are open; null if the workload needs none. */
  readonly memoryBefore: MemorySample | null;
  readonly memoryDuring: MemorySample | null;
  readonly turn: ReadinessTurn | null;
  readonly delivered: Delivered | null;
  /** The part of its CPU that the server had; null for all of it. */
  readonly cpuShare: number | null;
  readonly result: LoadResult | null;
  readonly counters: Counters | null;
  /** While it was under load; null if it was not asked. */
  readonly account: OwnAccount | null;
  /** Why this machine refuses the contender. */
  readonly unavailable: string | null;
  readonly failure: string | null;
  /** Whether the server's process ended under the load. */
  readonly died: boolean;
  /** What went wrong once every window had been measured: the figures stand. */
  readonly afterwards: string | null;
}

/** What a round that came to nothing has. */
export const nothingMeasured = {
  connectMs: null,
  steady: null,
  windows: [],
  windowsPerTurn: null,
  memory: [],
  memoryBefore: null,
  memoryDuring: null,
  turn: null,
  delivered: null,
  cpuShare: null,
  result: null,
  counters: null,
  account: null,
  unavailable: null,
  failure: null,
  died: false,
  afterwards: null,
} as const;

/** How a round ended. A server of others that fails after its last window keeps its figures. */
export function endOf(
  { runtime }: Contender,
  during: string | null,
  stopped: string | null,
): Pick<Round, "failure" | "afterwards"> {
  const stands = during === null && runtime === "foreign";
  return stands
    ? { failure: null, afterwards: stopped }
    : { failure: stopped ?? during, afterwards: null };
}

/** How long a server that lost its connections may take to be seen dead. */
export const deathMs = 250;
const readyTimeoutMs = 15_000;
const shortestStopMs = 5_000;
/** Ten thousand processes take a second or two to end, and far longer where others are at work. */
const stopMsPerConnection = 2;

/** @throws {Interrupted} when the run is to stop: the children are killed, not waited for. */
export async function measureRound(request: RoundRequest, context: RoundContext): Promise<Round> {
  const { contender, scenarioIndex, scenario, block } = request;
  const startedMs = performance.now();
  const cpuShare = cpuShareOf(request, context)?.share ?? null;
  const outcome = await outcomeOf(request, context).catch(unmeasured);
  return {
    ...nothingMeasured,
    ...outcome,
    cpuShare,
    contender: contender.name,
    scenarioIndex,
    load: scenario.load,
    block,
    startedMs,
    durationMs: performance.now() - startedMs,
    ...published(outcome, context.host.paths),
  };
}

/** A full disk, for example: the other cells keep their figures. @throws all other errors. */
function unmeasured(error: unknown): Partial<Round> {
  if (!isSystemError(error)) throw error;
  return { unavailable: `${error.syscall} failed: ${reasonOf(error)}` };
}

/** What went wrong in a round, as its report says it. */
export function published(
  { failure = null, unavailable = null, afterwards = null }: Partial<Round>,
  paths: Paths,
): Pick<Round, "failure" | "unavailable" | "afterwards"> {
  const words = (text: string | null) => (text === null ? null : withoutRoot(text, paths));
  return {
    failure: words(failure),
    unavailable: words(unavailable),
    afterwards: words(afterwards),
  };
}

function outcomeOf(request: RoundRequest, context: RoundContext): Promise<Partial<Round>> {
  const { contender, scenario, timing, block } = request;
  const { load } = scenario;
  const command = () => contender.command(context.host.paths, 1);
  if (load.mode === "readiness") {
    return measureReadiness(command(), load, context);
  }
  if (load.mode === "delivery") {
    return measureDelivery(command(), { load, timing, block }, context);
  }
  if (load.mode === "share") return measureShare(request, load, context);
  return measureServer(request, load, context);
}

/** Of a round whose server is to be saturated before the load generator is, and is started here. */
export function cpuShareOf(
  { scenario, contender }: RoundRequest,
  { cpuShare }: RoundContext,
): CpuShare | null {
  return scenario.workload.mustFill && contender.attached !== true ? (cpuShare ?? null) : null;
}

/** Starts the server of a round. @returns it, or what the round comes to without one. */
export async function startContender(
  request: RoundRequest,
  load: GeneratorLoad,
  context: RoundContext,
): Promise<{ readonly server: ServerProcess } | Pick<Round, "failure" | "unavailable">> {
  const { contender, workers } = request;
  const { host, signal, cpus } = context;
  const stopTimeoutMs = Math.max(shortestStopMs, load.connections * stopMsPerConnection);
  const command = [...contender.command(host.paths, workers), ...serverArguments(load)];
  const started = await startServer(command, {
    host,
    signal,
    cpu: cpus.server,
    cpuShare: cpuShareOf(request, context),
    readyTimeoutMs: contender.readyWithinMs ?? context.readyTimeoutMs ?? readyTimeoutMs,
    stopTimeoutMs: context.stopTimeoutMs ?? stopTimeoutMs,
  });
  if ("failure" in started) {
    const { failure, refused } = started;
    return { failure: refused ? null : failure, unavailable: refused ? failure : null };
  }
  context.onServer?.(contender.name, started.server.pid);
  return started;
}

async function measureServer(
  request: RoundRequest,
  load: GeneratorLoad,
  context: RoundContext,
): Promise<Partial<Round>> {
  const started = await startContender(request, load, context);
  if (!("server" in started)) return started;
  return measureStarted(started.server, request, load, context);
}

/** The same server has the load of the pilot first, then the load that follows from it. */
async function measureShare(
  request: RoundRequest,
  share: ShareLoad,
  context: RoundContext,
): Promise<Partial<Round>> {
  const { contender, timing, seed } = request;
  const { host, signal, cpus } = context;
  const closed = pilotOf(share);
  const started = await startContender(request, closed, context);
  if (!("server" in started)) return started;
  const { server } = started;
  try {
    const { port, pid, ended: serverEnded } = server;
    const { spoken } = contender;
    const piloted = await loadOf(
      share,
      { port, pid, timing: warmed(contender, timing, closed), seed, spoken },
      { host, signal, cpu: cpus.client, serverEnded },
    );
    if ("open" in piloted) return await measureStarted(server, request, piloted.open, context);
    if (piloted.failure !== null) await server.untilEnded(deathMs);
    const stopped = await server.stop();
    return { ...piloted, failure: stopped.failure ?? piloted.failure, died: stopped.died };
  } finally {
    server.kill();
  }
}

async function measureStarted(
  server: ServerProcess,
  request: RoundRequest,
  load: GeneratorLoad,
  context: RoundContext,
): Promise<Partial<Round>> {
  const { loaded, stopped, ...memory } = await loadAndStop(server, request, load, context);
  const { failure: loadFailure, ...figures } = loaded;
  const end = endOf(request.contender, loadFailure ?? faultOf(loaded, load), stopped.failure);
  const { counters, died } = stopped;
  return { ...figures, ...memory, counters, died, ...end };
}

async function loadAndStop(
  server: ServerProcess,
  { contender, scenario, timing, seed }: RoundRequest,
  load: GeneratorLoad,
  context: RoundContext,
) {
  const { port, pid } = server;
  const { samplesMemory } = scenario.workload;
  const { host, signal, cpus } = context;
  const memoryBefore = samplesMemory ? await host.memory(pid, null) : null;
  let sampled: Promise<MemorySample> | null = null;
  // A slot of a churn is a connection all the time: accepting and closing is what it is about. An
  // idle server would be woken by the question alone. When the last window of a watched warm-up is
  // due is not known.
  const isTimed = !["churn", "idle"].includes(load.mode) && timing.steadyWithinMs === 0;
  const account = isTimed ? new AccountTaker(server, host) : null;
  let accounted: Promise<OwnAccount | null> | null = null;
  // It takes a moment of CPU time; if that was the server's CPU, the gate drops the window.
  const onLoaded = (client: number) => {
    if (samplesMemory) sampled = host.memory(pid, client);
    sampled?.catch(() => {}); // awaited below, unless the load fails first
    accounted = account?.end().catch(() => null) ?? null;
  };
  const onConnected = () => void account?.begin(false).catch(() => {});
  try {
    const loaded: Loaded = await runLoad(
      { port, pid, load, timing: warmed(contender, timing, load), seed, spoken: contender.spoken },
      { host, signal, cpu: cpus.client, serverEnded: server.ended, onLoaded, onConnected },
    );
    if (faultOf(loaded, load) !== null) await server.untilEnded(deathMs);
    const stopped: Stopped = await server.stop();
    return { loaded, stopped, memoryBefore, memoryDuring: await sampled, account: await accounted };
  } finally {
    server.kill();
  }
}

/** Reasons are published with the report: they name neither this clone's folder nor the home. */
export function withoutRoot(text: string, { root }: Paths): string {
  const home = homedir();
  const relative = text.replaceAll(`file://${root}`, ".").replaceAll(root, ".");
  return home.length > 1 ? relative.replaceAll(`${home}/`, "~/") : relative;
}
