// One block of a scenario whose servers all run and stay connected. The load turns from one server
// to the next in short windows, so that a contender and the reference are measured a fraction of a
// second apart. Meanwhile all other servers and load generators wait, so these two have their CPUs
// to themselves.

import { maySpin } from "../host/cpus.ts";
import type { Window } from "../model/events.ts";
import { deriveSeed, type Random, seededRandom, shuffled } from "../statistics/random.ts";
import type { PartClock } from "./budget.ts";
import { faultOf } from "./faults.ts";
import { HeldLoad, type WindowTiming } from "./held-load.ts";
import { canBeHeld, type HeldLoadShape } from "./load-arguments.ts";
import { AccountTaker } from "./own-account.ts";
import type { Scenario } from "./plan.ts";
import type { Timing } from "./profiles.ts";
import {
  cpuShareOf,
  deathMs,
  endOf,
  nothingMeasured,
  published,
  type Round,
  type RoundContext,
  type RoundRequest,
  startContender,
} from "./round.ts";
import type { ServerProcess } from "./server.ts";
import { closedWarmup, heldTiming, settleMs, warmed, warmUpsAtOnce } from "./warm-up.ts";

/**
 * Connections that are open at one time, those of all servers together. What does not fit is
 * measured in groups, one after another, and the reference stays connected through all of them.
 */
const connectionsAtOnce = 80_000;

/** In a block whose time is over; one in the first block. */
const leastPasses = 2;

/** So long are, together, the windows of a contender that follow each other. */
const turnMs = 30;

const windowsPerTurn = (windowMs: number) => Math.max(1, Math.floor(turnMs / windowMs));

interface InterleavedRequest {
  /** One per contender, all of one scenario and block. */
  readonly rounds: readonly RoundRequest[];
  /** The reference's name. */
  readonly reference: string;
  /** Decides whether passes are left out. */
  readonly clock: PartClock;
  /** Whether the machine lets these servers be open at the same time. */
  readonly fits: (rounds: readonly RoundRequest[]) => boolean;
  readonly onStarted: (request: RoundRequest) => void;
  readonly onEnded: (request: RoundRequest, round: Round) => void;
}

/** Whether the load turns from server to server: no watched warm-up, memory, or baseline of p99. */
export function takesTurns({ load, workload }: Scenario, timing: Timing): boolean {
  return (
    canBeHeld(load) &&
    workload.baseline?.metric !== "latencyP99" &&
    !workload.samplesMemory &&
    timing.steadyWithinMs === 0
  );
}

/** @throws {Interrupted} when the run is to stop; the processes are then killed. */
export async function measureInterleaved(
  request: InterleavedRequest,
  context: RoundContext,
): Promise<Round[]> {
  const all = request.rounds.map((round) => new ConnectedContender(round, context));
  const reference = all.find(
    ({ name, request: { scenario } }) =>
      scenario.workload.comparesToReference && name === request.reference,
  );
  const others = all.filter((one) => one !== reference);
  const rounds: Round[] = [];
  /** Together: a server that frees ten thousand threads keeps one CPU busy, not two. */
  const end = async (ending: readonly ConnectedContender[]) => {
    await Promise.all(ending.map((one) => one.close()));
    for (const one of ending) {
      rounds.push(one.round());
      request.onEnded(one.request, one.round());
    }
  };
  try {
    let index = 0;
    const random = seededRandom(deriveSeed(request.rounds[0]?.seed ?? 0, "order of the windows"));
    for (const group of inGroups(others, reference, request.fits)) {
      const here = reference === undefined ? group : [...group, reference];
      const fresh = here.filter(({ started }) => !started);
      await openAll(fresh, request.onStarted);
      await warmUpAll(fresh);
      index = await measurePasses({ group, reference, random, index }, request.clock);
      await end(group);
    }
    if (reference !== undefined) await end([reference]);
    return rounds;
  } finally {
    for (const one of all) one.kill();
  }
}

/** Together: opened one after another, the last of seven servers cost 4 % less. */
async function openAll(
  fresh: readonly ConnectedContender[],
  onStarted: InterleavedRequest["onStarted"],
): Promise<void> {
  const opened = fresh.map((one) => {
    onStarted(one.request);
    return one.open();
  });
  try {
    await Promise.all(opened);
  } finally {
    for (const each of opened) each.catch(() => {});
  }
}

async function warmUpAll(fresh: readonly ConnectedContender[]): Promise<void> {
  for (const one of fresh) await one.warmUpClosed();
  const atOnce = Math.min(...fresh.map(({ warmUpsAtOnce }) => warmUpsAtOnce));
  for (let at = 0; at < fresh.length; at += atOnce) {
    await Promise.all(fresh.slice(at, at + atOnce).map((one) => one.warmUp()));
  }
}

interface Passes {
  /** Without the reference. */
  readonly group: readonly ConnectedContender[];
  readonly reference: ConnectedContender | undefined;
  readonly random: Random;
  /** The index of the first window. */
  readonly index: number;
}

/**
 * Each window of a contender is next to one of the reference's, because the machine can change
 * within milliseconds. Two contenders share that window of the reference: one is before it and the
 * other after it, in turn. Each pass has an order of its own, because a window costs more or less
 * after that of another server.
 * @returns the index of the next window.
 */
async function measurePasses(
  { group, reference, random, index: first }: Passes,
  clock: PartClock,
): Promise<number> {
  const all = reference === undefined ? group : [...group, reference];
  const { windows, windowMs } = all[0]?.timing ?? { windows: 0, windowMs: 0 };
  const perTurn = windowsPerTurn(windowMs);
  const passes = Math.ceil(windows / perTurn);
  const least = all.some(({ request }) => request.block === 0) ? 1 : leastPasses;
  let index = first;
  for (let pass = 0; pass < passes; pass++) {
    if (pass >= least && clock.mustClose()) {
      clock.hurried("shortened");
      break;
    }
    for (const beside of sharing(shuffled(random, group), reference)) {
      for (const end = index + perTurn; index < end; index++) {
        const inOrder = index % 2 === 0 ? beside : beside.toReversed();
        for (const each of inOrder) await each.measure(index);
      }
    }
  }
  return index;
}

/** Contenders by two, with the reference between them; without one each by itself. */
function sharing(
  group: readonly ConnectedContender[],
  reference: ConnectedContender | undefined,
): ConnectedContender[][] {
  if (reference === undefined) return group.map((one) => [one]);
  // The reference alone is a scenario, too.
  if (group.length === 0) return [[reference]];
  const shared: ConnectedContender[][] = [];
  for (let at = 0; at < group.length; at += 2) {
    const [one, ...other] = group.slice(at, at + 2);
    if (one !== undefined) shared.push([one, reference, ...other]);
  }
  return shared;
}

/** As many as may be open at one time, with the reference; one at least. */
function inGroups(
  all: readonly ConnectedContender[],
  reference: ConnectedContender | undefined,
  fits: InterleavedRequest["fits"],
): ConnectedContender[][] {
  const beside = reference === undefined ? [] : [reference];
  const connections = Math.max(1, ...all.map(({ request }) => request.scenario.load.connections));
  const size = Math.max(1, Math.floor(connectionsAtOnce / connections) - beside.length);
  const groups: ConnectedContender[][] = [];
  for (const one of all) {
    const group = groups.at(-1);
    const together = [...beside, ...(group ?? []), one].map(({ request }) => request);
    if (group !== undefined && group.length < size && fits(together)) group.push(one);
    else groups.push([one]);
  }
  // The reference alone is a scenario, too.
  return groups.length === 0 ? [[]] : groups;
}

/** One contender: its server, its load generator, and their results. */
class ConnectedContender {
  readonly request: RoundRequest;
  readonly timing: Timing;
  readonly #context: RoundContext;
  readonly #load: HeldLoadShape;
  readonly #windows: Window[] = [];
  #server: ServerProcess | null = null;
  #generator: HeldLoad | null = null;
  #outcome: Partial<Round> = {};
  #account: AccountTaker | null = null;
  #tooManyThreads = false;
  #startedMs: number | null = null;
  #endedMs = 0;

  constructor(request: RoundRequest, context: RoundContext) {
    const { load } = request.scenario;
    if (!canBeHeld(load)) throw new Error(`a load of mode ${load.mode} cannot be interleaved`);
    this.request = request;
    this.timing = heldTiming(request.timing, load, context.host.shortestWindowMs);
    this.#context = context;
    this.#load = load;
  }

  get name(): string {
    return this.request.contender.name;
  }

  get started(): boolean {
    return this.#startedMs !== null;
  }

  async open(): Promise<void> {
    this.#startedMs = performance.now();
    const { host, signal, cpus } = this.#context;
    const started = await startContender(this.request, this.#load, this.#context);
    if (!("server" in started)) {
      this.#outcome = started;
      return;
    }
    this.#server = started.server;
    const { port, pid } = started.server;
    const { seed, contender } = this.request;
    this.#generator = new HeldLoad(
      { port, pid, load: this.#load, seed, spoken: contender.spoken },
      {
        ...{ host, signal, cpu: cpus.client, spins: cpus.clientAlone && maySpin() },
        serverEnded: started.server.ended,
      },
    );
    const failure = await this.#generator.connected();
    if (failure !== null) this.#fail(failure);
    this.#rest();
  }

  /** How many servers with this load may warm up at the same time. */
  get warmUpsAtOnce(): number {
    return warmUpsAtOnce(this.#load);
  }

  async warmUpClosed(): Promise<void> {
    const closed = closedWarmup(this.request.contender, this.#load);
    if (closed === null) return;
    let handled = 0;
    const count = ({ completedMessages }: Window) => {
      handled += completedMessages;
    };
    for (let index = 0; index < closed.windowsAtMost && handled < closed.messages; index++) {
      await this.#turn(closed.windowMs, count, { instead: closed });
    }
  }

  async warmUp(): Promise<void> {
    const { contender, timing } = this.request;
    await this.#turn(warmed(contender, timing, this.#load).warmupMs, (window) => {
      this.#tooManyThreads = window.serverVoluntarySwitches === null;
    });
  }

  async measure(index: number): Promise<void> {
    if (this.#account === null && this.#server !== null) {
      this.#server.resume();
      this.#account = new AccountTaker(this.#server, this.#context.host);
      await this.#account.begin(this.#tooManyThreads);
    }
    // The windows side by side have the same messages at the same times.
    const take = (window: Window) => {
      this.#windows.push({ ...window, index });
    };
    await this.#turn(this.timing.windowMs, take, { schedule: index });
  }

  async close(): Promise<void> {
    this.#endedMs = performance.now();
    if (this.#server === null || this.#generator === null) return;
    this.#server.resume();
    const account = (await this.#account?.end()) ?? null;
    const result = await this.#generator.end();
    if (this.#outcome.failure != null) await this.#server.untilEnded(deathMs);
    const stopped = await this.#server.stop();
    const { connectMs } = this.#generator;
    const told = this.#generator.result;
    const loaded = { result: told, windows: this.#windows, memory: [] };
    const fault = typeof result === "string" ? result : faultOf(loaded, this.#load);
    const end = endOf(this.request.contender, this.#outcome.failure ?? fault, stopped.failure);
    const { counters, died } = stopped;
    this.#outcome = { connectMs, result: told, counters, died, account, ...end };
  }

  round(): Round {
    const { contender, scenarioIndex, scenario, block } = this.request;
    const startedMs = this.#startedMs ?? performance.now();
    return {
      ...nothingMeasured,
      ...this.#outcome,
      cpuShare: cpuShareOf(this.request, this.#context)?.share ?? null,
      contender: contender.name,
      scenarioIndex,
      load: scenario.load,
      block,
      startedMs,
      durationMs: this.#endedMs - startedMs,
      windows: this.#windows,
      windowsPerTurn: windowsPerTurn(this.timing.windowMs),
      ...published(this.#outcome, this.#context.host.paths),
    };
  }

  kill(): void {
    this.#generator?.kill();
    this.#server?.kill();
  }

  async #turn(
    windowMs: number,
    take: (window: Window) => void,
    how: Pick<WindowTiming, "instead" | "schedule"> = {},
  ): Promise<void> {
    const failed = this.#outcome.failure ?? this.#outcome.unavailable ?? null;
    if (this.#generator === null || failed !== null) return;
    this.#server?.resume();
    const window = await this.#generator.window({ windowMs, settleMs: settleMs(windowMs), ...how });
    if (typeof window === "string") this.#fail(window);
    else take(window);
    this.#rest();
  }

  /** A server that burns its CPU while it waits is stopped between its windows. */
  #rest(): void {
    if (this.request.contender.burnsWhileIdle === true) this.#server?.pause();
  }

  #fail(failure: string): void {
    this.#outcome = { ...this.#outcome, failure };
  }
}
