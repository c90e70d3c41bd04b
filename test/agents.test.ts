// Several machines without a network: agents on this one, reached through pipes. What an agent
// does, how clocks and figures are brought together, and what happens when one fails.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { agentShortfall, partShortfall } from "../bench/agents/agent-limits.ts";
import { type Exchange, HostClock } from "../bench/agents/clock.ts";
import { checkDestination, parseHosts } from "../bench/agents/destination.ts";
import { generatorArguments, observerArguments } from "../bench/agents/fleet-arguments.ts";
import { FleetHost } from "../bench/agents/fleet-host.ts";
import { encodeFrame, FrameDecoder } from "../bench/agents/frames.ts";
import { isDisturbedAgent, isFullAgent, mergeLines, mergeResults } from "../bench/agents/merge.ts";
import { withRemoteFiles } from "../bench/agents/remote-files.ts";
import { UsageError } from "../bench/command-line.ts";
import { readMachineLimits } from "../bench/host/machine-limits.ts";
import { isAlive } from "../bench/host/processes.ts";
import { packagePaths } from "../bench/paths.ts";
import { decodeHistogram, encodeHistogram } from "../bench/statistics/hdr-encoding.ts";
import { Histogram } from "../bench/statistics/histogram.ts";
import { seededRandom } from "../bench/statistics/random.ts";
import { killProcess } from "./bench-processes.ts";

const paths = packagePaths();
const hosts: FleetHost[] = [];
const children: ChildProcess[] = [];
const onLinux = it.runIf(process.platform === "linux");

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const host of hosts.splice(0)) await host.close();
});

describe("frames", () => {
  it("come whole however they are cut", () => {
    const messages = [{ do: "clock", id: 1 }, { text: 'ä\n"\\\u0001' }, {}];
    const bytes = Buffer.concat(messages.map(encodeFrame));
    for (const size of [1, 3, 7, bytes.length]) {
      const decoder = new FrameDecoder();
      const found: unknown[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        found.push(...decoder.push(bytes.subarray(at, at + size)));
      }
      expect(found).toEqual(messages);
    }
  });

  it("are refused if no sender of ours wrote them", () => {
    expect(() => new FrameDecoder().push(Buffer.from("Last login: today"))).toThrow("a frame of");
    expect(() => new FrameDecoder().push(Buffer.from([0, 0, 0, 1, 0x7b]))).toThrow("not JSON");
  });
});

/** Their clock is `offset` ahead; the way there takes `there`, the way back `back`. */
function exchange(at: number, { offset = 5e9, there = 1e5, back = 1e5, slept = 0 }): Exchange {
  const theirs = at + there + offset - slept;
  return {
    sentNs: at,
    theirReceivedNs: theirs,
    theirSentNs: theirs + 1e4,
    receivedNs: at + there + 1e4 + back,
    theirBootNs: theirs + 1e4 + slept,
  };
}

describe("a host's clock", () => {
  it("is known by the exchange with the least round trip", () => {
    const clock = new HostClock();
    clock.add(exchange(1e9, { there: 9e6, back: 1e5 }));
    clock.add(exchange(2e9, { there: 1e5, back: 1e5 }));
    clock.add(exchange(3e9, { there: 1e5, back: 7e6 }));
    expect(clock.estimate).toEqual({ offsetNs: 5e9, roundTripNs: 2e5 });
    expect(clock.toTheirs(4e9)).toBe(9e9);
    expect(clock.toOurs(9e9)).toBe(4e9);
  });

  it("is off by half a round trip at most, whichever way was slow", () => {
    for (const [there, back] of [
      [3e6, 0],
      [0, 3e6],
      [1e6, 2e6],
    ] as const) {
      const clock = new HostClock();
      clock.add(exchange(1e9, { there, back }));
      const { offsetNs, roundTripNs } = clock.estimate;
      expect(Math.abs(offsetNs - 5e9)).toBeLessThanOrEqual(roundTripNs / 2);
    }
  });

  it("forgets what it knew before the host slept", () => {
    const clock = new HostClock();
    clock.add(exchange(1e9, {}));
    clock.add(exchange(2e9, { there: 2e6, back: 2e6, slept: 60e9 }));
    expect(clock.suspendedNs).toBe(60e9);
    expect(clock.estimate.offsetNs).toBe(5e9 - 60e9);
  });

  it("forgets what it knew before we slept, when our clock stood still", () => {
    const clock = new HostClock();
    clock.add(exchange(1e9, {}));
    clock.add(exchange(2e9, { offset: 5e9 + 30e9, there: 2e6, back: 2e6 }));
    expect(clock.suspendedNs).toBe(0);
    expect(clock.estimate.offsetNs).toBe(5e9 + 30e9);
  });

  it("drops exchanges that drift has made old", () => {
    const clock = new HostClock();
    clock.add(exchange(1e9, {}));
    clock.add(exchange(100e9, { offset: 5e9 + 5e6, there: 1e6, back: 1e6 }));
    expect(clock.estimate.offsetNs).toBe(5e9 + 5e6);
  });
});

describe("destinations", () => {
  it.each(["-oProxyCommand=x", "", "a b", "--", "a\nb"])("refuse %j", (text) => {
    expect(() => checkDestination(text, "--agents")).toThrow(UsageError);
  });

  it("come from a file, with comments and the server's address", () => {
    const text = "# load\nagent user@a\nagent b # second\n\nserver user@s 10.0.0.9\n";
    const plan = parseHosts(text, "hosts");
    expect(plan.agents).toEqual(["user@a", "b"]);
    expect([plan.server, plan.serverAddress]).toEqual(["user@s", "10.0.0.9"]);
  });

  it.each([
    ["agent", "hosts:1"],
    ["agent a\nserver s\nserver t", "hosts:3"],
    ["agent a b", "hosts:1"],
    ["client a", "hosts:1"],
    ["server s", "no line"],
  ])("of %j name the line that is wrong", (text, words) => {
    expect(() => parseHosts(text, "hosts")).toThrow(words);
  });
});

describe("arguments", () => {
  const args = ["--port", "7", "--server-pid", "9", "--warmup-ms", "500", "--rate", "100"];

  it("of a generator name its part and keep what comes twice", () => {
    const where = { address: "10.0.0.2", part: 1, parts: 3, subcommand: "run" } as const;
    const own = generatorArguments([...args, "--send", "a", "--send", "b"], where);
    const part = ["--host", "10.0.0.2", "--part", "1", "--parts", "3", "--begin-on-command", "1"];
    const rest = ["--port", "7", "--warmup-ms", "500", "--rate", "100", "--send", "a"];
    expect(own).toEqual([...rest, "--send", "b", ...part]);
  });

  it("give a watched warm-up a fixed length that all share", () => {
    const watched = [...args, "--steady-within-ms", "9000"];
    const where = { address: "127.0.0.1", part: 0, parts: 1, subcommand: "run" } as const;
    for (const own of [generatorArguments(watched, where), observerArguments(watched)]) {
      expect(own).not.toContain("--steady-within-ms");
      expect(own[own.indexOf("--warmup-ms") + 1]).toBe("2000");
    }
  });
});

describe("limits of an agent", () => {
  const limits = readMachineLimits(() => null);
  const demand = { connections: 50_000, oneSource: true };

  it("name the host, the figure and the command", () => {
    const narrow = { ...limits, portRange: { first: 32_768, last: 60_999 } };
    const found = agentShortfall("user@a", narrow, demand);
    expect(found?.reason).toBe("net.ipv4.ip_local_port_range of user@a 28232 < 50000 needed");
    expect(found?.command).toContain("sysctl -w net.ipv4.ip_local_port_range");
    expect(agentShortfall("user@a", narrow, { ...demand, oneSource: false })).toBeNull();
    expect(partShortfall(2, 2)).toBeNull();
    expect(partShortfall(1, 2)?.command).toBe("fewer agents, or --connections 2 or more");
  });

  it("ask for more agents if no range is wide enough", () => {
    const wide = { ...limits, portRange: { first: 1024, last: 65_535 } };
    const found = agentShortfall("a", wide, { connections: 70_000, oneSource: true });
    expect(found?.command).toContain("more agents");
  });
});

describe("one result", () => {
  /** Log-normal, as latencies are: a long tail, each agent with a median of its own. */
  function samples(random: () => number, count: number, median: number): number[] {
    return Array.from({ length: count }, () => {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      return Math.round(median * Math.exp(0.8 * normal));
    });
  }

  it("has the p99.9 of the pooled samples within one bucket, for 100 seeds and 8 agents", () => {
    let averagesThatMislead = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const whole = seededRandom(seed);
      const random = () => whole() / 2 ** 32;
      const agents = Array.from({ length: 8 }, (_, index) =>
        samples(random, 500 + 300 * index, 50_000 * (1 + index)),
      );
      const lines = agents.map((values) => {
        const histogram = new Histogram();
        for (const value of values) histogram.record(value);
        return { event: "window", latency: encodeHistogram(histogram) };
      });
      const merged = decodeHistogram(String(mergeLines(lines)["latency"]));
      const pooled = agents.flat().sort((one, other) => one - other);
      const exact = pooled[Math.ceil(0.999 * pooled.length) - 1] ?? 0;
      const found = merged.quantile(0.999) ?? 0;
      // Three digits: a bucket is a thousandth of its value wide at most.
      expect(found).toBeGreaterThanOrEqual(exact);
      expect(found - exact).toBeLessThanOrEqual(exact / 1000);
      const averaged =
        lines
          .map(({ latency }) => decodeHistogram(latency).quantile(0.999) ?? 0)
          .reduce((sum, value) => sum + value, 0) / lines.length;
      if (Math.abs(averaged - exact) > exact / 100) averagesThatMislead++;
    }
    // What merging is for: the mean of the agents' own p99.9 is another number.
    expect(averagesThatMislead).toBeGreaterThan(90);
  });

  it("adds counts, takes the fullest agent's CPU, and the server's figures from its host", () => {
    const line = (sent: number, cpu: number) => ({
      event: "window",
      index: 3,
      durationNs: 1e8,
      sentMessages: sent,
      clientCpuNs: cpu,
      clientsCpuNs: cpu,
      serverCpuNs: null,
      stealNs: 0,
      sendLagNsP99: null,
      faults: { closed: sent },
      rate: 70,
    });
    const observed = {
      event: "window",
      durationNs: 2e8,
      serverCpuNs: 5,
      stealNs: 7,
      sentMessages: 0,
    };
    expect(mergeLines([line(3, 10), line(4, 30)], observed)).toEqual({
      event: "window",
      index: 3,
      durationNs: 1e8,
      sentMessages: 7,
      clientCpuNs: 30,
      clientsCpuNs: 40,
      serverCpuNs: 5,
      stealNs: 7,
      sendLagNsP99: null,
      faults: { closed: 7 },
      rate: 70,
    });
  });

  it("names the host of the first fault", () => {
    const sound = { event: "result", messages: 5, error: null, mismatchDetail: null };
    const failed = { ...sound, error: "no more memory" };
    const merged = mergeResults([sound, failed, failed], ["a", "b", "c"]);
    expect(merged).toMatchObject({ messages: 15, error: "b: no more memory" });
    const wrong = { ...sound, faults: { status: { count: 1, first: "connection 7: 500" } } };
    expect(mergeResults([{ ...sound, faults: {} }, wrong], ["a", "b"])).toMatchObject({
      faults: { status: { count: 1, first: "b: connection 7: 500" } },
    });
  });

  it("counts an agent as full by its own delay or CPU, never by the server's", () => {
    const quiet = { cpuPercent: 50, waitedPercent: 0, durationMs: 100 };
    expect(isFullAgent({ ...quiet, senderDelayMsP99: 0.2 })).toBe(false);
    expect(isFullAgent({ ...quiet, senderDelayMsP99: 3 })).toBe(true);
    expect(isFullAgent({ ...quiet, cpuPercent: 97, senderDelayMsP99: 0.2 })).toBe(true);
  });

  it("counts an agent as disturbed if other programs explain its delay, not as full", () => {
    const busy = { cpuPercent: 20, waitedPercent: 10, durationMs: 100 };
    const held = { ...busy, senderDelayMsP99: 9 };
    expect([isFullAgent(held), isDisturbedAgent(held)]).toEqual([false, true]);
    const late = { ...busy, senderDelayMsP99: 12 };
    expect([isFullAgent(late), isDisturbedAgent(late)]).toEqual([true, false]);
    const onTime = { ...busy, senderDelayMsP99: 0.5 };
    expect([isFullAgent(onTime), isDisturbedAgent(onTime)]).toEqual([false, false]);
    // It used all that was left to it, as one of two agents on one CPU does.
    const shared = { cpuPercent: 49, waitedPercent: 50, durationMs: 100, senderDelayMsP99: 30 };
    expect([isFullAgent(shared), isDisturbedAgent(shared)]).toEqual([true, false]);
  });
});

describe("remote files", () => {
  it("cost a round trip for each depth of the question, not for each file", async () => {
    let requests = 0;
    const files: Record<string, string> = { "/a": "2", "/b/0": "x\n", "/b/1": "y\n" };
    const agent = {
      request: async (what: string, fields: object = {}) => {
        requests++;
        const { paths: wanted = [] } = fields as { paths?: string[] };
        return what === "read"
          ? { event: "files", texts: wanted.map((path) => files[path] ?? null) }
          : { event: "names", names: ["n"] };
      },
    };
    const found = await withRemoteFiles(agent, ({ read }) => {
      const count = Number(read("/a") ?? 0);
      return Array.from({ length: count }, (_, index) => read(`/b/${index}`));
    });
    expect(found).toEqual(["x", "y"]);
    expect(requests).toBe(2);
  });
});

/** The processes below one, at any depth. */
function below(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  const own = existsSync(path)
    ? readFileSync(path, "latin1").split(" ").filter(Boolean).map(Number)
    : [];
  return own.flatMap((child) => [child, ...below(child)]);
}

describe("an agent", () => {
  it("ends with its input, and takes daemons along", async () => {
    const agent = spawn(paths.loadGenerator, ["agent"], { stdio: ["pipe", "pipe", "inherit"] });
    children.push(agent);
    const decoder = new FrameDecoder();
    const pids: number[] = [];
    const daemon = new Promise<void>((resolve) => {
      agent.stdout.on("data", (chunk: Buffer) => {
        for (const message of decoder.push(chunk)) {
          const { event, text } = message as { event: string; text?: string };
          if (event !== "line") continue;
          pids.push(Number(text));
          resolve();
        }
      });
    });
    // Its parent ends at once: nothing but adoption finds it again.
    const script = "(setsid sleep 600 & echo $!) ; exit 0";
    agent.stdin.write(encodeFrame({ do: "start", id: 1, argv: ["/bin/sh", "-c", script] }));
    await daemon;
    expect(pids.every(isAlive)).toBe(true);
    agent.stdin.end();
    await once(agent, "exit");
    if (process.platform === "linux") expect(pids.some(isAlive)).toBe(false);
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  });

  it("refuses bytes that are no frames", async () => {
    const agent = spawn(paths.loadGenerator, ["agent"], { stdio: ["pipe", "ignore", "pipe"] });
    children.push(agent);
    agent.stdin.write("GET / HTTP/1.1\r\n\r\n");
    const [code] = await once(agent, "exit");
    expect(code).toBe(1);
  });
});

async function open(agents: readonly string[]): Promise<FleetHost> {
  const plan = { agents, server: "local", serverAddress: "127.0.0.1", sshConfig: null };
  const host = await FleetHost.open(plan, { paths });
  hosts.push(host);
  return host;
}

interface Load {
  readonly lines: Record<string, unknown>[];
  readonly next: (event: string) => Promise<Record<string, unknown>>;
  readonly process: ReturnType<FleetHost["start"]>;
}

/** An echo server, and a load of it from every agent. */
async function load(host: FleetHost, subcommand: string, args: readonly string[]) {
  const serverLines: string[] = [];
  let announce: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    announce = resolve;
  });
  const server = host.start([paths.echoServer, "--strategy", "reactor-epoll"], {
    onLine: (line) => {
      serverLines.push(line);
      announce();
    },
  });
  await ready;
  const { port, pid } = JSON.parse(serverLines[0] ?? "{}") as { port: number; pid: number };
  const lines: Record<string, unknown>[] = [];
  const waiting: { event: string; resolve: (line: Record<string, unknown>) => void }[] = [];
  const own = ["--port", String(port), "--server-pid", String(pid), ...args];
  const child = host.start([paths.loadGenerator, subcommand, ...own], {
    input: true,
    onLine: (text) => {
      const line = JSON.parse(text) as Record<string, unknown>;
      lines.push(line);
      const at = waiting.findIndex(({ event }) => event === line["event"]);
      if (at >= 0) waiting.splice(at, 1)[0]?.resolve(line);
    },
  });
  const next: Load["next"] = (event) => new Promise((resolve) => waiting.push({ event, resolve }));
  return { server, serverPid: pid, generator: { lines, next, process: child } };
}

const echo = ["--payload-bytes", "64", "--seed", "3"];

describe("a user's command on the server's machine", () => {
  const command = (host: FleetHost, text: string, seconds: number) =>
    host.start([paths.node, paths.announce, "command", text, String(seconds)], {
      onLine: () => {},
    });

  onLinux("is ended if it does not listen in time", async () => {
    const host = await open(["local"]);
    const process = command(host, "echo no port >&2; exec sleep 600 # {port}", 0.2);
    expect(await process.exited).toMatchObject({ code: 1, signal: null });
    expect(process.stderrTail).toMatch(
      /^no port \| nothing listens on 127\.0\.0\.1:\d+ after 0\.2 s \(--ready-within\)$/,
    );
  });

  onLinux("is killed with all that it started", async () => {
    const host = await open(["local"]);
    const folder = mkdtempSync(join(tmpdir(), "io-selectors-agents-"));
    const marker = join(folder, "pid");
    // The marker is complete when it appears.
    const note = `echo $! >'${marker}.part'; mv '${marker}.part' '${marker}'`;
    const process = command(host, `(sleep 600 & ${note}; wait); : {port}`, 600);
    while (!existsSync(marker)) await delay(20);
    host.killAll();
    await process.exited;
    const pid = Number(readFileSync(marker, "utf8"));
    expect(isAlive(pid)).toBe(false);
    rmSync(folder, { recursive: true });
  });
});

describe("several generators", () => {
  const module = `${paths.root}/dist/bench/agents/fleet-host.js`;
  const plan = {
    agents: ["local", "local"],
    server: "local",
    serverAddress: null,
    sshConfig: null,
  };

  onLinux("make one load, and one result of it", async () => {
    const host = await open(["local", "local", "local"]);
    const { generator } = await load(host, "hold", [
      ...["--connections", "50", "--rate", "3001"],
      ...echo,
    ]);
    const connected = await generator.next("connected");
    expect(connected["connections"]).toBe(50);
    let [answered, serverCpuNs] = [0, 0];
    for (let i = 0; i < 3; i++) {
      const window = generator.next("window");
      generator.process.send("window ms=100 settle-ms=5 drain-ms=500");
      const line = await window;
      answered += Number(line["answeredMessages"]);
      const latency = decodeHistogram(String(line["latency"]));
      expect(latency.count).toBe(line["answeredMessages"]);
      expect(line["rate"]).toBe(3001);
      serverCpuNs += Number(line["serverCpuNs"]);
    }
    expect(serverCpuNs).toBeGreaterThan(0);
    generator.process.send("end");
    await generator.process.exited;
    const result = generator.lines.at(-1);
    expect(result).toMatchObject({ event: "result", error: null, mismatches: 0, missing: 0 });
    expect(answered).toBeGreaterThan(500);
    const { facts } = host;
    expect(facts.agents.map(({ agent }) => agent)).toEqual([1, 2, 3]);
    // Seeds of their own: the same one would send the same number at the same times.
    expect(new Set(facts.agents.map(({ sentMessages }) => sentMessages)).size).toBeGreaterThan(1);
    expect(facts.startSkewMs).not.toBeNull();
  });

  onLinux("begin a whole run together, windows on one grid", async () => {
    const host = await open(["local", "local"]);
    const { generator } = await load(host, "run", [
      ...["--connections", "20", "--rate", "1000", "--warmup-ms", "100"],
      ...["--windows", "3", "--window-ms", "300"],
      ...echo,
    ]);
    await generator.process.exited;
    // First, because its error says why windows are missing.
    expect(generator.lines.at(-1)).toMatchObject({ event: "result", error: null });
    const windows = generator.lines.filter(({ event }) => event === "window");
    expect(windows.map(({ index }) => index)).toEqual([0, 1, 2]);
    const sent = windows.reduce((sum, line) => sum + Number(line["sentMessages"]), 0);
    expect(sent).toBeGreaterThan(150);
  });

  onLinux("of which one dies leave what was measured, and its name", async () => {
    const host = await open(["local", "local"]);
    const { generator } = await load(host, "hold", [
      ...["--connections", "20", "--rate", "1000"],
      ...echo,
    ]);
    await generator.next("connected");
    const first = generator.next("window");
    generator.process.send("window ms=50 settle-ms=5 drain-ms=200");
    await first;
    const [, second] = host.machines;
    killProcess(second?.agent.hello.pid, "SIGKILL");
    const exit = await generator.process.exited;
    expect(exit.code).not.toBe(0);
    await new Promise<void>((resolve) => {
      if (host.lost.aborted) resolve();
      else host.lost.addEventListener("abort", () => resolve());
    });
    expect(host.facts.faults.join()).toMatch(/^local: .*SIGKILL/);
    expect(generator.lines.filter(({ event }) => event === "window")).toHaveLength(1);
  });

  onLinux("are left to the coordinator by Ctrl-C, which reaches its whole group", async () => {
    const script = `
      const { FleetHost } = await import(${JSON.stringify(module)});
      const host = await FleetHost.open(${JSON.stringify(plan)}, {});
      process.on("SIGINT", async () => {
        for (const { agent } of host.machines) await agent.exchange();
        await host.close();
        console.log("closed");
        process.exit();
      });
      console.log("open");
    `;
    const coordinator = spawn(process.execPath, ["--input-type=module", "-e", script], {
      ...{ stdio: ["ignore", "pipe", "inherit"], detached: true },
    });
    children.push(coordinator);
    const said = text(coordinator.stdout);
    await once(coordinator.stdout, "data");
    process.kill(-(coordinator.pid ?? 0), "SIGINT");
    expect(await said).toBe("open\nclosed\n");
  });

  onLinux("outlive no coordinator that is killed", async () => {
    const script = `
      const { FleetHost } = await import(${JSON.stringify(module)});
      const host = await FleetHost.open(${JSON.stringify(plan)}, {});
      host.start([host.paths.echoServer, "--strategy", "process-per-connection"], {
        onLine: () => console.log("ready"),
      });
      setInterval(() => {}, 1000);
    `;
    const coordinator = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(coordinator);
    await once(coordinator.stdout, "data");
    const started = below(coordinator.pid ?? 0);
    expect(started.length).toBeGreaterThanOrEqual(3);
    coordinator.kill("SIGKILL");
    await once(coordinator, "exit");
    const killedMs = performance.now();
    while (started.some(isAlive) && performance.now() - killedMs < 10_000) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(started.filter(isAlive)).toEqual([]);
  });
});
