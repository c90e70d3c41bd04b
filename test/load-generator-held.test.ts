// Held connections: windows measured on command, what each says about its own messages, and how
// connections end. Servers run in this process, so that they can be looked into.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { packagePaths } from "../bench/paths.ts";
import { eventually } from "./eventually.ts";
import { bins, countFrom, quantile } from "./hdr-reader.ts";
import { type Answer, badOnce, echo, endAll, listen, run, servers, start } from "./load-runs.ts";

const { echoServer, loadGenerator } = packagePaths();
const onLinux = process.platform === "linux";
const ms = 1e6;
const clean = { mismatches: 0, missing: 0, connectionsLost: 0, error: null };

afterEach(endAll);

type Line = Record<string, unknown> & { event: string };

interface WindowLine extends Line {
  readonly index: number;
  readonly durationNs: number;
  readonly intendedMessages: number;
  readonly sentMessages: number;
  readonly completedMessages: number;
  readonly answeredMessages: number;
  readonly unansweredMessages: number;
  readonly inFlightNs: number;
  readonly latency: string;
  readonly latencyUncorrected: string;
  readonly senderDelay: string;
}

/** A generator that holds connections; it obeys what is written to it. */
class Held {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<unknown[]>;

  constructor(port: number, options: Record<string, string | number> = {}) {
    const all = { port, connections: 4, "connect-timeout-ms": 10_000, ...options };
    const pairs = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
    this.child = start(loadGenerator, ["hold", ...pairs], "pipe");
    this.#exited = once(this.child, "exit");
    if (this.child.stdout === null) throw new Error("started without pipes");
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  say(command: string): void {
    this.child.stdin?.write(`${command}\n`);
  }

  async line(): Promise<Line> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error("it has ended");
    return JSON.parse(String(value)) as Line;
  }

  async ask(command: string): Promise<Line> {
    this.say(command);
    return this.line();
  }

  async window(words: string): Promise<WindowLine> {
    const line = await this.ask(`window ${words}`);
    expect(line).toMatchObject({ event: "window" });
    return line as WindowLine;
  }

  /** Ends it. @returns its last line, and its exit code. */
  async end(): Promise<{ result: Line; code: unknown }> {
    this.child.stdin?.end("end\n");
    const result = await this.line();
    const [code] = await this.#exited;
    return { result, code };
  }

  exited(): Promise<unknown[]> {
    return this.#exited;
  }
}

/** An echo that counts its connections, and how each of them ended. */
async function listenAndWatch(answer: Answer = echo) {
  const seen = { accepted: 0, ended: 0, failed: [] as string[] };
  let port = 0;
  const server = createServer({ noDelay: true }, (socket: Socket) => {
    ++seen.accepted;
    const state = { bytes: 0 };
    socket.on("data", (data) => {
      answer(socket, data, state);
      state.bytes += data.length;
    });
    socket.on("end", () => ++seen.ended);
    socket.on("error", (error: NodeJS.ErrnoException) => seen.failed.push(error.code ?? ""));
  });
  servers.add(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address !== null && typeof address === "object") port = address.port;
  return { port, seen };
}

const total = (base64: string) =>
  bins(base64).reduce((sum, [value, count]) => sum + value * count, 0);

describe("held connections", () => {
  it("are measured in as many windows as are asked for, and stay open", async () => {
    const { port, seen } = await listenAndWatch();
    const held = new Held(port, { connections: 30 });
    expect(await held.line()).toMatchObject({ event: "connected", connections: 30, processes: 1 });
    const windows = [
      await held.window("ms=50 rate=2000"),
      await held.window("ms=200 rate=500 settle-ms=0 tick-us=0"),
      await held.window("ms=50 rate=2000 spin=1 tick-us=0"),
      await held.window("ms=50 in-flight=8"),
      await held.window("ms=50 in-flight=8 spin=1"),
    ];
    let messages = 0;
    for (const [i, window] of windows.entries()) {
      const open = i < 3;
      expect(window).toMatchObject({
        index: i,
        unansweredMessages: 0,
        mismatches: 0,
        connectionsLost: 0,
        allocations: 0,
        inFlightWanted: open ? null : 8,
        errors: 0,
      });
      // What it spun is no work of its own.
      expect(Number(window["clientSpunNs"]) > 0).toBe(i === 2 || i === 4);
      expect(window["clientCpuNs"]).toBeLessThanOrEqual(window.durationNs);
      expect(window["rate"]).toBe(open ? [2000, 500, 2000][i] : null);
      expect(window.sentMessages).toBeGreaterThan(0);
      expect(window.answeredMessages).toBe(window.sentMessages);
      expect(countFrom(window.latency)).toBe(window.answeredMessages);
      expect(countFrom(window.latencyUncorrected)).toBe(window.answeredMessages);
      expect(countFrom(window.senderDelay)).toBe(open ? window.intendedMessages : 0);
      expect(window.inFlightNs).toBeGreaterThan(0);
      messages += window.completedMessages;
    }
    expect(await held.ask("report")).toMatchObject({ event: "report", ...clean, messages });
    const { result, code } = await held.end();
    expect(result).toMatchObject({ event: "result", ...clean, messages, clientAllocations: 0 });
    expect(code).toBe(0);
    expect(seen).toEqual({ accepted: 30, ended: 30, failed: [] });
  });

  it("are answered late, and no message is cut off by the window's end", async () => {
    const port = await listen((socket, data) => setTimeout(() => socket.write(data), 60));
    const held = new Held(port);
    await held.line();
    for (const words of ["ms=40 rate=1000 settle-ms=0", "ms=100 in-flight=4"]) {
      const window = await held.window(`${words} drain-ms=60000`);
      expect(window.sentMessages).toBeGreaterThan(0);
      expect(window.unansweredMessages).toBe(0);
      expect(window.completedMessages).toBeLessThan(window.sentMessages + 5);
      const least = 59 * ms; // Node's timers may be a millisecond early
      expect(quantile(bins(window.latencyUncorrected), 0)).toBeGreaterThan(least);
      expect(quantile(bins(window.latency), 0)).toBeGreaterThan(least);
    }
    expect((await held.end()).code).toBe(0);
  });

  it("say how many were in flight: latency times throughput, except at the end", async () => {
    const port = await listen((socket, data) => setTimeout(() => socket.write(data), 20));
    const held = new Held(port, { connections: 50 });
    await held.line();
    for (const words of ["rate=1000", "rate=1000 spin=1 tick-us=0", "in-flight=10"]) {
      // A message of the window that was back in time counts in full, and one that was not for
      // less than its latency. Those that were due before count for the whole window at most.
      const before = Number((await held.ask("report"))["totalMessages"]);
      const window = await held.window(`ms=300 settle-ms=0 drain-ms=60000 ${words}`);
      const latencies = bins(window.latencyUncorrected);
      const after = Number((await held.ask("report"))["totalMessages"]);
      const others = after - before - window.answeredMessages;
      const late = window.sentMessages - window.completedMessages + others;
      const all = total(window.latencyUncorrected);
      expect(window.completedMessages).toBeGreaterThan(0);
      expect(window.inFlightNs).toBeLessThanOrEqual(all + others * window.durationNs);
      if (words === "in-flight=10") {
        expect(window.inFlightNs).toBeLessThanOrEqual(10 * window.durationNs);
      }
      expect(window.inFlightNs).toBeGreaterThan(all * 0.998 - late * quantile(latencies, 1));
    }
    expect((await held.end()).code).toBe(0);
  });

  it("settle in a closed loop until all have come back, then measure several rounds", async () => {
    const waiting: (() => void)[] = [];
    const { port } = await listenAndWatch((socket, data) => {
      const answerAll = () => {
        for (const answer of waiting.splice(0)) answer();
      };
      if (waiting.length === 0) setTimeout(answerAll, 100);
      waiting.push(() => socket.write(data));
    });
    const held = new Held(port);
    await held.line();
    const window = await held.window("ms=10 settle-ms=5 in-flight=4");
    // setTimeout() is early by up to a millisecond.
    expect(window["settleNs"]).toBeGreaterThanOrEqual(99 * ms);
    expect(window.durationNs).toBeGreaterThanOrEqual(4 * 99 * ms);
    expect(window.completedMessages).toBeGreaterThanOrEqual(4);
    expect(await held.end()).toMatchObject({ code: 0, result: clean });
  });

  it("have all of a window that begins behind a long look at the server", async () => {
    // Each of its threads is looked at before a window, in which nothing is sent or received.
    const child = start(echoServer, ["--strategy", "thread-per-connection"]);
    if (child.stdout === null) throw new Error("started without pipes");
    const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
    const { port, pid } = JSON.parse(value);
    const connections = 400;
    const held = new Held(port, { connections, "server-pid": pid });
    await held.line();
    for (const window of [
      await held.window(`ms=30 in-flight=${connections}`),
      await held.window(`ms=30 in-flight=${connections} spin=1`),
    ]) {
      // In a closed loop as many are in flight at any time, less what is being turned round.
      expect(window.inFlightNs).toBeGreaterThan(0.95 * connections * window.durationNs);
    }
    expect(await held.end()).toMatchObject({ code: 0, result: clean });
  });

  it("settle in an open loop until as many come back as are sent", async () => {
    // Each answer takes six times the load that comes before a window.
    const port = await listen((socket, data) => setTimeout(() => socket.write(data), 60));
    const held = new Held(port, { connections: 20 });
    await held.line();
    const shares: number[] = [];
    for (let index = 0; index < 3; index++) {
      const window = await held.window("ms=100 rate=1000 settle-ms=10");
      expect(window["settleNs"]).toBeGreaterThanOrEqual(100 * ms);
      shares.push(window.completedMessages / window.sentMessages);
    }
    // This process, which answers, may stand still in one of them.
    expect(Math.max(...shares)).toBeGreaterThan(0.75);
    await held.end();
  });

  it("do not count what a window before has sent, however late it comes", async () => {
    let withheld: (() => void)[] | null = null;
    const port = await listen((socket, data) => {
      if (withheld === null) socket.write(data);
      else withheld.push(() => socket.write(data));
    });
    const held = new Held(port, { connections: 20 });
    await held.line();
    const silence = held.window("ms=200 rate=1000 settle-ms=1 drain-ms=20");
    await new Promise((resolve) => setTimeout(resolve, 50));
    withheld = [] as (() => void)[];
    const silent = await silence;
    expect(silent.unansweredMessages).toBeGreaterThan(0);
    const late = withheld;
    withheld = null;
    for (const answer of late ?? []) answer();
    const window = await held.window("ms=50 rate=1000 settle-ms=1");
    expect(window.answeredMessages).toBe(window.sentMessages);
    expect(window.unansweredMessages).toBe(0);
    await held.end();
  });

  it("have the same clock in an open loop after many windows of a closed one", async () => {
    const { port } = await listenAndWatch();
    const held = new Held(port, { rate: 1000 });
    await held.line();
    for (let index = 0; index < 60; index++) await held.window("ms=2 in-flight=1");
    const { latencyUncorrected } = await held.window("ms=300 rate=1000");
    const least = Math.min(...bins(latencyUncorrected).map(([value]) => value));
    // Reading the samples of a window takes up to 0.2 ms, which no later message has to wait for.
    expect(least).toBeLessThan(1 * ms);
    await held.end();
  });

  it("have all that was due, also if the generator stands still at the window's end", async () => {
    let stopOnce = () => {};
    const port = await listen((socket, data) => {
      stopOnce();
      socket.write(data);
    });
    const held = new Held(port, { schedule: "fixed" });
    await held.line();
    stopOnce = () => {
      stopOnce = () => {};
      held.child.kill("SIGSTOP");
      setTimeout(() => held.child.kill("SIGCONT"), 200);
    };
    const window = await held.window("ms=100 rate=1000 settle-ms=0 drain-ms=60000");
    const due = window.durationNs / ms;
    expect(due).toBeGreaterThan(150);
    expect(window.intendedMessages).toBeGreaterThan(0.8 * due);
    expect(window.intendedMessages).toBeLessThan(due + 5);
    expect(window.answeredMessages).toBe(window.intendedMessages);
    expect(countFrom(window.senderDelay)).toBe(window.intendedMessages);
    expect(quantile(bins(window.senderDelay), 0.99)).toBeGreaterThan(50 * ms);
    expect((await held.end()).code).toBe(0);
  });

  it("report what never comes back, and find a wrong byte", async () => {
    const messages = 60;
    const port = await listen(badOnce(messages, () => undefined));
    const held = new Held(port, { connections: 1 });
    await held.line();
    const silent = await held.window("ms=200 rate=1000 drain-ms=50");
    // What follows the message that was swallowed answers the wrong one.
    expect(silent["mismatches"]).toBe(1);
    expect(silent.unansweredMessages).toBeGreaterThan(0);
    const { result, code } = await held.end();
    expect(result).toMatchObject({ mismatches: 1 });
    expect(result["mismatchDetail"]).toContain("connection 0: message");
    expect(code).toBe(0);
  });

  it("count what waits behind an unanswered request, and do not send it later", async () => {
    let silent = false;
    let requests = 0;
    const port = await listen((socket) => {
      ++requests;
      if (!silent) socket.write("ok");
    });
    const request = { protocol: "request", send: "x", expect: "ok" };
    const held = new Held(port, { ...request, connections: 2, "drain-timeout-ms": 20 });
    await held.line();
    silent = true;
    requests = 0;
    const window = await held.window("ms=100 rate=1000 settle-ms=0 drain-ms=20");
    expect(window.intendedMessages).toBeGreaterThan(10);
    expect(window).toMatchObject({ sentMessages: 2, answeredMessages: 0 });
    expect(window.unansweredMessages).toBe(window.intendedMessages);
    const next = await held.window("ms=20 rate=1000 settle-ms=0 drain-ms=20");
    expect(next).toMatchObject({ sentMessages: 0, answeredMessages: 0 });
    expect(requests).toBe(2);
    expect((await held.end()).result).toMatchObject({ missing: 2 });
  });

  it("count as answered also the messages for which the server blocks", async () => {
    const held = new Held(await listen(echo), { "block-below": 128 });
    await held.line();
    const window = await held.window("ms=50 in-flight=4 drain-ms=60000");
    expect(window.unansweredMessages).toBe(0);
    expect(window.answeredMessages).toBe(window.sentMessages);
    expect(countFrom(window.latency)).toBeLessThan(window.answeredMessages);
    expect((await held.end()).code).toBe(0);
  });

  it("stop in the middle of a window, and go on", async () => {
    const { port } = await listenAndWatch();
    const held = new Held(port);
    await held.line();
    held.say("window ms=3600000 rate=1000");
    held.say("stop");
    const stopped = (await held.line()) as WindowLine;
    expect(stopped).toMatchObject({ event: "window", index: 0, unansweredMessages: 0 });
    expect(stopped.durationNs).toBeLessThan(3_600_000 * ms);
    held.say("window ms=20 rate=1000");
    held.say("window ms=30 rate=1000"); // is kept until the first one is over
    for (const [index, least] of [
      [1, 20],
      [2, 30],
    ] as const) {
      const window = (await held.line()) as WindowLine;
      expect(window.index).toBe(index);
      expect(window.durationNs).toBeGreaterThanOrEqual(least * ms);
    }
    held.say("stop"); // whose window is over already: no answer
    expect(await held.ask("report")).toMatchObject({ event: "report", ...clean });
    expect((await held.end()).code).toBe(0);
  });

  it("refuse what is no command, and go on", async () => {
    const { port } = await listenAndWatch();
    const held = new Held(port, { rate: 1000 });
    await held.line();
    for (const [command, reason] of [
      ["", "unknown command"],
      ["windows ms=1", "unknown command"],
      ["window", "unknown command"],
      ["window rate=5", "ms is missing"],
      ["window ms=0", 'ms: "0" is not a whole number from 1'],
      ["window ms=5 rate=x", 'rate: "x" is not a whole number'],
      ["window ms=5 speed=9", 'unknown word "speed"; one of: ms, settle-ms, rate'],
      ["window ms=5 rate=1 in-flight=1", "rate and in-flight exclude each other"],
      ['window ms=5 "\\\u0007', "unknown word"],
    ] as const) {
      const line = await held.ask(command);
      expect(line).toMatchObject({ event: "refused", reason: expect.stringContaining(reason) });
    }
    const window = await held.window("ms=20"); // at the command line's rate
    expect(window["rate"]).toBe(1000);
    expect((await held.end()).code).toBe(0);
  });

  it("have the same messages if they have the same schedule", async () => {
    const { port } = await listenAndWatch();
    const held = new Held(port);
    expect(await held.line()).toMatchObject({ event: "connected" });
    /** Of a window that a busy machine has not made longer. */
    const intended = (schedule: number) =>
      eventually(async () => {
        const window = await held.window(`ms=50 rate=20000 settle-ms=0 schedule=${schedule}`);
        expect(window.durationNs).toBeLessThan(51 * ms);
        return window.intendedMessages;
      });
    const sent: number[] = [];
    for (const schedule of [1, 2, 3, 4]) {
      const [one, other] = [await intended(schedule), await intended(schedule)];
      // A window begins some microseconds after its load does.
      expect(Math.abs(one - other)).toBeLessThanOrEqual(25);
      sent.push(one);
    }
    // Poisson: the standard deviation of 1,000 messages is 32.
    expect(Math.max(...sent) - Math.min(...sent)).toBeGreaterThan(25);
    expect((await held.end()).code).toBe(0);
  });

  it("end with the input, with a FIN each", async () => {
    const { port, seen } = await listenAndWatch();
    const held = new Held(port, { connections: 20 });
    await held.line();
    held.child.stdin?.end("window ms=20 rate=1000\nrep");
    expect(await held.line()).toMatchObject({ event: "window", index: 0 });
    expect(await held.line()).toMatchObject({ event: "result", ...clean });
    expect(await held.exited()).toEqual([0, null]);
    expect(seen).toEqual({ accepted: 20, ended: 20, failed: [] });
  });

  it("fail clearly: no server listens, the server ends, options of run", async () => {
    const { port } = await listenAndWatch((socket, data, { bytes }) => {
      if (bytes > 64) socket.destroy();
      else socket.write(data);
    });
    const held = new Held(port);
    await held.line();
    held.say("window ms=60000 rate=1000");
    expect(await held.line()).toMatchObject({
      event: "result",
      error: "the server closed or reset every connection",
    });
    expect(await held.exited()).toEqual([1, null]);

    const refused = new Held(1, { "connect-timeout-ms": 50 });
    expect(await refused.line()).toMatchObject({ error: expect.stringContaining("0 of 4") });
    expect(await refused.exited()).toEqual([1, null]);

    const ofRun = [
      "slow",
      "hot",
      "processes",
      "stages",
      "windows",
      "warmup-ms",
      "begin-on-command",
    ];
    const each = [{ mode: "closed" }, ...ofRun.map((name) => ({ [name]: 1 }))];
    const ends = each.map((options) => new Held(port, options).exited());
    expect(await Promise.all(ends)).toEqual(each.map(() => [2, null]));
  });

  it.skipIf(!onLinux)("have the server's counters, per window", async () => {
    const server = start(echoServer, ["--strategy", "reactor-epoll"]);
    const [ready] = await once(server.stdout ?? server, "data");
    const { port, pid } = JSON.parse(String(ready));
    const held = new Held(port, { "server-pid": pid, connections: 50 });
    await held.line();
    let [ticks, cpuNs, switches] = [0, 0, 0];
    for (let i = 0; i < 5; i++) {
      const window = await held.window("ms=100 rate=5000");
      const figure = (name: string) => Number(window[name]);
      cpuNs += figure("serverCpuNs");
      expect(figure("serverCpuNs")).toBeLessThanOrEqual(window.durationNs * 1.01);
      switches += figure("serverVoluntarySwitches");
      expect(figure("serverInvoluntarySwitches")).toBeGreaterThanOrEqual(0);
      expect(figure("serverVoluntarySwitches") + figure("serverInvoluntarySwitches")).toBe(
        figure("serverContextSwitches"),
      );
      expect(figure("serverRunQueueWaitNs")).toBeGreaterThanOrEqual(0);
      ticks += figure("serverUserTickNs") + figure("serverSystemTickNs");
    }
    expect(cpuNs).toBeGreaterThan(0);
    expect(switches).toBeGreaterThan(0);
    // Connected and silent it costs nothing: less over a wait than one window's messages.
    const spent = await held.window("ms=1 rate=1 settle-ms=0");
    expect(Number(spent["serverCpuNs"])).toBeGreaterThanOrEqual(0);
    // Sampled per timer interrupt: over some windows at least one hits.
    for (let i = 0; i < 50 && ticks === 0; i++) {
      const window = await held.window("ms=100 in-flight=50");
      ticks += Number(window["serverUserTickNs"]) + Number(window["serverSystemTickNs"]);
    }
    expect(ticks).toBeGreaterThan(0);
    expect((await held.end()).code).toBe(0);
  });
});

describe("the end of a run", () => {
  it("is a FIN on each connection, in every mode but churn", async () => {
    for (const options of [
      {},
      { mode: "closed", "in-flight": 8 },
      { mode: "idle" },
      { mode: "memory", stages: "10,20" },
      { processes: 2 },
    ]) {
      const { port, seen } = await listenAndWatch();
      const { code } = await run(port, { connections: 20, ...options });
      expect(code).toBe(0);
      expect({ options, ...seen }).toEqual({ options, accepted: 20, ended: 20, failed: [] });
    }
  });

  it("is a reset if asked for, and after each cycle of churn unless asked not to", async () => {
    const reset = await listenAndWatch();
    await run(reset.port, { close: "reset" });
    await eventually(() => expect(reset.seen.failed).toEqual(new Array(4).fill("ECONNRESET")));
    const churn = { mode: "churn", "in-flight": 4, connections: 1 };
    const resets = await listenAndWatch();
    await run(resets.port, churn);
    await eventually(() => expect(resets.seen.failed.length).toBe(resets.seen.accepted));
    const fins = await listenAndWatch();
    await run(fins.port, { ...churn, close: "fin" });
    expect(fins.seen.failed).toEqual([]);
    await eventually(() => expect(fins.seen.ended).toBe(fins.seen.accepted));
  });

  it("waits for a server that still answers, and for none that does not", async () => {
    const failed: unknown[] = [];
    const late = createServer({ allowHalfOpen: true }, (socket) => {
      let greeted = false;
      socket.on("error", (error) => failed.push(error));
      socket.on("data", (data) => {
        if (greeted) setTimeout(() => socket.write(data), 200);
        else socket.write(data);
        greeted = true;
      });
      socket.on("end", () => setTimeout(() => socket.end(), 300));
    });
    servers.add(late);
    await once(late.listen(0, "127.0.0.1"), "listening");
    const { port } = late.address() as { port: number };
    const { code, result } = await run(port, { "drain-timeout-ms": 0 });
    expect(code).toBe(0);
    expect(result["missing"]).toBeGreaterThan(0);
    expect(failed).toEqual([]);
    const deaf = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (data) => socket.write(data));
    });
    servers.add(deaf);
    await once(deaf.listen(0, "127.0.0.1"), "listening");
    const address = deaf.address() as { port: number };
    expect((await run(address.port)).code).toBe(0);
  });
});

describe("a run", () => {
  it.each([
    { spin: 1, "tick-us": 0 },
    { spin: 1, mode: "closed", "in-flight": 8 },
    { spin: 1, depth: 1 },
  ])("may spin: %o", async (options) => {
    const { code, result, windows } = await run(await listen(echo), options);
    expect(code).toBe(0);
    expect(result).toMatchObject({ ...clean, clientAllocations: 0 });
    // Not of each window: a busy machine may let the server wait for all of one.
    const sum = (name: string) => windows.reduce((all, window) => all + Number(window[name]), 0);
    expect(sum("completedMessages")).toBeGreaterThan(0);
    expect(sum("inFlightNs")).toBeGreaterThan(0);
  });
});
