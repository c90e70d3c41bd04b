// A pool of worker threads for handlers that block: a job is some bytes and how long they block,
// its result is the bytes of the answer. A job that finds no idle worker waits in a queue. The
// workers run this file, too.

import { once } from "node:events";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { block } from "./blocking.ts";

/** As many as libuv has for blocking calls. */
const POOL_THREADS = 4;

interface Job {
  readonly bytes: Uint8Array;
  readonly blockMs: number;
}
type Done = (answer: Uint8Array) => void;
interface QueuedJob extends Job {
  readonly done: Done;
}

export class WorkerPool {
  readonly #threads: readonly Worker[];
  readonly #idle: Worker[] = [];
  readonly #waiting: QueuedJob[] = [];
  readonly #running = new Map<Worker, Done>();

  private constructor(threads: readonly Worker[]) {
    this.#threads = threads;
    for (const thread of threads) {
      this.#idle.push(thread);
      thread.on("message", (answer: Uint8Array) => this.#finish(thread, answer));
    }
  }

  /** @returns it when all its threads run. */
  static async start(threads = POOL_THREADS): Promise<WorkerPool> {
    const all = Array.from({ length: threads }, () => new Worker(new URL(import.meta.url)));
    await Promise.all(all.map((thread) => once(thread, "online")));
    return new WorkerPool(all);
  }

  /** @param bytes copied before this returns @param done is called with the answer, once. */
  run(bytes: Uint8Array, blockMs: number, done: Done): void {
    // A copy of its own: the view may be one of a large buffer, which would be sent whole.
    this.#waiting.push({ bytes: Uint8Array.from(bytes), blockMs, done });
    this.#startNext();
  }

  /** Ends the threads; answers that are not there yet never come. */
  async close(): Promise<void> {
    this.#waiting.length = 0;
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  #startNext(): void {
    const next = this.#idle.length > 0 ? this.#waiting.shift() : undefined;
    if (next === undefined) return;
    const thread = this.#idle.pop() as Worker;
    this.#running.set(thread, next.done);
    const job: Job = { bytes: next.bytes, blockMs: next.blockMs };
    thread.postMessage(job);
  }

  #finish(thread: Worker, answer: Uint8Array): void {
    const done = this.#running.get(thread);
    this.#running.delete(thread);
    this.#idle.push(thread);
    this.#startNext();
    done?.(answer);
  }
}

if (!isMainThread) {
  parentPort?.on("message", ({ bytes, blockMs }: Job) => {
    block(blockMs);
    parentPort?.postMessage(bytes);
  });
}
