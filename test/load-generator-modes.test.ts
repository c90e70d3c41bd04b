// The load generator's modes: silent, slow and flooding peers, churn, memory, several processes.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { packagePaths } from "../bench/paths.ts";
import { killProcess, survivors } from "./bench-processes.ts";
import { eventually } from "./eventually.ts";
import { countFrom } from "./hdr-reader.ts";
import {
  echo,
  endAll,
  finished,
  listen,
  run,
  servedRun,
  servers,
  start,
  startRun,
  type Window,
} from "./load-runs.ts";

const { echoServer, loadGenerator } = packagePaths();
const onLinux = process.platform === "linux";
const clean = { mismatches: 0, missing: 0, connectionsLost: 0, error: null };

afterEach(endAll);

/** Counts the connections that got more than the greeting of 64 bytes. */
async function listenAndCount() {
  const got = new Map<number, number>();
  let next = 0;
  const names = new WeakMap<object, number>();
  const port = await listen((socket, data) => {
    const name = names.get(socket) ?? next++;
    names.set(socket, name);
    got.set(name, (got.get(name) ?? 0) + data.length);
    socket.write(data);
  });
  const busy = () => [...got.values()].filter((bytes) => bytes > 64).length;
  return { port, got, busy };
}

const lines = (out: string) =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

async function rawRun(port: number, options: Record<string, string | number>) {
  const [code, out, stderr] = await finished(startRun(port, options));
  return { code, stderr, lines: lines(out) };
}

/** A machine that stands still may leave one window without anything, but not all of them. */
const sumOf = (windows: readonly Window[], name: string) =>
  windows.reduce((sum, window) => sum + Number(window[name]), 0);

describe("connections that are", () => {
  it.each([
    ["open", {}],
    ["closed", { mode: "closed", "in-flight": 3 }],
    ["closed, pipelined", { mode: "closed", "in-flight": 5 * 4, depth: 4 }],
  ])("silent carry nothing after the greeting: %s", async (_name, options) => {
    const { port, got, busy } = await listenAndCount();
    const { result } = await run(port, { ...options, connections: 40, active: 5 });
    expect(result).toMatchObject(clean);
    expect(result.messages).toBeGreaterThan(0);
    expect(got.size).toBe(40);
    expect(busy()).toBe(5);
    expect(result["fairness"]).toMatchObject({ connections: 5 });
  });

  it("slow are written to and never read, and delay no other peer", async () => {
    const unread = new Map<object, number>();
    const port = await listen((socket, data) => {
      socket.write(data);
      unread.set(socket, Math.max(unread.get(socket) ?? 0, socket.writableLength));
    });
    const options = { connections: 20, slow: 4, "payload-bytes": 16_384, rate: 3000 };
    // It is 48 MB/s each way: a busy machine may be far behind at the end.
    const more = { windows: 15, "drain-timeout-ms": 20_000 };
    // Its peers count as full when they took nothing for 300 ms, which a busy machine may stand
    // still before it has filled them.
    let fourth = 0;
    for (let attempt = 0; attempt < 4 && fourth <= 16_384; attempt++) {
      unread.clear();
      const { result, windows } = await servedRun(port, { ...options, ...more });
      expect(result).toMatchObject({ ...clean, slow: { connections: 4, closed: 0 } });
      const { bytesSent } = result["slow"] as { bytesSent: number };
      expect(bytesSent).toBeGreaterThan(4 * 16_384);
      expect(sumOf(windows.slice(5), "completedMessages")).toBeGreaterThan(0);
      fourth = [...unread.values()].sort((a, b) => b - a)[3] ?? 0;
    }
    expect(fourth).toBeGreaterThan(16_384);
  });

  it("are filled in each agent's part, even if it has none of them", async () => {
    const options = { connections: 4, slow: 1, parts: 2, rate: 100, windows: 1 };
    for (const part of [0, 1]) {
      const all = await rawRun(await listen(echo), { ...options, part });
      const filled = all.lines.filter(({ event }) => event === "filled");
      expect(filled).toMatchObject([{ connections: part }]);
    }
  });

  it("slow are filled before the warm-up", async () => {
    const port = await listen((socket, data) => {
      if (!socket.write(data)) socket.pause().once("drain", () => socket.resume());
    });
    const options = { connections: 10, slow: 2, "payload-bytes": 64, rate: 1000, windows: 2 };
    const all = await rawRun(port, options);
    expect(all.lines.slice(0, 2)).toMatchObject([
      { event: "connected" },
      { event: "filled", connections: 2 },
    ]);
    const { slow } = all.lines.at(-1);
    expect(slow.full).toBe(2);
    // A full peer may take a little more now and then: its server has freed some room.
    expect(slow.bytesSent).toBeLessThan(1.5 * all.lines[1].bytesSent);
  });

  it("slow may be closed by the server", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.on("data", (data) => {
        // A peer that does not take its echoes is let go.
        if (!socket.write(data) && socket.writableLength > 200_000) socket.destroy();
      });
    });
    servers.add(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const options = { connections: 10, slow: 2, "payload-bytes": 16_384, rate: 2000 };
    const { result } = await run(address.port, { ...options, windows: 10 });
    expect(result).toMatchObject({ ...clean, slow: { connections: 2, closed: 2 } });
  });

  it("hot flood, and are counted apart", async () => {
    const port = await listen(echo);
    const { result, windows } = await run(port, { connections: 10, hot: 20, rate: 500 });
    expect(result).toMatchObject({ ...clean, fairness: { connections: 9 } });
    for (const window of windows) {
      expect(countFrom(window.latency)).toBe(window["completedMessages"]);
    }
    expect(sumOf(windows, "hotCompletedMessages")).toBeGreaterThan(0);
    const { jain, longestGapNs } = result["fairness"] as { jain: number; longestGapNs: number };
    expect(jain).toBeGreaterThan(0);
    expect(jain).toBeLessThanOrEqual(1);
    expect(longestGapNs).toBeGreaterThan(0);
  });

  it("hot leave what is under way to the others, whose loop is closed", async () => {
    const options = { mode: "closed", connections: 10, "in-flight": 9, hot: 20 };
    const { result } = await run(await listen(echo), options);
    expect(result).toMatchObject({ ...clean, fairness: { connections: 9 } });
    expect(result.messages).toBeGreaterThan(0);
  });

  it("meant to get messages faster than can be slept between are heard all the same", async () => {
    const options = { schedule: "fixed", "tick-us": 0, rate: 80_000, "drain-timeout-ms": 20_000 };
    const { windows } = await run(await listen(echo), options);
    expect(sumOf(windows, "completedMessages")).toBeGreaterThan(0);
  });

  it("treated unfairly show in Jain's index", async () => {
    // Every second connection is answered a hundred times later.
    let count = 0;
    const port = await listen((socket, data, state) => {
      const late = state as { bytes: number; late?: boolean };
      late.late ??= count++ % 2 === 1;
      if (late.late && state.bytes > 0) setTimeout(() => socket.write(data), 100);
      else socket.write(data);
    });
    const options = { mode: "closed", connections: 8, "in-flight": 8, depth: 1, windows: 5 };
    const unfair = (await run(port, options)).result["fairness"] as { jain: number };
    const fair = (await run(await listen(echo), options)).result["fairness"] as { jain: number };
    expect(unfair.jain).toBeLessThan(0.75);
    expect(fair.jain).toBeGreaterThan(unfair.jain);
  });

  it("idle get nothing but their greeting, and windows are sampled", async () => {
    const { port, got, busy } = await listenAndCount();
    const { result, windows } = await run(port, { mode: "idle", connections: 25 });
    expect(result).toMatchObject({ ...clean, messages: 0, totalMessages: 25, fairness: null });
    expect(got.size).toBe(25);
    expect(busy()).toBe(0);
    expect(windows.map((window) => window["completedMessages"])).toEqual([0, 0, 0]);
  });
});

describe("churn", () => {
  const churn = { mode: "churn", connections: 1, "in-flight": 6 };

  it.each([1, 64, 1 << 20])("connects, echoes %d bytes, closes, and repeats", async (bytes) => {
    const options = { ...churn, "payload-bytes": bytes };
    const { code, result, windows } = await servedRun(await listen(echo), options);
    expect(code).toBe(0);
    expect(result).toMatchObject(clean);
    expect(result["cycles"]).toBe(result.totalMessages);
    expect(result.messages).toBeGreaterThan(0);
    for (const window of windows) {
      expect(countFrom(window.latency)).toBe(window["completedMessages"]);
      expect(window["errors"]).toBe(0);
    }
  });

  it("without an echo only connects, except one in sixteen, so as not to run ahead", async () => {
    let bytes = 0;
    const port = await listen((socket, data) => {
      bytes += data.length;
      socket.write(data);
    });
    const { result, windows } = await run(port, { ...churn, "churn-echo": 0, "payload-bytes": 64 });
    expect(result).toMatchObject(clean);
    expect(result.totalMessages).toBeGreaterThan(0);
    const mostBehind = churn["in-flight"];
    expect(Math.abs(bytes / 64 - result.totalMessages / 16)).toBeLessThanOrEqual(mostBehind);
    for (const window of windows) {
      expect(countFrom(window.latency)).toBeLessThanOrEqual(Number(window["completedMessages"]));
      expect(window["errors"]).toBe(0);
    }
  });

  it("counts refusals as errors and goes on", async () => {
    let count = 0;
    const port = await listen((socket, data) => {
      if (count++ % 10 === 9) socket.resetAndDestroy();
      else socket.write(data);
    });
    const { code, result, windows } = await run(port, churn);
    expect(code).toBe(0);
    expect(result.messages).toBeGreaterThan(0);
    expect(windows.reduce((sum, window) => sum + Number(window["errors"]), 0)).toBeGreaterThan(0);
  });

  it("finds a wrong byte", async () => {
    let count = 0;
    const port = await listen((socket, data) => {
      const bad = Buffer.from(data);
      if (count++ === 20) bad[12] = (bad[12] ?? 0) ^ 1;
      socket.write(bad);
    });
    const { result } = await run(port, churn);
    expect(result).toMatchObject({ mismatches: 1, error: null });
    expect(result["mismatchDetail"]).toMatch(/^connection \d+: message \d+: byte 12 is /);
  });
});

describe.runIf(onLinux)("memory", () => {
  it("may grow by less than there are processes", async () => {
    const stages = { mode: "memory", stages: "7,8", processes: 5, "server-pid": process.pid };
    const { code, lines } = await rawRun(await listen(echo), { ...stages, connections: 8 });
    expect(code).toBe(0);
    expect(lines.map(({ connections }) => connections).slice(0, 2)).toEqual([7, 8]);
    expect(lines.at(-1)).toMatchObject({ ...clean, totalMessages: 8 });
  });

  it("refuses another number of connections than that of its last stage", async () => {
    const wrong = { mode: "memory", stages: "7,8", connections: 4 };
    const { code, stderr } = await rawRun(1, wrong);
    expect(code).toBe(2);
    expect(stderr).toContain("--connections does not apply to --mode memory");
  });

  it.each([1, 3])("is told at every stage, by %d process(es)", async (processes) => {
    const port = await listen(echo);
    const all = await rawRun(port, {
      ...{ mode: "memory", stages: "20,50,120", connections: 120 },
      processes,
      "server-pid": process.pid,
    });
    expect(all.code).toBe(0);
    expect(all.lines.map(({ event }) => event)).toEqual(["memory", "memory", "memory", "result"]);
    const stages = all.lines.slice(0, 3);
    expect(stages.map(({ connections }) => connections)).toEqual([20, 50, 120]);
    for (const stage of stages) {
      for (const name of ["serverPssBytes", "serverPrivateBytes", "clientPssBytes"]) {
        expect(stage[name], name).toBeGreaterThan(0);
      }
      const kernel = stage.kernelSlabBytes + stage.kernelStackBytes + stage.pageTableBytes;
      expect(stage.kernelBytes).toBe(kernel);
    }
    expect(all.lines[3]).toMatchObject({ ...clean, totalMessages: 120 });
  });

  it("keeps all connections until the last stage is sampled, by 3 processes, too", async () => {
    const openedMs: number[] = [];
    const closedMs: number[] = [];
    const server = createServer((socket) => {
      openedMs.push(performance.now());
      socket.on("data", (data) => socket.write(data));
      socket.on("error", () => {}).once("end", () => closedMs.push(performance.now()));
    });
    servers.add(server);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const keptMs = async () => {
      openedMs.length = 0;
      closedMs.length = 0;
      await rawRun(port, { mode: "memory", stages: "20,50", connections: 1, processes: 3 });
      expect([openedMs.length, closedMs.length]).toEqual([50, 50]);
      return Math.min(...closedMs) - Math.max(...openedMs);
    };
    // A sample is taken 300 ms after its stage is reached, of which we may hear late.
    let longest = await keptMs();
    for (let again = 0; again < 4 && longest <= 200; again++) longest = await keptMs();
    expect(longest).toBeGreaterThan(200);
  });
});

describe("several processes", () => {
  it.each([
    ["open", {}],
    ["closed", { mode: "closed", "in-flight": 9 }],
    ["pipelined", { mode: "closed", "in-flight": 80, depth: 2 }],
    ["idle", { mode: "idle" }],
    ["churn", { mode: "churn", connections: 1, "in-flight": 9 }],
    ["with slow, hot and silent ones", { slow: 4, hot: 3, active: 10 }],
  ])("share one load: %s", async (_name, options) => {
    const all = await rawRun(await listen(echo), { connections: 40, ...options, processes: 4 });
    expect(all.stderr).toBe("");
    const filled = all.lines.filter(({ event }) => event === "filled");
    expect(filled.length > 0).toBe("slow" in options);
    const [connected, warmup, ...rest] = all.lines.filter((line) => !filled.includes(line));
    expect(connected).toMatchObject({ event: "connected", processes: 4 });
    expect(connected.connectsPerSecond).toBeGreaterThan(0);
    expect(warmup).toMatchObject({ event: "warmup", steady: null });
    const result = rest.at(-1);
    const windows = rest.slice(0, -1);
    expect(windows.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(result).toMatchObject({ event: "result", ...clean });
    let messages = 0;
    for (const window of windows) {
      messages += window.completedMessages;
      expect(countFrom(window.latency)).toBe(window.completedMessages);
      // Looking for processes stops after a while, at a busy machine before all are found.
      if (onLinux) expect([1, 2, 3, 4, 5]).toContain(window.clientProcesses);
    }
    expect(result.messages).toBe(messages);
  });

  it("wait for each other until the slow ones are full", async () => {
    // Filling takes longer than all of this: a peer is full once it took nothing for 300 ms.
    const short = { "warmup-ms": 1, windows: 1, "window-ms": 250 };
    const options = { connections: 8, slow: 4, ...short, processes: 4 };
    const port = await listen(echo);
    await eventually(async () => {
      const { windows } = await run(port, options);
      expect(windows[0]?.["completedMessages"]).toBeGreaterThan(0);
    });
  });

  it("send together what one would send alone", async () => {
    const options = { connections: 50, rate: 2000, windows: 10, "window-ms": 100 };
    const { result, windows } = await run(await listen(echo), { ...options, processes: 5 });
    expect(result).toMatchObject(clean);
    // Poisson: 2,000 expected; a tenth is more than four standard deviations.
    const intended = windows.reduce((sum, window) => sum + Number(window["intendedMessages"]), 0);
    expect(intended).toBeGreaterThan(1800);
    expect(intended).toBeLessThan(2200);
  });

  it("are as many as descriptors demand", async () => {
    const port = await listen(echo);
    const command = `ulimit -n 130; exec "$0" run --port ${port} --rate 500 --connections 120 \
      --warmup-ms 50 --windows 1 --window-ms 100`;
    const [code, out] = await finished(start("sh", ["-c", command, loadGenerator]));
    expect(code).toBe(0);
    expect(lines(out)[0]).toMatchObject({ connections: 120, processes: 3 });
  });

  const childrenOf = (pid: number) =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .split(" ")
      .filter((word) => word !== "")
      .map(Number);

  /** Its first line comes when each of its processes has connected. */
  const connected = async ({ stdout }: ChildProcess) => {
    if (stdout !== null) expect(String(await once(stdout, "data"))).toContain('"connected"');
  };

  it.runIf(onLinux)("end with their parent, however that ends", async () => {
    for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
      const generator = startRun(await listen(echo), { processes: 4, windows: 1000 });
      await connected(generator);
      const workers = childrenOf(generator.pid ?? 0);
      expect(workers.length).toBe(4);
      generator.kill(signal);
      expect(await survivors(workers, 10_000)).toEqual([]);
    }
  });

  it.runIf(onLinux)("fail together when one of them dies", async () => {
    const generator = startRun(await listen(echo), { processes: 4, windows: 1000 });
    const finish = finished(generator);
    await connected(generator);
    const workers = childrenOf(generator.pid ?? 0);
    killProcess(workers[2], "SIGKILL");
    const [code, out] = await finish;
    expect(code).toBe(1);
    expect(lines(out).at(-1)).toMatchObject({ error: "process 2 was ended by signal 9" });
    expect(await survivors(workers, 10_000)).toEqual([]);
  });
});

describe("warm-up", () => {
  it("says whether the load came to rest, if asked", async () => {
    const port = await listen(echo);
    const told = async (options: Record<string, string | number>) => {
      const { lines } = await rawRun(port, options);
      expect(lines.at(-1).steady).toBe(lines[1].steady);
      return lines[1];
    };
    expect(await told({})).toMatchObject({ event: "warmup", steady: null });
    const watched = await told({ "steady-within-ms": 2000 });
    expect([true, false]).toContain(watched.steady);
    // Five windows of 250 ms at least, before anything can be said.
    expect(watched.ms).toBeGreaterThanOrEqual(1250);
    const short = await told({ "steady-within-ms": 300 });
    expect(short.steady).toBe(false);
  });
});

describe.runIf(onLinux)("a server of several processes", () => {
  async function serve(...options: (string | number)[]) {
    const child = start(echoServer, options);
    const line = await new Promise<string>((resolve) => {
      child.stdout?.once("data", (data) => resolve(String(data)));
    });
    return JSON.parse(line.split("\n")[0] ?? "") as { port: number; pid: number };
  }

  it("is sampled as a whole", async () => {
    const { port, pid } = await serve("--strategy", "prefork", "--workers", 3);
    const load = { "server-pid": pid, connections: 30, rate: 3000, windows: 5 };
    const { windows, result } = await run(port, load);
    expect(result).toMatchObject(clean);
    for (const window of windows) {
      expect(window["serverProcesses"]).toBe(4);
      expect(window["serverThreads"]).toBe(4);
    }
    expect(sumOf(windows, "serverCpuNs")).toBeGreaterThan(0);
    expect(sumOf(windows, "serverContextSwitches")).toBeGreaterThan(0);
  });

  it("is followed as it forks", async () => {
    const { port, pid } = await serve("--strategy", "process-per-connection");
    const load = { "server-pid": pid, connections: 60, rate: 3000, windows: 10 };
    const { windows } = await run(port, load);
    for (const window of windows) expect(window["serverProcesses"]).toBe(61);
    expect(sumOf(windows, "serverCpuNs")).toBeGreaterThan(0);
  });

  it("counts for what its children used that came and went between two looks", async () => {
    const { port, pid } = await serve("--strategy", "process-per-connection");
    const load = { mode: "churn", connections: 1, "in-flight": 2, "server-pid": pid };
    const { windows, result } = await run(port, { ...load, windows: 10 });
    // A fork and an exit take more than 50 us anywhere.
    expect(sumOf(windows, "serverCpuNs")).toBeGreaterThan(result.messages * 50_000);
  });
});

it.runIf(onLinux)("leaves nothing of the processes it started", () => {
  const mine = readdirSync("/proc").filter((name) => {
    try {
      return readFileSync(`/proc/${name}/status`, "utf8").includes(`PPid:\t${process.pid}\n`);
    } catch {
      return false;
    }
  });
  const generators = mine.filter((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(loadGenerator),
  );
  expect(generators).toEqual([]);
});

describe("the loop", () => {
  it.each([
    ["open", {}],
    ["open, in ticks, from several processes", { "tick-us": 500, processes: 2 }],
    ["open, one at a time", { depth: 1 }],
    ["closed", { mode: "closed", "in-flight": 20 }],
    ["pipelined", { mode: "closed", "in-flight": 160, depth: 4 }],
    ["with slow and hot connections", { slow: 5, hot: 10 }],
    ["churn", { mode: "churn", connections: 1, "in-flight": 10 }],
    ["idle", { mode: "idle" }],
  ])("takes no memory: %s", async (_name, options) => {
    const silent = "mode" in options && options.mode === "idle";
    const measure = silent ? run : servedRun;
    const { result } = await measure(await listen(echo), { connections: 40, ...options });
    expect(result).toMatchObject({ error: null, clientAllocations: 0 });
    if (!silent) expect(result.messages).toBeGreaterThan(0);
  });
});
