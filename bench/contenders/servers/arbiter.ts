// Arbiter: starts worker processes, restarts one that dies, ends them all. The workers share a
// port; no connection passes through here. The name is gunicorn's, for the same part.
// Enters: how to start a worker, and its messages over IPC (child_process.fork). Leaves: one
// server's face: a port, a stop, the sum of all counters.

import type { ChildProcess } from "node:child_process";
import type { CallCounters } from "./counters.ts";
import type { Server } from "./server.ts";

/** What a worker tells. */
export type WorkerMessage =
  | { readonly event: "ready"; readonly port: number }
  | ({ readonly event: "counters" } & Readonly<CallCounters>);

/** Starts worker `index` on that port, 0 for the first. */
export type StartWorker = (index: number, port: number) => ChildProcess;

/** A worker that dies at once, again and again, must not keep the machine busy. */
const restartDelayMs = 100;
const mostRestarts = 100;

/** Resolved when all workers are ready. @throws {Error} where one ends before it is. */
export async function startArbiter(
  count: number,
  start: StartWorker,
  counters: CallCounters,
): Promise<Server> {
  const arbiter = new Arbiter(start, counters);
  try {
    // The first one's port is everybody's.
    const port = await arbiter.startWorker(0, 0);
    const others = Array.from({ length: count - 1 }, (_, index) => index + 1);
    await Promise.all(others.map((index) => arbiter.startWorker(index, port)));
    return { port, stop: () => arbiter.stop(), done: arbiter.done };
  } catch (error) {
    arbiter.stop();
    throw error;
  }
}

class Arbiter {
  readonly done: Promise<void>;
  readonly #start: StartWorker;
  readonly #counters: CallCounters;
  readonly #workers = new Set<ChildProcess>();
  #restarts = 0;
  #stopping = false;
  #finish: () => void = () => {};

  constructor(start: StartWorker, counters: CallCounters) {
    this.#start = start;
    this.#counters = counters;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** @returns the port that it listens on, once it does. */
  startWorker(index: number, port: number): Promise<number> {
    const worker = this.#start(index, port);
    this.#workers.add(worker);
    return new Promise((resolve, reject) => {
      let listensOn: number | null = null;
      worker.on("message", (message: WorkerMessage) => {
        if (message.event === "counters") return this.#counters.add(message);
        listensOn = message.port;
        resolve(message.port);
      });
      worker.on("error", reject);
      worker.on("exit", (code, signal) => {
        this.#workers.delete(worker);
        reject(
          new Error(`worker ${index} ended (${signal ?? `exit ${code}`}) before it was ready`),
        );
        if (this.#stopping) this.#finishWhenEmpty();
        else if (listensOn !== null) this.#restart(index, listensOn, signal ?? `exit ${code}`);
      });
    });
  }

  stop(): void {
    this.#stopping = true;
    for (const worker of this.#workers) worker.kill("SIGTERM");
    this.#finishWhenEmpty();
  }

  #restart(index: number, port: number, how: string): void {
    this.#restarts++;
    console.error(`arbiter: worker ${index} ended (${how})`);
    if (this.#restarts > mostRestarts) return;
    setTimeout(() => {
      if (this.#stopping) return;
      this.startWorker(index, port).catch((error: unknown) => console.error(`arbiter: ${error}`));
    }, restartDelayMs);
  }

  #finishWhenEmpty(): void {
    if (this.#workers.size === 0) this.#finish();
  }
}
