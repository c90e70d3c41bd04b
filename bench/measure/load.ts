// One run of the load generator: its JSON lines as they come. Enters: a load and a port. Leaves:
// windows and the result, or why there is none.

import { within } from "./deadline.ts";
import { type LoadResult, type MemoryStage, parseEvent, type Window } from "./events.ts";
import {
  connectTimeoutMs,
  drainTimeoutMs,
  loadArguments,
  settlingMs,
  type Target,
} from "./load-arguments.ts";
import { type ChildProcesses, describeExit } from "./processes.ts";

export interface LoadOptions {
  readonly children: ChildProcesses;
  readonly signal: AbortSignal;
  /** The argument vector of `load-generator run`, its options excepted. */
  readonly command: readonly string[];
  /** Resolves when the server is gone: then there is nothing to wait for. */
  readonly serverEnded: Promise<object>;
  /** Called as each window ends; `pid` is the load generator's. */
  readonly onWindow?: (window: Window, pid: number) => void;
}

export interface Loaded {
  /** From the first connect to the last connection established. */
  readonly connectMs: number | null;
  /** Null where the warm-up was not watched. */
  readonly steady: boolean | null;
  readonly memory: readonly MemoryStage[];
  readonly windows: readonly Window[];
  /** Null where the load generator did not get that far; `failure` says why. */
  readonly result: LoadResult | null;
  readonly failure: string | null;
}

/** How long it may take to notice by itself that the server is gone, and to say what it lost. */
const lastWordsMs = 1_000;
/** Beyond the sum of what it was told: starting, closing, a machine that is busy elsewhere. */
const marginMs = 15_000;

/** @throws {Interrupted} when the run is to stop; the generator may then still live. */
export async function runLoad(target: Target, options: LoadOptions): Promise<Loaded> {
  const windows: Window[] = [];
  const memory: MemoryStage[] = [];
  let connectMs: number | null = null;
  let steady: boolean | null = null;
  let result: LoadResult | null = null;
  const argv = [...options.command, ...loadArguments(target)];
  const child = options.children.start(argv, (line) => {
    const event = parseEvent(line);
    if (event?.event === "connected") connectMs = event.elapsedMs;
    if (event?.event === "warmup") steady = event.steady;
    if (event?.event === "memory") memory.push(event);
    if (event?.event === "result") result = event;
    if (event?.event !== "window") return;
    windows.push(event);
    options.onWindow?.(event, child.pid);
  });
  void options.serverEnded.then(() => setTimeout(() => child.kill("SIGKILL"), lastWordsMs).unref());
  const timeoutMs = longestMs(target) + marginMs;
  try {
    const exit = await within(child.exited, { timeoutMs, signal: options.signal });
    const end = exit === null ? `did not end within ${timeoutMs / 1000} s` : describeExit(exit);
    const tail = child.stderrTail === "" ? "" : `; stderr: ${child.stderrTail}`;
    const failure = result === null ? `the load generator ${end}${tail}` : null;
    return { connectMs, steady, memory, windows, result, failure };
  } finally {
    child.kill("SIGKILL");
  }
}

function longestMs({ load, timing }: Target): number {
  const { warmupMs, steadyWithinMs, windows, windowMs } = timing;
  const measuring = Math.max(warmupMs, steadyWithinMs) + windows * windowMs + drainTimeoutMs;
  return connectTimeoutMs(load) + (load.mode === "memory" ? settlingMs : measuring);
}
