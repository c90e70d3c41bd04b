// One run of the load generator: its arguments from a Load, its JSON lines as they come. Enters: a
// load and a port. Leaves: windows and the result, or why there is none.

import type { Timing } from "../profiles.ts";
import type { Load } from "../workloads/workload.ts";
import { within } from "./deadline.ts";
import { type LoadResult, parseEvent, type Window } from "./events.ts";
import { type ChildProcesses, describeExit } from "./processes.ts";

export interface LoadOptions {
  readonly children: ChildProcesses;
  readonly signal: AbortSignal;
  /** The argument vector of `load-generator run`, its options excepted. */
  readonly command: readonly string[];
  /** Resolves when the server is gone: then there is nothing to wait for. */
  readonly serverEnded: Promise<object>;
}

export interface Target {
  readonly port: number;
  readonly pid: number;
  readonly load: Load;
  readonly timing: Timing;
  readonly seed: number;
}

export interface Loaded {
  /** From the first connect to the last connection established. */
  readonly connectMs: number | null;
  readonly windows: readonly Window[];
  /** Null where the load generator did not get that far; `failure` says why. */
  readonly result: LoadResult | null;
  readonly failure: string | null;
}

const connectTimeoutMs = 30_000;
const drainTimeoutMs = 2_000;
/** How long it may take to notice by itself that the server is gone, and to say what it lost. */
const lastWordsMs = 1_000;
/** Beyond the sum of what it was told: starting, closing, a machine that is busy elsewhere. */
const marginMs = 15_000;

/** @throws {Interrupted} when the run is to stop; the generator may then still live. */
export async function runLoad(target: Target, options: LoadOptions): Promise<Loaded> {
  const windows: Window[] = [];
  let connectMs: number | null = null;
  let result: LoadResult | null = null;
  const argv = [...options.command, ...loadArguments(target)];
  const child = options.children.start(argv, (line) => {
    const event = parseEvent(line);
    if (event?.event === "connected") connectMs = event.elapsedMs;
    if (event?.event === "window") windows.push(event);
    if (event?.event === "result") result = event;
  });
  void options.serverEnded.then(() => setTimeout(() => child.kill("SIGKILL"), lastWordsMs).unref());
  const { warmupMs, windows: count, windowMs } = target.timing;
  const timeoutMs = connectTimeoutMs + warmupMs + count * windowMs + drainTimeoutMs + marginMs;
  try {
    const exit = await within(child.exited, { timeoutMs, signal: options.signal });
    const end = exit === null ? `did not end within ${timeoutMs / 1000} s` : describeExit(exit);
    const tail = child.stderrTail === "" ? "" : `; stderr: ${child.stderrTail}`;
    const failure = result === null ? `the load generator ${end}${tail}` : null;
    return { connectMs, windows, result, failure };
  } finally {
    child.kill("SIGKILL");
  }
}

function loadArguments({ port, pid, load, timing, seed }: Target): string[] {
  const options: Record<string, string | number> = {
    "--port": port,
    "--server-pid": pid,
    "--connections": load.connections,
    "--payload-bytes": load.payloadBytes,
    "--mode": load.mode,
    "--warmup-ms": timing.warmupMs,
    "--windows": timing.windows,
    "--window-ms": timing.windowMs,
    "--seed": seed,
    "--connect-timeout-ms": connectTimeoutMs,
    "--drain-timeout-ms": drainTimeoutMs,
    ...(load.mode === "open"
      ? { "--rate": load.ratePerSecond, "--schedule": load.schedule }
      : { "--in-flight": load.inFlight }),
  };
  return Object.entries(options).flatMap(([name, value]) => [name, String(value)]);
}
