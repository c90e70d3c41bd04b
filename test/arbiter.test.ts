// How long the arbiter of the TypeScript servers waits before it replaces a worker: by how often
// workers ended young, and never permanently.

import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startArbiter } from "../bench/contenders/servers/arbiter.ts";
import { CallCounters } from "../bench/contenders/servers/counters.ts";

/** A worker without a process. */
class Worker extends EventEmitter {
  readonly pid = 1;
  readonly signals: string[] = [];

  kill(signal: string): boolean {
    this.signals.push(signal);
    return true;
  }
}

const started: { worker: Worker; port: number; atMs: number }[] = [];
const last = () => started.at(-1)?.worker as Worker;

function start(_index: number, port: number): ChildProcess {
  const worker = new Worker();
  started.push({ worker, port, atMs: Date.now() });
  return worker as unknown as ChildProcess;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, "error").mockImplementation(() => {});
  started.length = 0;
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function oneWorker() {
  const server = startArbiter({ workers: 1, start, counters: new CallCounters(), port: 0 });
  last().emit("message", { event: "ready", port: 4242 });
  return await server;
}

describe("the arbiter", () => {
  it("waits twice as long each time that a worker ends young, 5 s at most, for ever", async () => {
    const server = await oneWorker();
    for (let death = 0; death < 120; death++) {
      last().emit("exit", 1, null);
      await vi.advanceTimersByTimeAsync(5_000);
      expect(started).toHaveLength(death + 2);
    }
    const delays = [100, 200, 400, 800, 1600, 3200];
    let sum = 0;
    for (const [index] of delays.entries()) {
      // A successor started after its delay; the next death came 5 s after the one before.
      const { atMs } = started[index + 1] as { atMs: number };
      const deathMs = (started[0] as { atMs: number }).atMs + sum;
      expect(atMs - deathMs).toBe(delays[index]);
      sum += 5_000;
    }
    expect(started.every(({ port }, index) => port === (index === 0 ? 0 : 4242))).toBe(true);
    server.stop();
    last().emit("exit", 0, null);
    await server.done;
  });

  it("starts again with the shortest delay after a worker that has lived", async () => {
    await oneWorker();
    for (let death = 0; death < 5; death++) {
      last().emit("exit", 1, null);
      await vi.advanceTimersByTimeAsync(5_000);
    }
    await vi.advanceTimersByTimeAsync(5_000);
    const before = started.length;
    last().emit("exit", 1, null);
    await vi.advanceTimersByTimeAsync(100);
    expect(started).toHaveLength(before + 1);
  });

  it("kills a worker that does not end when it is asked", async () => {
    const server = await oneWorker();
    const worker = last();
    server.stop();
    expect(worker.signals).toEqual(["SIGTERM", "SIGCONT"]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(worker.signals.at(-1)).toBe("SIGKILL");
    worker.emit("exit", null, "SIGKILL");
    await server.done;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(started).toHaveLength(1);
  });

  it("fails if a worker ends before the server is ready", async () => {
    const server = startArbiter({ workers: 1, start, counters: new CallCounters(), port: 0 });
    last().emit("exit", 3, null);
    await expect(server).rejects.toThrow("worker 0 ended (exit 3) before it was ready");
  });
});
