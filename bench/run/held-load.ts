// A load generator that stays connected to its server and measures a window whenever it is asked
// to: `load-generator hold`. Several of them let the load turn from one server to the next.

import { within } from "../host/deadline.ts";
import { describeEnd, describeExit, type HostProcess } from "../host/host.ts";
import { type Event, type LoadResult, parseEvent, type Window } from "../model/events.ts";
import type { LoadOptions } from "./load.ts";
import { connectTimeoutMs, type HeldTarget, heldArguments } from "./load-arguments.ts";

/** One window: how long, and how long the load runs before it begins. */
export interface WindowTiming {
  readonly windowMs: number;
  readonly settleMs: number;
  /** How long the messages that were due in it may take to come back, if any has to. */
  readonly drainMs?: number;
  /** Another loop than that of the target. */
  readonly instead?: SleepingLoop | ClosedLoop | undefined;
  /** Windows of equal numbers have the same schedule; default: each has another one. */
  readonly schedule?: number | undefined;
}

/** A message is sent for each that comes back. */
interface ClosedLoop {
  readonly inFlight: number;
}

/**
 * An open loop from a generator that sleeps. Messages are due at multiples of `tickUs`; each at its
 * own time if that is 0.
 */
interface SleepingLoop {
  readonly ratePerSecond: number;
  readonly tickUs: number;
}

/**
 * Beyond what a step was given: starting, sampling, a machine that is busy elsewhere, and a slow
 * server, before whose windows the load lasts up to 2 s, and whose windows up to 8 s.
 */
const marginMs = 15_000;
const usualDrainMs = 2_000;

export class HeldLoad {
  readonly #target: HeldTarget;
  readonly #options: LoadOptions;
  readonly #child: HostProcess;
  #hear: (event: Event) => void = () => {};
  #result: LoadResult | null = null;
  #connectMs: number | null = null;

  constructor(target: HeldTarget, options: LoadOptions) {
    const { host, cpu } = options;
    this.#target = target;
    this.#options = options;
    const argv = [host.paths.loadGenerator, "hold", ...heldArguments(target)];
    const onLine = (line: string) => {
      const event = parseEvent(line);
      if (event?.event === "result") this.#result = event;
      if (event !== null) this.#hear(event);
    };
    this.#child = host.start(argv, { launch: { cpu }, input: true, onLine });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** From the first connect to the last connection established; null until then. */
  get connectMs(): number | null {
    return this.#connectMs;
  }

  /** The result that it printed at its end; null until then. */
  get result(): LoadResult | null {
    return this.#result;
  }

  /** @returns why it did not connect, or null. @throws {Interrupted} */
  async connected(): Promise<string | null> {
    const timeoutMs = connectTimeoutMs(this.#target.load) + marginMs;
    const event = await this.#next("connected", timeoutMs);
    if (typeof event === "string") return event;
    this.#connectMs = event.elapsedMs;
    return null;
  }

  /** @returns the window, or why there is none. @throws {Interrupted} */
  window(timing: WindowTiming): Promise<Window | string> {
    const { windowMs, settleMs, drainMs = usualDrainMs, instead, schedule } = timing;
    const spins = this.#options.spins ?? false;
    const sending = instead === undefined ? sendingOf(this.#target.load, spins) : wordsOf(instead);
    const which = schedule === undefined ? "" : ` schedule=${schedule}`;
    const words = `ms=${windowMs} settle-ms=${settleMs} drain-ms=${drainMs}${sending}${which}`;
    this.#child.send(`window ${words}`);
    return this.#next("window", windowMs + settleMs + drainMs + marginMs);
  }

  /** @returns how many messages came back so far, or why it did not say. @throws {Interrupted} */
  async messagesSoFar(): Promise<number | string> {
    this.#child.send("report");
    const report = await this.#next("report", marginMs);
    return typeof report === "string" ? report : report.totalMessages;
  }

  /** Closes every connection. @returns what it counted, or why it did not. @throws {Interrupted} */
  async end(): Promise<LoadResult | string> {
    if (this.#result !== null) return this.#result;
    this.#child.send("end");
    return this.#next("result", marginMs);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #next<Name extends "connected" | "window" | "report" | "result">(
    name: Name,
    timeoutMs: number,
  ): Promise<Extract<Event, { event: Name }> | string> {
    const { signal, serverEnded } = this.#options;
    const heard = new Promise<Extract<Event, { event: Name }>>((resolve) => {
      this.#hear = (event) => {
        if (event.event === name) resolve(event as Extract<Event, { event: Name }>);
      };
    });
    // A server that ends once its last window is over does not take the result with it.
    const server = name === "result" ? [] : [serverEnded.then(() => gone)];
    const either = Promise.race([heard, this.#child.exited, ...server]);
    const first = await within(either, { timeoutMs, signal });
    if (first === null) {
      return describeEnd(this.#child, `the load generator gave no ${name} in ${timeoutMs} ms`);
    }
    if ("event" in first) return first as Extract<Event, { event: Name }>;
    if (first === gone) return "the server ended";
    const exit = first as Parameters<typeof describeExit>[0];
    return (
      this.#result?.error ?? describeEnd(this.#child, `the load generator ${describeExit(exit)}`)
    );
  }
}

const gone = { ended: true };

/** Messages leave when due if a CPU is free for that; else those of a millisecond together. */
function sendingOf({ mode }: HeldTarget["load"], spins: boolean): string {
  return mode === "open" && spins ? " spin=1 tick-us=0" : "";
}

function wordsOf(loop: SleepingLoop | ClosedLoop): string {
  if ("inFlight" in loop) return ` in-flight=${loop.inFlight}`;
  return ` rate=${loop.ratePerSecond} tick-us=${loop.tickUs}`;
}
