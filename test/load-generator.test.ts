// The load generator against servers that echo well and badly: what it counts, what it notices, and
// that it leaves nothing behind. The suite's numbers are its numbers, so its own faults are looked
// for here.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { packagePaths } from "../bench/paths.ts";
import { survivors } from "./bench-processes.ts";
import { bins, countFrom, quantile } from "./hdr-reader.ts";
import {
  type Answer,
  badOnce,
  echo,
  endAll,
  finished,
  listen,
  type Outcome,
  outcome,
  run,
  servers,
  start,
  startRun,
} from "./load-runs.ts";

const { loadGenerator, node } = packagePaths();
const onLinux = process.platform === "linux";
const ms = 1e6;

afterEach(endAll);

const sum = (windows: Outcome["windows"], name: string) =>
  windows.reduce((total, window) => total + Number(window[name]), 0);

describe("an honest server", () => {
  it.each([
    ["open, poisson", { mode: "open", schedule: "poisson" }],
    ["open, fixed", { mode: "open", schedule: "fixed" }],
    ["open, in ticks", { mode: "open", "tick-us": 5000 }],
    ["open, one at a time", { mode: "open", depth: 1 }],
    ["closed", { mode: "closed", "in-flight": 6 }],
    ["messages of one byte", { "payload-bytes": 1 }],
    ["messages larger than any buffer", { "payload-bytes": 1 << 20, rate: 20 }],
    ["many connections", { connections: 300 }],
  ])("is believed: %s", async (_name, options) => {
    // A busy machine may stand still for all of the usual windows.
    const load = { ...options, "window-ms": 150 };
    const { code, events, windows, result, stderr } = await run(await listen(echo), load);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(events).toEqual(["connected", "warmup", "window", "window", "window", "result"]);
    expect(result).toMatchObject({ mismatches: 0, missing: 0, connectionsLost: 0, error: null });
    expect(result["mismatchDetail"]).toBeNull();
    expect(result.messages).toBe(sum(windows, "completedMessages"));
    expect(result.messages).toBeGreaterThan(0);
    expect(result.totalMessages).toBeGreaterThanOrEqual(result.messages);
    for (const window of windows) {
      expect(countFrom(window.latency)).toBe(window["completedMessages"]);
      expect(countFrom(window.latencyUncorrected)).toBe(window["completedMessages"]);
      expect(window["durationNs"]).toBeGreaterThanOrEqual(150 * ms);
    }
    expect(sum(windows, "clientCpuNs")).toBeGreaterThan(0);
  });

  it("may cut and join the stream as it likes", async () => {
    const pieces: Answer = (socket, data) => {
      for (let at = 0; at < data.length; at += 7) socket.write(data.subarray(at, at + 7));
    };
    const waiting = new Map<Socket, Buffer[]>();
    const together: Answer = (socket, data) => {
      const held = waiting.get(socket);
      if (held !== undefined) return held.push(data);
      waiting.set(socket, [data]);
      return setTimeout(() => {
        socket.write(Buffer.concat(waiting.get(socket) ?? []));
        waiting.delete(socket);
      }, 5);
    };
    for (const answer of [pieces, together]) {
      const { code, result } = await run(await listen(answer), { "payload-bytes": 100 });
      expect(result).toMatchObject({ mismatches: 0, missing: 0, error: null });
      expect(code).toBe(0);
    }
  });

  it("gets the same load from the same seed", async () => {
    const messages = async (seed: number) => {
      const seen = new Set<string>();
      const port = await listen((socket, data) => {
        for (let at = 0; at + 64 <= data.length; at += 64) {
          seen.add(data.toString("hex", at, at + 64));
        }
        socket.write(data);
      });
      await run(port, { seed, rate: 200, connections: 50 });
      return [...seen];
    };
    // Which connections got how many; where a run ends depends on the clock.
    const [first, again, other] = [await messages(7), await messages(7), await messages(8)];
    const [short, long] = first.length < again.length ? [first, again] : [again, first];
    expect(short.length).toBeGreaterThan(70);
    expect(long).toEqual(expect.arrayContaining(short));
    expect(long).not.toEqual(expect.arrayContaining(other));
  });

  it("that takes 50 ms is seen to take 50 ms", async () => {
    const port = await listen((socket, data) => setTimeout(() => socket.write(data), 50));
    for (const options of [{}, { mode: "closed", "in-flight": 4 }]) {
      const { windows } = await run(port, { ...options, windows: 5 });
      for (const name of ["latency", "latencyUncorrected"] as const) {
        const all = windows.flatMap((window) => bins(window[name]));
        // Node's timers may be a millisecond early.
        expect(quantile(all, 0.5)).toBeGreaterThan(48 * ms);
        expect(quantile(all, 0.5)).toBeLessThan(5000 * ms);
      }
    }
  });
});

describe("a server that echoes wrong", () => {
  it("is found out by one byte", async () => {
    const corrupt: Answer = (socket, data) => {
      const wrong = Buffer.from(data);
      wrong[12] = (wrong[12] ?? 0) ^ 1;
      socket.write(wrong);
    };
    const { code, result } = await run(await listen(badOnce(50, corrupt)));
    expect(code).toBe(0);
    expect(result).toMatchObject({ mismatches: 1, missing: 0, connectionsLost: 0, error: null });
    expect(result["mismatchDetail"]).toMatch(
      /^connection [0-3]: message \d+: byte 12 is 0x[0-9a-f]{2}, expected 0x[0-9a-f]{2}$/,
    );
  });

  it("is found out by a byte too many", async () => {
    const more: Answer = (socket, data) => socket.write(Buffer.concat([data, Buffer.from("x")]));
    const { code, result } = await run(await listen(badOnce(20, more)), { rate: 300 });
    expect(code).toBe(0);
    expect(result).toMatchObject({ mismatches: 1, error: null });
    expect(result["mismatchDetail"]).toMatch(/^connection \d: message \d+: byte 0 is 0x78/);
  });

  it("is found out by a message that never comes back", async () => {
    const nothing: Answer = () => undefined;
    const { code, result } = await run(await listen(badOnce(50, nothing)));
    expect(code).toBe(0);
    expect(Number(result["mismatches"]) + Number(result["missing"])).toBe(1);
  });

  it("is found out by silence", async () => {
    const port = await listen((socket, data, { bytes }) => {
      if (bytes < 64 * 10) socket.write(data);
    });
    const { code, result } = await run(port, { "drain-timeout-ms": 100 });
    expect(code).toBe(0);
    expect(result).toMatchObject({ mismatches: 0, error: null });
    expect(result["missing"]).toBeGreaterThan(100);
  });

  it("is found out on every connection, and the run goes on to its end", async () => {
    const port = await listen((socket, data, { bytes }) => {
      socket.write(bytes > 0 ? Buffer.alloc(data.length) : data);
    });
    const { code, events, result } = await run(port);
    expect(code).toBe(0);
    expect(events.length).toBe(6);
    expect(result).toMatchObject({ mismatches: 4, connectionsLost: 0, error: null });
  });
});

describe("a server that goes away", () => {
  it("costs the connection that it resets, and the others go on", async () => {
    const port = await listen(badOnce(50, (socket) => socket.resetAndDestroy()));
    const { code, result } = await run(port);
    expect(code).toBe(0);
    expect(result).toMatchObject({ mismatches: 0, connectionsLost: 1, error: null });
    expect(result.messages).toBeGreaterThan(0);
  });

  it("is an error when it closes all of them", async () => {
    const port = await listen((socket, data, { bytes }) => {
      if (bytes > 64 * 5) socket.destroy();
      else socket.write(data);
    });
    const { code, events, result, stderr } = await run(port, { windows: 100 });
    expect(code).toBe(1);
    expect(events.at(-1)).toBe("result");
    expect(result).toMatchObject({ connectionsLost: 4, error: expect.stringMatching(/closed/) });
    expect(stderr).toMatch(/closed/);
  });

  it("is an error when it was never there", async () => {
    const port = await listen(echo);
    for (const server of servers) await new Promise((resolve) => server.close(resolve));
    const { code, events, result } = await run(port, { "connect-timeout-ms": 200 });
    expect(code).toBe(1);
    expect(events).toEqual(["result"]);
    expect(result["error"]).toMatch(/only 0 of 4 .* refused/);
  });

  it("is an error when it takes connections and never answers", async () => {
    const { code, result } = await run(await listen(() => undefined), {
      "connect-timeout-ms": 200,
    });
    expect(code).toBe(1);
    expect(result["error"]).toMatch(/only 0 of 4 /);
  });

  it("is an error when it serves no more of them, long before the time is over", async () => {
    let answered = 0;
    const port = await listen((socket, data) => {
      if (++answered < 4) socket.write(data);
    });
    const { code, result } = await run(port, {
      "connect-timeout-ms": 60_000,
      "connect-stall-ms": 200,
    });
    expect(code).toBe(1);
    expect(result["error"]).toMatch(/only [0-3] of 4 .* were served, and no more within 200 ms/);
  });

  it("is waited for as long as it serves one more connection", async () => {
    const greeted = new WeakSet<Socket>();
    let turn = Promise.resolve();
    const port = await listen((socket, data) => {
      if (greeted.has(socket)) return void socket.write(data);
      greeted.add(socket);
      turn = turn.then(() => delay(700)).then(() => void socket.write(data));
    });
    const { result } = await run(port, {
      connections: 6,
      "connect-timeout-ms": 60_000,
      "connect-stall-ms": 3_000,
    });
    expect(result).toMatchObject({ error: null, mismatches: 0 });
  });

  it("is waited for until it listens", async () => {
    const port = await listen(echo);
    const [server] = servers;
    await new Promise((resolve) => server?.close(resolve));
    const outcomes = run(port);
    await delay(200);
    server?.listen(port, "127.0.0.1");
    expect((await outcomes).result).toMatchObject({ error: null, missing: 0 });
  });
});

describe.runIf(onLinux)("a server in a process of its own", () => {
  const program = `require("net").createServer({ noDelay: true }, (s) => s.on("error", () => {})
    .on("data", (d) => s.write(d))).listen(0, "127.0.0.1", function () {
      console.log(this.address().port); });`;

  async function startServer(): Promise<{ child: ChildProcess; port: number; pid: number }> {
    const child = start(node, ["-e", program]);
    if (child.stdout === null || child.pid === undefined) throw new Error("did not start");
    const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
    return { child, port: Number(value), pid: child.pid };
  }

  it("has its CPU time, context switches and waits sampled", async () => {
    const { port, pid } = await startServer();
    const { windows } = await run(port, { "server-pid": pid, windows: 4 });
    expect(sum(windows, "serverCpuNs")).toBeGreaterThan(0);
    expect(sum(windows, "serverContextSwitches")).toBeGreaterThan(0);
    for (const window of windows) {
      expect(window["serverRunQueueWaitNs"]).toBeGreaterThanOrEqual(0);
      expect(window["stealNs"]).toBeGreaterThanOrEqual(0);
      const { serverUserCpuNs: user, serverSystemCpuNs: system, serverCpuNs: cpu } = window;
      if (user !== null) expect(Number(user) + Number(system)).toBe(cpu);
    }
  });

  it("has none if the process was not named", async () => {
    const { windows } = await run((await startServer()).port);
    expect(windows[0]).toMatchObject({ serverCpuNs: null, serverContextSwitches: null });
  });

  it("cannot hide a stop of 300 ms from an open loop", async () => {
    const { child, port } = await startServer();
    const options = { depth: 1, windows: 10, "window-ms": 100, "drain-timeout-ms": 10_000 };
    const generator = startRun(port, options);
    const finish = finished(generator);
    await once(generator.stdout ?? process.stdin, "data");
    await delay(300);
    child.kill("SIGSTOP");
    await delay(300);
    child.kill("SIGCONT");
    const { windows, result } = outcome(await finish);
    expect(result).toMatchObject({ mismatches: 0, missing: 0 });
    const corrected = windows.flatMap((window) => bins(window.latency));
    const uncorrected = windows.flatMap((window) => bins(window.latencyUncorrected));
    expect(quantile(corrected, 1)).toBeGreaterThan(200 * ms);
    const slow = (all: readonly (readonly [number, number])[]) =>
      all.reduce((total, [value, count]) => total + (value > 100 * ms ? count : 0), 0);
    // One message a connection was under way; what was due behind it waited as well.
    expect(slow(corrected)).toBeGreaterThan(10 * slow(uncorrected));
  });
});

describe("the command line", () => {
  it.each([
    [["run"], "--port"],
    [["run", "--port", "0"], "--port"],
    [["run", "--port", "1"], "--rate"],
    [["run", "--port", "1", "--mode", "closed"], "--in-flight"],
    [["run", "--port", "1", "--mode", "ajar"], "--mode"],
    [["run", "--port", "1", "--rate", "1e3"], "--rate"],
    [["run", "--port", "1", "--rate"], "--rate"],
    [["run", "--port", "1", "--host", "localhost"], "--host"],
    [["run", "--schedule", "never"], "--schedule"],
    [["run", "--port", "1", "--rate", "1", "--stages", "3"], "--stages"],
    [["run", "--port", "1", "--mode", "churn", "--in-flight", "1", "--spin", "1"], "--spin"],
    [["run", "--colour", "red"], "--colour"],
    [["launch", "--cpu", "x", "--", "true"], "--cpu"],
    [["launch", "--nice", "1", "--", "true"], "--nice"],
    [["launch"], "COMMAND"],
    [["walk"], "walk"],
  ])("%j is refused by name", async (args, name) => {
    const [code, out, err] = await finished(start(loadGenerator, args));
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err.split("\n")[0]).toContain(name);
  });

  it("says how many descriptors it needs", async () => {
    const command = `ulimit -n 50; exec "$0" run --port 1 --rate 1 --connections 100`;
    const [code, out, err] = await finished(start("sh", ["-c", command, loadGenerator]));
    expect(code).toBe(1);
    expect(err).toMatch(/100 connections need \d+ descriptors, RLIMIT_NOFILE allows 50/);
    expect(JSON.parse(out)).toMatchObject({ event: "result", messages: 0 });
  });

  it.each([["SIGTERM", 143] as const, ["SIGINT", 130] as const])(
    "%s ends it at once, without a result",
    async (signal, expected) => {
      let open = 0;
      const port = await listen(echo);
      for (const server of servers) {
        server.on("connection", (socket) => {
          open += 1;
          socket.once("close", () => {
            open -= 1;
          });
        });
      }
      const generator = startRun(port, { windows: 100 });
      const finish = finished(generator);
      await once(generator.stdout ?? process.stdin, "data");
      expect(open).toBe(4);
      generator.kill(signal);
      const [code, out] = await finish;
      expect(code).toBe(expected);
      expect(out).not.toContain("result");
      for (let i = 0; i < 500 && open > 0; i++) await delay(10);
      expect(open).toBe(0);
    },
  );
});

/** A container may not have CPU 0. proc_pid_status(5) */
function firstCpu(): number {
  if (!onLinux) return 0;
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/^Cpus_allowed_list:\s*(\d+)/m.exec(status)?.[1]);
}

describe("launch", () => {
  it("becomes the command: its arguments, its output, its exit code", async () => {
    const script = `printf '%s,' "$@"; exit 7`;
    const args = ["launch", "--cpu", firstCpu(), "--", "sh", "-c", script, "sh", "a b", "--cpu"];
    expect(await finished(start(loadGenerator, args))).toEqual([7, "a b,--cpu,", ""]);
  });

  it("says what it cannot run", async () => {
    const [code, , err] = await finished(start(loadGenerator, ["launch", "--", "./no-such"]));
    expect(code).toBe(127);
    expect(err).toMatch(/^load-generator launch: \.\/no-such: .+\n$/);
  });

  it.runIf(onLinux)("pins to one CPU and allows all descriptors there are", async () => {
    const script = `grep Cpus_allowed_list /proc/self/status; ulimit -n; ulimit -Hn`;
    const args = ["launch", "--cpu", firstCpu(), "--", "sh", "-c", script];
    const [, out] = await finished(start(loadGenerator, args));
    const [cpus, soft, hard] = out.trim().split("\n");
    expect(cpus?.split(/:\s*/)[1]).toBe(String(firstCpu()));
    expect(soft).toBe(hard);
  });

  it("says which group it cannot join", async () => {
    const args = ["launch", "--cgroup", "/no/such/group", "--", "true"];
    const [code, , err] = await finished(start(loadGenerator, args));
    expect([code, err]).toEqual([2, expect.stringMatching(/--cgroup \/no\/such\/group: No such/)]);
  });

  it.runIf(onLinux)("ends with its parent, however that ends", async () => {
    const program = `const { spawn } = require("child_process");
      const args = ["launch", "--", "sleep", "60"];
      console.log(spawn(process.argv[1], args, { stdio: "ignore" }).pid);
      setInterval(() => {}, 1000);`;
    const parent = start(node, ["-e", program, loadGenerator]);
    const pid = Number(String((await once(parent.stdout ?? process.stdin, "data"))[0]));
    expect(await survivors([pid], 300)).toEqual([pid]);
    parent.kill("SIGKILL");
    expect(await survivors([pid], 10_000)).toEqual([]);
  });
});
