// The arguments of `load-generator run`, from a Load and its timing. An option that is omitted has
// the generator's own default. Pure.

import type { Load } from "../model/workloads/workload.ts";
import type { Timing } from "./profiles.ts";

/** A load that the generator can make. */
export type GeneratorLoad = Exclude<Load, { readonly mode: "readiness" | "delivery" | "share" }>;

export interface LoadTarget {
  readonly port: number;
  readonly pid: number;
  readonly load: GeneratorLoad;
  readonly timing: Timing;
  readonly seed: number;
  /** The protocol's own arguments; echo without any. */
  readonly spoken?: readonly string[] | undefined;
}

/** Waited in full only if something is missing: a machine that starves a server is no fault. */
export const drainTimeoutMs = 8_000;
/** How long the memory workload may wait for the machine to settle, over all its stages. */
export const settlingMs = 30_000;

/** Filling the peers that never read. */
export const fillTimeoutMs = 10_000;

/** In which a server, however slow, serves one more connection. */
const connectStallMs = 30_000;
/** The load generator accepts no longer time. */
const longestConnectMs = 3_600_000;
/** A bound: of twenty servers on 40 % of a busy CPU one that forks took 14 ms per connection. */
const sharedCpu = { msPerConnection: 60, connections: 10_000 };
/** A million connections at a few thousand a second, where a machine is busy. */
const connectMsPerConnection = 0.5;

export function connectTimeoutMs({ connections }: GeneratorLoad): number {
  const together = Math.min(connections, sharedCpu.connections);
  const alone = connections - together;
  const neededMs = together * sharedCpu.msPerConnection + alone * connectMsPerConnection;
  return Math.min(Math.max(connectStallMs, Math.round(neededMs)), longestConnectMs);
}

export function loadArguments({ timing, ...target }: LoadTarget): string[] {
  const { load } = target;
  return commonArguments(target, { "--mode": load.mode, ...timingArguments(load, timing) });
}

/** The part of the load that a server gets as options; the messages contain the rest. */
export function serverArguments({ blocking, payloadBytes }: GeneratorLoad): string[] {
  if (blocking === undefined) return [];
  const { ms, below } = blocking;
  const options = { "--block-ms": ms, "--block-below": below, "--message-bytes": payloadBytes };
  return Object.entries(options).flatMap(([name, value]) => [name, String(value)]);
}

/** A load that the generator can hold and measure window by window. */
export type HeldLoadShape = Extract<GeneratorLoad, { readonly mode: "open" | "closed" }>;

export interface HeldTarget extends Omit<LoadTarget, "load" | "timing"> {
  readonly load: HeldLoadShape;
}

/** Whether `load-generator hold` can make this load: talking connections only. */
export function canBeHeld(load: Load): load is HeldLoadShape {
  const talking = load.mode === "open" || load.mode === "closed";
  return talking && load.slowReaders === undefined && load.hotInFlight === undefined;
}

/** The arguments of `load-generator hold`: open or closed by the rate or the messages in flight. */
export function heldArguments(target: HeldTarget): string[] {
  return commonArguments(target, {});
}

function commonArguments(target: Omit<LoadTarget, "timing">, further: Arguments): string[] {
  const { port, pid, load, seed, spoken = [] } = target;
  const options: Arguments = {
    "--port": port,
    "--server-pid": pid,
    // Other protocols say in their own arguments what a message is.
    ...(load.payloadBytes > 0 ? { "--payload-bytes": load.payloadBytes } : {}),
    "--seed": seed,
    "--connect-timeout-ms": connectTimeoutMs(load),
    "--connect-stall-ms": connectStallMs,
    "--drain-timeout-ms": drainTimeoutMs,
    ...further,
    ...modeArguments(load),
  };
  const pairs = Object.entries(options).flatMap(([name, value]) => [name, String(value)]);
  // The last one wins: what the workload says, over what the protocol asks for, such as --depth.
  return [...spoken, ...pairs];
}

type Arguments = Readonly<Record<string, string | number>>;

function timingArguments({ mode }: GeneratorLoad, timing: Timing): Arguments {
  if (mode === "memory") return {};
  const { warmupMs, steadyWithinMs, windows, windowMs } = timing;
  return {
    "--warmup-ms": warmupMs,
    "--windows": windows,
    "--window-ms": windowMs,
    ...(steadyWithinMs > 0 ? { "--steady-within-ms": steadyWithinMs } : {}),
  };
}

function modeArguments(load: GeneratorLoad): Arguments {
  switch (load.mode) {
    case "open":
      return {
        ...connectionArguments(load),
        "--rate": load.ratePerSecond,
        "--schedule": load.schedule,
      };
    case "closed":
      return {
        ...connectionArguments(load),
        "--in-flight": load.inFlight,
        ...(load.depth === undefined ? {} : { "--depth": load.depth }),
      };
    case "idle":
      return { "--connections": load.connections };
    case "churn":
      return { "--in-flight": load.inFlight, "--churn-echo": load.echo ? 1 : 0 };
    case "memory":
      return { "--stages": load.stages.join(",") };
  }
}

function connectionArguments(
  load: GeneratorLoad & { readonly mode: "open" | "closed" },
): Arguments {
  const { connections, activeConnections, slowReaders = 0, hotInFlight, blocking } = load;
  const talking = connections - slowReaders;
  return {
    "--connections": connections,
    ...(activeConnections < talking ? { "--active": activeConnections } : {}),
    ...(slowReaders > 0 ? { "--slow": slowReaders, "--fill-timeout-ms": fillTimeoutMs } : {}),
    ...(hotInFlight === undefined ? {} : { "--hot": hotInFlight }),
    ...(blocking === undefined ? {} : { "--block-below": blocking.below }),
  };
}
