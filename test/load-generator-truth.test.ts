// Whether the load generator's numbers are true: a server that stands still is not excused, and an
// echo that is read late is not thought to have come late.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { packagePaths } from "../bench/paths.ts";
import { bins, quantile } from "./hdr-reader.ts";
import {
  endAll,
  finished,
  listen,
  type Outcome,
  outcome,
  run,
  start,
  startRun,
} from "./load-runs.ts";

const { echoServer } = packagePaths();
const ms = 1e6;

afterEach(endAll);

type Name = "latency" | "latencyUncorrected";
const p99 = (windows: Outcome["windows"], name: Name) =>
  quantile(
    windows.flatMap((window) => bins(window[name])).sort(([a], [b]) => a - b),
    0.99,
  );

async function startServer(
  strategy = "poll",
): Promise<{ child: ChildProcess; port: number; pid: number }> {
  const child = start(echoServer, ["--strategy", strategy]);
  if (child.stdout === null) throw new Error("started without pipes");
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  return { child, ...JSON.parse(value) };
}

describe("a server that is stopped for 200 ms", () => {
  // One message at most under way on a connection: of those due while the server stands still only
  // so many are sent into its buffers. Without a depth all of them are, and the uncorrected figure
  // rises as well.
  const load = {
    ...{ connections: 4, depth: 1, rate: 2000, windows: 10, "window-ms": 100, "warmup-ms": 50 },
    "drain-timeout-ms": 10_000,
  };

  async function loadAndStop(stopMs: number) {
    const { child, port } = await startServer();
    const generator = startRun(port, load);
    const finish = finished(generator);
    await once(generator.stdout ?? process.stdin, "data");
    await delay(300);
    child.kill("SIGSTOP");
    await delay(stopMs);
    child.kill("SIGCONT");
    return outcome(await finish);
  }

  it("raises the corrected p99 above 100 ms, and leaves the uncorrected one", async () => {
    const { windows, result } = await loadAndStop(200);
    expect(result).toMatchObject({ mismatches: 0, missing: 0, error: null });
    expect(p99(windows, "latency")).toBeGreaterThan(100 * ms);
    // Of some 2,000 messages four were under way: a fifth of a hundredth.
    expect(p99(windows, "latencyUncorrected")).toBeLessThan(p99(windows, "latency") / 2);
  });
});

it("counts what was due, also at a rate that the load generator cannot reach", async () => {
  const port = await listen((socket, data, { bytes }) => {
    if (bytes === 0) socket.write(data);
  });
  const rate = 10_000_000;
  const brief = { windows: 1, "window-ms": 20, "drain-timeout-ms": 50 };
  const { windows } = await run(port, { ...brief, rate, schedule: "fixed" });
  const [window] = windows;
  const due = (rate * Number(window?.["durationNs"])) / 1e9;
  expect(window?.["intendedMessages"]).toBeGreaterThan(0.8 * due);
});

describe.runIf(process.platform === "linux")("an echo that is read late", () => {
  it("is timed by when it came", async () => {
    const { port } = await startServer();
    // Nothing is due for 20 ms at a time, and no process looks for longer than an echo takes.
    const options = { connections: 1, rate: 50, "tick-us": 20_000, windows: 8 };
    const { windows, result } = await run(port, options);
    expect(result).toMatchObject({ mismatches: 0, missing: 0, error: null });
    const all = windows.flatMap((window) => bins(window.latency)).sort(([a], [b]) => a - b);
    // The quickest: on a busy machine any other may have waited.
    expect(all[0]?.[0]).toBeGreaterThan(0);
    expect(all[0]?.[0]).toBeLessThan(5 * ms);
  });
});

describe.runIf(process.platform === "linux")("a server that never sleeps", () => {
  it("used all the time in which it did not wait for its CPU", async () => {
    const { port, pid } = await startServer("busy-poll");
    const shape = { connections: 4, rate: 2000, windows: 30, "window-ms": 10, "server-pid": pid };
    const { windows } = await run(port, shape);
    expect(windows).toHaveLength(30);
    for (const window of windows) {
      const figure = (name: string) => Number(window[name]);
      expect(figure("serverVoluntarySwitches")).toBe(0);
      const accounted = figure("serverCpuNs") + figure("serverRunQueueWaitNs");
      expect(accounted).toBe(Math.max(figure("durationNs"), figure("serverRunQueueWaitNs")));
    }
    // The kernel brings a thread's account up to date at each tick, of 10 ms at most.
    const sumOf = (name: string) => windows.reduce((sum, window) => sum + Number(window[name]), 0);
    expect(sumOf("serverReadyNs")).toBeGreaterThan(sumOf("durationNs") - 20 * ms);
  });
});
