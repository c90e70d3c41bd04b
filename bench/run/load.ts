// One run of the load generator: its JSON lines as they come.

import { within } from "../host/deadline.ts";
import { describeEnd, describeExit, type Host } from "../host/host.ts";
import { type LoadResult, type MemoryStage, parseEvent, type Window } from "../model/events.ts";
import {
  connectTimeoutMs,
  drainTimeoutMs,
  fillTimeoutMs,
  type LoadTarget,
  loadArguments,
  settlingMs,
} from "./load-arguments.ts";

export interface LoadOptions {
  readonly host: Host;
  readonly signal: AbortSignal;
  /** The CPU of the load generator; null for any. */
  readonly cpu: number | null;
  /** Whether a load generator that stays connected may spin on it; default: false. */
  readonly spins?: boolean;
  /** Resolves when the server is gone: then there is nothing to wait for. */
  readonly serverEnded: Promise<object>;
  /** Called once, about the middle of the last window; `pid` is the load generator's. */
  readonly onLoaded?: (pid: number) => void;
  /** Called once, when all connections are open and the buffers of slow readers are full. */
  readonly onConnected?: () => void;
}

export interface Loaded {
  /** From the first connect to the last connection established. */
  readonly connectMs: number | null;
  /** Null if the warm-up was not watched. */
  readonly steady: boolean | null;
  readonly memory: readonly MemoryStage[];
  readonly windows: readonly Window[];
  /** Null if the load generator did not get that far; `failure` says why. */
  readonly result: LoadResult | null;
  readonly failure: string | null;
}

/** How long it may take to detect by itself that the server is gone, and to report what it lost. */
const lastWordsMs = 1_000;
/** In addition to the times of its arguments: starting, closing, a machine that is busy. */
const marginMs = 15_000;

/** @throws {Interrupted} when the run is to stop; the generator may then still live. */
export async function runLoad(target: LoadTarget, options: LoadOptions): Promise<Loaded> {
  const windows: Window[] = [];
  const memory: MemoryStage[] = [];
  let connectMs: number | null = null;
  let steady: boolean | null = null;
  let result: LoadResult | null = null;
  let timer: NodeJS.Timeout | undefined;
  const { host, cpu, signal } = options;
  const { warmupMs, windows: count, windowMs } = target.timing;
  const argv = [host.paths.loadGenerator, "run", ...loadArguments(target)];
  const begins = target.load.slowReaders === undefined ? "connected" : "filled";
  const hear = (line: string) => {
    const event = parseEvent(line);
    if (event?.event === "connected") connectMs = event.elapsedMs;
    if (event?.event === begins) {
      options.onConnected?.();
      // The windows are printed when all is over, and the connections are gone by then.
      const untilLastMs = warmupMs + (count - 0.5) * windowMs;
      timer = setTimeout(() => options.onLoaded?.(child.pid), untilLastMs);
    }
    if (event?.event === "warmup") steady = event.steady;
    if (event?.event === "memory") memory.push(event);
    if (event?.event === "result") result = event;
    if (event?.event === "window") windows.push(event);
  };
  const child = host.start(argv, { launch: { cpu }, onLine: hear });
  void options.serverEnded.then(() => setTimeout(() => child.kill("SIGKILL"), lastWordsMs).unref());
  const timeoutMs = longestMs(target) + marginMs;
  try {
    const exit = await within(child.exited, { timeoutMs, signal });
    const end = exit === null ? `did not end within ${timeoutMs / 1000} s` : describeExit(exit);
    const failure = result === null ? describeEnd(child, `the load generator ${end}`) : null;
    return { connectMs, steady, memory, windows, result, failure };
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
  }
}

function longestMs({ load, timing }: LoadTarget): number {
  const { warmupMs, steadyWithinMs, windows, windowMs } = timing;
  const measuring = Math.max(warmupMs, steadyWithinMs) + windows * windowMs + drainTimeoutMs;
  const filling = load.slowReaders === undefined ? 0 : fillTimeoutMs;
  return connectTimeoutMs(load) + filling + (load.mode === "memory" ? settlingMs : measuring);
}
