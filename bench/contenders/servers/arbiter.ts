// Arbiter: starts worker processes, replaces one that ends, ends them all. They share a port;
// no connection passes through here. The name is gunicorn's, for the same part.

import type { ChildProcess } from "node:child_process";
import type { CallCounters } from "./counters.ts";
import type { Server } from "./server.ts";

/** What a worker sends over IPC (child_process.fork). */
type WorkerMessage =
  | { readonly event: "ready"; readonly port: number }
  | ({ readonly event: "counters" } & Readonly<CallCounters>);

/** Starts worker `index` on that port; 0 lets the kernel pick. */
type StartWorker = (index: number, port: number) => ChildProcess;

interface ArbiterOptions {
  readonly workers: number;
  readonly start: StartWorker;
  readonly counters: CallCounters;
  /** 0: the port that the first worker gets is that of all. */
  readonly port: number;
}

/** A successor starts after this delay, doubled each time that a worker ends young. */
const firstDelayMs = 100;
const longestDelayMs = 5_000;
/** A worker of this age has lived: its end is no reason to wait longer. */
const matureMs = 5_000;
/** From SIGTERM to SIGKILL. */
const endingMs = 10_000;

interface Slot {
  readonly index: number;
  child: ChildProcess | null;
  startedAtMs: number;
  delayMs: number;
  timer: NodeJS.Timeout | undefined;
}

/** Resolves when all workers are ready. @throws {Error} if one ends before it is. */
export async function startArbiter(options: ArbiterOptions): Promise<Server> {
  const arbiter = new Arbiter(options);
  try {
    const port = await arbiter.begin();
    return { port, stop: () => arbiter.stop(), done: arbiter.done, countsAtEnd: true };
  } catch (error) {
    arbiter.stop();
    throw error;
  }
}

class Arbiter {
  readonly done: Promise<void>;
  readonly #start: StartWorker;
  readonly #counters: CallCounters;
  readonly #slots: readonly Slot[];
  #port: number;
  /** All workers have been ready: one that ends from now on is replaced. */
  #serving = false;
  #stopping = false;
  #finish: () => void = () => {};

  constructor({ workers, start, counters, port }: ArbiterOptions) {
    this.#start = start;
    this.#counters = counters;
    this.#port = port;
    const empty = { child: null, startedAtMs: 0, delayMs: firstDelayMs, timer: undefined };
    this.#slots = Array.from({ length: workers }, (_, index) => ({ index, ...empty }));
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** @returns the port that all workers listen on. */
  async begin(): Promise<number> {
    const [first, ...others] = this.#slots;
    if (first !== undefined) this.#port = await this.#startWorker(first);
    await Promise.all(others.map((slot) => this.#startWorker(slot)));
    this.#serving = true;
    return this.#port;
  }

  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const { child, timer } of this.#slots) {
      clearTimeout(timer);
      child?.kill("SIGTERM");
      child?.kill("SIGCONT"); // a stopped process handles no other signal before this one
    }
    const kill = setTimeout(() => {
      for (const { child } of this.#slots) child?.kill("SIGKILL");
    }, endingMs);
    void this.done.then(() => clearTimeout(kill));
    this.#finishIfEmpty();
  }

  /** @returns the port that it listens on, once it does. @throws if it ends before. */
  #startWorker(slot: Slot): Promise<number> {
    const child = this.#start(slot.index, this.#port);
    slot.child = child;
    slot.startedAtMs = performance.now();
    return new Promise((resolve, reject) => {
      child.on("message", (message: WorkerMessage) => {
        if (message.event === "counters") this.#counters.add(message);
        else resolve(message.port);
      });
      // Without a process, as when none could be forked, there is no "exit". Other errors are of
      // messages to a worker that is ending.
      child.on("error", (error) => {
        if (child.pid === undefined) this.#onEnd(slot, error.message);
        reject(error);
      });
      child.once("exit", (code, signal) => {
        const how = signal ?? `exit ${code}`;
        this.#onEnd(slot, how);
        reject(new Error(`worker ${slot.index} ended (${how}) before it was ready`));
      });
    });
  }

  #onEnd(slot: Slot, how: string): void {
    slot.child = null;
    if (this.#stopping) this.#finishIfEmpty();
    else if (this.#serving) this.#replace(slot, how);
  }

  #replace(slot: Slot, how: string): void {
    const mature = performance.now() - slot.startedAtMs >= matureMs;
    const delayMs = mature ? firstDelayMs : slot.delayMs;
    slot.delayMs = Math.min(2 * delayMs, longestDelayMs);
    console.error(`arbiter: worker ${slot.index} ended (${how}); again in ${delayMs} ms`);
    slot.timer = setTimeout(() => {
      // One that ends before it is ready is replaced as any other.
      this.#startWorker(slot).catch(() => {});
    }, delayMs);
  }

  #finishIfEmpty(): void {
    if (this.#slots.every(({ child }) => child === null)) this.#finish();
  }
}
