// The pass of --count-calls: after all rounds, strace attaches to each contender while its
// connections are open and silent, counts its system calls by name under a window of load, and
// detaches. It counts any server, and calls that no counter of the suite has.

import type { Contender } from "../contenders/catalogue.ts";
import { type CallsByName, CallTrace } from "../host/strace.ts";
import { processTree } from "../host/usage.ts";
import type { CallCounts } from "../model/call-counts.ts";
import type { Snapshot, Window } from "../model/events.ts";
import { type Cell, isSameLoad, type Results } from "../model/results.ts";
import { HeldLoad } from "./held-load.ts";
import { runLoad } from "./load.ts";
import { canBeHeld, type GeneratorLoad, type HeldLoadShape } from "./load-arguments.ts";
import { AccountTaker } from "./own-account.ts";
import type { Plan } from "./plan.ts";
import type { Timing } from "./profiles.ts";
import { withoutRoot } from "./round.ts";
import {
  eachInTurn,
  type PassLoad,
  type SeparatePass,
  scaleOf,
  startForPass,
} from "./separate-pass.ts";
import type { ServerProcess } from "./server.ts";
import { warmed } from "./warm-up.ts";

/**
 * Each call stops the server twice: 29 µs where this was written, for a call of 0.3 µs. At a rate
 * that is lower by this factor, a server whose message takes a few calls keeps up.
 */
const slowdown = 20;
const windowMs = 3_000;
/** Ten thousand traced threads answer a few hundred messages per second. */
const drainMs = 60_000;
const millisecondUs = 1_000;

interface CountedCalls {
  readonly counts: CallCounts;
  /** What the server counted itself meanwhile; null if it does not. */
  readonly own: Snapshot | null;
}

/** Adds the calls of each contender that the run could measure to its cell. */
export async function withCallCounts(
  results: Results,
  plan: Plan,
  pass: SeparatePass,
): Promise<Results> {
  const count = async (contender: Contender, passLoad: PassLoad) => {
    const { counts } = await countCalls(contender, passLoad, pass);
    const { ratePerSecond } = passLoad.scenario;
    return { scale: { ...scaleOf(passLoad), ratePerSecond, contender: contender.name }, counts };
  };
  const all = await eachInTurn({ results, plan }, pass, count);
  const countsOf = (cell: Cell) => all.find(({ scale }) => isSameLoad(cell, scale))?.counts;
  const cells = results.cells.map((cell) => {
    const callCounts = countsOf(cell);
    return callCounts === undefined ? cell : { ...cell, callCounts };
  });
  return { ...results, cells };
}

/** Counts the calls of a fresh server of one contender. @throws {Interrupted} */
export async function countCalls(
  contender: Contender,
  passLoad: PassLoad,
  pass: SeparatePass,
): Promise<CountedCalls> {
  const { load } = passLoad;
  const usual = { warmupMs: 100, steadyWithinMs: 0, windows: 1, windowMs };
  const timing = warmed(contender, usual, load);
  const server = await startForPass({ contender, passLoad, timing }, pass);
  if (typeof server === "string") return nothing(server);
  try {
    const traced = await traceUnder(load, { server, contender, timing, pass });
    if (typeof traced === "string") return nothing(withoutRoot(traced, pass.host.paths));
    const { messages, calls, own } = traced;
    await server.stop();
    if (messages === 0) return nothing("no message was answered while strace was attached");
    const ratePerSecond = slowRateOf(load);
    return { counts: { reason: null, ratePerSecond, messages, calls }, own };
  } finally {
    server.kill();
  }
}

function nothing(reason: string): CountedCalls {
  return { counts: { reason, ratePerSecond: null, messages: 0, calls: {} }, own: null };
}

function slowRateOf(load: GeneratorLoad): number | null {
  return load.mode === "open" ? Math.max(1, Math.round(load.ratePerSecond / slowdown)) : null;
}

interface TracedServer {
  readonly server: ServerProcess;
  readonly contender: Contender;
  readonly timing: Timing;
  readonly pass: SeparatePass;
}

interface Traced {
  readonly messages: number;
  readonly calls: CallsByName;
  readonly own: Snapshot | null;
}

/** @returns a reason if nothing was counted. */
function traceUnder(load: GeneratorLoad, traced: TracedServer): Promise<Traced | string> {
  if (canBeHeld(load)) return traceHeld(load, traced);
  if (load.mode === "churn") return traceChurn(load, traced);
  return Promise.resolve("the load of this workload cannot be held while strace attaches");
}

async function traceHeld(load: HeldLoadShape, traced: TracedServer): Promise<Traced | string> {
  const { server, contender, timing, pass } = traced;
  const { host, signal, cpus } = pass;
  const { port, pid, ended: serverEnded } = server;
  const generator = new HeldLoad(
    { port, pid, load, seed: 1, spoken: contender.spoken },
    { host, signal, cpu: cpus.client, serverEnded },
  );
  try {
    const unconnected = await generator.connected();
    if (unconnected !== null) return unconnected;
    // Whatever it sends is back before anything is counted.
    const warmUp = await generator.window({ windowMs: timing.warmupMs, settleMs: 0, drainMs });
    if (typeof warmUp === "string") return warmUp;
    const counted = await traceWindow(generator, load, traced);
    const ended = await generator.end();
    return typeof ended === "string" ? ended : counted;
  } finally {
    generator.kill();
  }
}

async function traceWindow(
  generator: HeldLoad,
  load: HeldLoadShape,
  { server, pass }: TracedServer,
): Promise<Traced | string> {
  const { host, signal, cpus } = pass;
  const account = new AccountTaker(server, host);
  const before = await generator.messagesSoFar();
  if (typeof before === "string") return before;
  await account.begin(false);
  const trace = await CallTrace.attach(processTree(server.pid), { host, signal });
  if (typeof trace === "string") return trace;
  try {
    const ratePerSecond = slowRateOf(load);
    // The bursts of a generator without a core of its own are as large as in the windows.
    const tickUs = cpus.clientAlone ? 0 : slowdown * millisecondUs;
    const instead = ratePerSecond === null ? undefined : { ratePerSecond, tickUs };
    const window = await generator.window({ windowMs, settleMs: 0, drainMs, instead });
    const calls = await trace.end();
    if (typeof window === "string") return window;
    if (typeof calls === "string") return calls;
    const late = lateOf(window);
    if (late !== null) return late;
    const own = (await account.end())?.calls ?? null;
    // All that came back, those before the window begins and after it ends included.
    const after = await generator.messagesSoFar();
    return typeof after === "string" ? after : { messages: after - before, calls, own };
  } finally {
    trace.kill();
  }
}

function lateOf({ unansweredMessages = 0, intendedMessages }: Window): string | null {
  if (unansweredMessages === 0) return null;
  return (
    `${unansweredMessages} of ${intendedMessages} messages were not answered within ` +
    `${drainMs / 1000} s: strace makes this server too slow; use fewer --connections`
  );
}

/** All of its life: accepting and closing is what a churn is about. */
async function traceChurn(
  load: GeneratorLoad,
  { server, contender, timing, pass }: TracedServer,
): Promise<Traced | string> {
  const { host, signal, cpus } = pass;
  const { port, pid, ended: serverEnded } = server;
  const trace = await CallTrace.attach(processTree(pid), { host, signal });
  if (typeof trace === "string") return trace;
  try {
    const loaded = await runLoad(
      { port, pid, load, timing, seed: 1, spoken: contender.spoken },
      { host, signal, cpu: cpus.client, serverEnded },
    );
    const calls = await trace.end();
    if (loaded.result === null) return loaded.failure ?? "the load generator gave no result";
    if (typeof calls === "string") return calls;
    return { messages: loaded.result.totalMessages, calls, own: null };
  } finally {
    trace.kill();
  }
}
