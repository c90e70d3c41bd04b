// Starts the processes of the store, and restarts those that end.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Endpoints } from "./broker.ts";
import type { Notice } from "./reader.ts";

export interface StoreSettings {
  readonly file: string;
  readonly readers: number;
  readonly idleMs: number;
  readonly staleMs: number | null;
  /** Addresses for clients; `tcp://127.0.0.1:*` for any. */
  readonly reads: string;
  readonly writes: string;
  readonly both: string;
  /** Where clients subscribe to changes. */
  readonly changes: string;
  readonly notice: Notice;
  readonly lookMs: number;
}

const program = fileURLToPath(new URL("worker.js", import.meta.url));
const AGAIN_MS = 100;
const STOP_MS = 2000;
const ANY = "tcp://127.0.0.1:*";

export async function runStore(settings: StoreSettings, stop: AbortSignal): Promise<void> {
  const supervisor = new Supervisor(settings);
  await supervisor.start();
  if (!stop.aborted) await once(stop, "abort");
  await supervisor.stop();
}

class Supervisor {
  readonly #settings: StoreSettings;
  readonly #children = new Set<ChildProcess>();
  #endpoints: Endpoints;
  #changes: string;
  #stopping = false;

  constructor(settings: StoreSettings) {
    this.#settings = settings;
    const { reads, writes, both, changes } = settings;
    this.#changes = changes;
    this.#endpoints = { reads, writes, both, readers: ANY, writers: ANY };
  }

  async start(): Promise<void> {
    const { file, readers, idleMs, staleMs, notice, lookMs } = this.#settings;
    const broker = await this.#keep("broker", () => this.#endpoints);
    // From now on it restarts at the same address, where clients find it.
    this.#endpoints = (broker as { endpoints: Endpoints }).endpoints;
    const { readers: readFrom, writers: writeFrom, reads, writes, both } = this.#endpoints;
    const reader = { file, endpoint: readFrom, idleMs, staleMs, notice, lookMs };
    const [writer] = await Promise.all([
      this.#keep("writer", () => ({ file, endpoint: writeFrom, changes: this.#changes })),
      ...Array.from({ length: readers }, () => this.#keep("reader", () => reader)),
    ]);
    this.#changes = (writer as { changes: string }).changes;
    const where = { reads, writes, both, changes: this.#changes };
    print({ event: "ready", ...where, pid: process.pid });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const ended = Promise.all([...this.#children].map((child) => once(child, "exit")));
    for (const child of this.#children) child.kill("SIGTERM");
    await Promise.race([ended, delay(STOP_MS, undefined, { ref: false })]);
    for (const child of this.#children) child.kill("SIGKILL");
    await ended;
  }

  /** @returns what it says when it is ready for the first time. */
  #keep(role: string, settings: () => object): Promise<object> {
    return new Promise((resolve) => {
      const args = [program, role, JSON.stringify(settings())];
      const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
      this.#children.add(child);
      child.stdin.on("error", () => {}); // nothing is written to it
      print({ event: "started", role, pid: child.pid });
      createInterface({ input: child.stdout }).on("line", (line) => {
        const event = JSON.parse(line);
        if (event.event === "ready") resolve(event);
        else print({ ...event, event: `${role}-${event.event}` });
      });
      child.once("exit", async (code, signal) => {
        this.#children.delete(child);
        if (this.#stopping) return;
        print({ event: "ended", role, code, signal });
        await delay(AGAIN_MS);
        if (!this.#stopping) resolve(await this.#keep(role, settings));
      });
    });
  }
}

function print(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
