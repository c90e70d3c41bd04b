// How long a server handles load before it is measured.

import type { Contender } from "../contenders/catalogue.ts";
import { runtimeRow } from "../model/runtimes.ts";
import type { GeneratorLoad, HeldLoadShape } from "./load-arguments.ts";
import type { Timing } from "./profiles.ts";

/**
 * What is compiled while it runs costs more at first: for so long under load, and until it has
 * handled so many messages (a hundred connections, 10,000 messages/s: twice as much in the first
 * 150 ms, a quarter more in the next, then even).
 */
export const runtimeWarmupMs = 300;
export const runtimeWarmupMessages = 5_000;
/** Slow loads end their warm-up after so long, with fewer messages. */
const longestRuntimeWarmupMs = 5_000;

/** Servers that may compile while they run warm up until they have handled enough messages. */
export function warmed({ runtime }: Contender, timing: Timing, load: GeneratorLoad): Timing {
  if (runtimeRow(runtime).warmup === "none") return timing;
  // Each connection has echoed once before the warm-up begins.
  const missing = Math.max(0, runtimeWarmupMessages - load.connections);
  const missingMs = load.mode === "open" ? (1000 * missing) / load.ratePerSecond : 0;
  const longer = Math.min(Math.max(runtimeWarmupMs, missingMs), longestRuntimeWarmupMs);
  const warmupMs = Math.ceil(Math.max(timing.warmupMs, longer));
  return { ...timing, warmupMs };
}

/** Windows in which a message is sent for each that comes back, until there were enough. */
export interface ClosedWarmup {
  readonly inFlight: number;
  readonly windowMs: number;
  readonly windowsAtMost: number;
  readonly messages: number;
}

/**
 * Java NIO, 1,000 connections, 10,000 messages/s: 29 us of CPU per message after 5,000 messages, 17
 * after 40,000.
 */
const closedLoop = { inFlight: 32, windowMs: 100, windowsAtMost: 20, messages: 40_000 };

/** @returns null without such windows. */
export function closedWarmup({ runtime }: Contender, load: HeldLoadShape): ClosedWarmup | null {
  if (runtimeRow(runtime).warmup !== "closed-loop") return null;
  return { ...closedLoop, inFlight: Math.min(closedLoop.inFlight, load.activeConnections) };
}

const longestSettleMs = 10;

/** Load before a window begins: caches and queues are this server's by then. Milliseconds. */
export function settleMs(windowMs: number): number {
  return Math.min(longestSettleMs, windowMs / 2);
}

/**
 * A closed loop begins with all its messages at once. In 10 ms a server that reads them all before
 * it answers the first one would have answered none.
 */
const shortestClosedMs = 150;
const fewestWindows = 3;

/**
 * The windows of servers that take turns: fewer if they have to be longer, at least three, and
 * together as long as planned. @param shortestMs that the host allows.
 */
export function heldTiming(timing: Timing, { mode }: GeneratorLoad, shortestMs = 0): Timing {
  const closedMs = mode === "closed" ? shortestClosedMs : 0;
  const windowMs = Math.max(timing.windowMs, closedMs, shortestMs);
  if (windowMs === timing.windowMs) return timing;
  const windows = Math.ceil((timing.windows * timing.windowMs) / windowMs);
  return { ...timing, windowMs, windows: Math.max(fewestWindows, windows) };
}

/** A server's CPU handles so many messages per second of several servers that warm up together. */
const rateTogether = 10_000;

/** How many servers of one load warm up at the same time: slow loads take long to warm up. */
export function warmUpsAtOnce(load: GeneratorLoad): number {
  return load.mode === "open" ? Math.max(1, Math.floor(rateTogether / load.ratePerSecond)) : 1;
}
