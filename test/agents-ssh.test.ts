// Several machines over real sshds: the agent is copied there, makes its part of the load, and is
// gone afterwards; what goes wrong is reported with the host's name.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { HostPlan } from "../bench/agents/destination.ts";
import { FleetHost } from "../bench/agents/fleet-host.ts";
import { isAlive } from "../bench/host/processes.ts";
import type { Results } from "../bench/model/results.ts";
import { packagePaths } from "../bench/paths.ts";
import { decodeHistogram } from "../bench/statistics/hdr-encoding.ts";
import { Histogram } from "../bench/statistics/histogram.ts";
import { SshHosts, whyNoDelay, whyNoLogin, whyNoNamespaces } from "./ssh-hosts.ts";

const paths = packagePaths();
const noHosts = await whyNoLogin();
const noNamespaces = whyNoNamespaces();
const noDelay = whyNoDelay();
const where = noNamespaces === null ? "in network namespaces" : "on loopback ports";
const named = (title: string, why: string | null) => (why === null ? title : `${title} (${why})`);

/** Asked for on a quiet machine: then what depends on time is checked as well. */
const quiet = process.env["AGENTS_QUIET"] !== undefined;
const aheadSeconds = 5;
const agents = ["a", "b"];
let machines: SshHosts;
const open: FleetHost[] = [];

async function openFleet(
  overrides: Partial<Pick<HostPlan, "agents" | "server" | "serverAddress">> = {},
): Promise<FleetHost> {
  const plan = { agents, server: "s", serverAddress: null, ...overrides };
  const host = await FleetHost.open({ ...plan, sshConfig: machines.config }, { paths });
  open.push(host);
  return host;
}

function medianSkewMs(host: FleetHost): number {
  return host.facts.startSkewMs?.median ?? Number.POSITIVE_INFINITY;
}

/** Windows of a load at a fixed rate, and what the fleet knows after them. */
async function measure(host: FleetHost, windows: number) {
  let announce: (line: string) => void = () => {};
  const ready = new Promise<string>((resolve) => {
    announce = resolve;
  });
  host.start([paths.echoServer, "--strategy", "reactor-epoll"], { onLine: announce });
  const { port, pid } = JSON.parse(await ready) as { port: number; pid: number };
  const lines: Record<string, unknown>[] = [];
  let heard: () => void = () => {};
  const args = ["--port", port, "--server-pid", pid, "--connections", 20, "--rate", 1000];
  const child = host.start([paths.loadGenerator, "hold", ...args.map(String)], {
    input: true,
    onLine: (line) => {
      lines.push(JSON.parse(line));
      heard();
    },
  });
  const next = () =>
    new Promise<void>((resolve) => {
      heard = resolve;
      void child.exited.then(() => resolve());
    });
  await next();
  for (let i = 0; i < windows; i++) {
    child.send("window ms=100 settle-ms=5 drain-ms=500");
    await next();
  }
  child.send("end");
  await child.exited;
  return lines;
}

describe.skipIf(noHosts !== null)(named(`over ssh, ${where}`, noHosts), () => {
  beforeAll(async () => {
    machines = new SshHosts(noNamespaces === null);
    await machines.add({ name: "s" });
    await machines.add({ name: "a" });
    // Its clock is 5 s ahead, if that is possible: the measurement must not be affected.
    await machines.add(noNamespaces === null ? { name: "b", aheadSeconds } : { name: "b" });
  });

  afterEach(async () => {
    for (const host of open.splice(0)) await host.close();
  });

  afterAll(async () => {
    await machines?.close();
  });

  it("copies its programs by content hash, once", async () => {
    expect(existsSync(machines.cache)).toBe(false);
    await (await openFleet()).close();
    const files = readdirSync(machines.cache).sort();
    expect(files).toHaveLength(2);
    expect(files[0]).toMatch(/^echo-server-[0-9a-f]{16}$/);
    expect(files[1]).toMatch(/^load-generator-[0-9a-f]{16}$/);
    const copy = join(machines.cache, files[1] ?? "");
    expect(readFileSync(copy).equals(readFileSync(paths.loadGenerator))).toBe(true);
    // A second run finds it: it would not run what is not ours.
    writeFileSync(copy, "#!/bin/sh\necho not the agent\n", { mode: 0o700 });
    await expect(openFleet()).rejects.toThrow(/^[abs]: /);
    rmSync(machines.cache, { recursive: true });
  });

  it("makes one load of all agents, which start together", async () => {
    const host = await openFleet();
    const lines = await measure(host, 10);
    const windows = lines.filter(({ event }) => event === "window");
    expect(windows).toHaveLength(10);
    expect(lines.at(-1)).toMatchObject({ event: "result", error: null, missing: 0, mismatches: 0 });
    // One window of a busy machine may pass without any CPU time for the server.
    const cpuNs = windows.reduce((sum, window) => sum + Number(window["serverCpuNs"]), 0);
    expect(cpuNs).toBeGreaterThan(0);
    expect(host.facts.agents).toHaveLength(2);
    // Beside other programs an agent may get its CPU late: one quiet attempt shows what is meant.
    for (let i = 0; quiet && i < 10 && medianSkewMs(open.at(-1) ?? host) >= 1; i++) {
      await measure(await openFleet(), 5);
    }
    const skewMs = medianSkewMs(open.at(-1) ?? host);
    expect(skewMs).toBeGreaterThanOrEqual(0);
    if (quiet) expect(skewMs).toBeLessThan(1);
  });

  it.skipIf(noNamespaces !== null)(
    named("knows a clock that is 5 s ahead", noNamespaces),
    async () => {
      const host = await openFleet();
      const offsets = host.machines.map(({ agent }) => agent.clock.estimate);
      const [a, b] = offsets.map(({ offsetNs, roundTripNs }) => ({ offsetNs, roundTripNs }));
      expect(Math.abs(a?.offsetNs ?? 1e9)).toBeLessThanOrEqual((a?.roundTripNs ?? 0) / 2);
      const off = Math.abs((b?.offsetNs ?? 0) - aheadSeconds * 1e9);
      expect(off).toBeLessThanOrEqual((b?.roundTripNs ?? 0) / 2);
      if (quiet) expect(off).toBeLessThan(1e6);
    },
  );

  it.skipIf(noNamespaces !== null)(
    named("listens nowhere but with the server under test", noNamespaces),
    async () => {
      const host = await openFleet();
      const load = measure(host, 3);
      await load;
      expect(machines.listening("a")).toEqual([2222]);
      expect(machines.listening("b")).toEqual([2222]);
      expect(machines.listening("s")).toHaveLength(2);
    },
  );

  it.each([
    ["an unknown name", "nosuch.invalid", /^nosuch\.invalid: .*resolve/],
    [
      "a host whose key is unknown",
      "unknown-key",
      /^unknown-key: .*Host key.*connect once by hand/,
    ],
    ["a key that is refused", "refused", /^refused: .*Permission denied.*ssh-add/],
    ["a port where nothing listens", "closed", /^closed: .*refused.*sshd/],
  ])("says of %s which host it is, and what to do", async (_title, name, message) => {
    const { address, port } = machines.hosts.get("a") ?? { address: "", port: 0 };
    const config = readFileSync(machines.config, "utf8");
    const there = `  HostName ${address}\n  Port ${port}`;
    const blocks = [
      `Host unknown-key\n${there}\n  UserKnownHostsFile /dev/null`,
      `Host refused\n${there}\n  IdentityFile ${join(machines.folder, "stranger")}`,
      `Host closed\n  HostName ${address}\n  Port 1`,
    ];
    writeFileSync(machines.config, `${blocks.join("\n")}\n${config}`);
    try {
      await expect(openFleet({ agents: ["a", name] })).rejects.toThrow(message);
    } finally {
      writeFileSync(machines.config, config);
    }
  });

  it("says of a disk that is full which host's it is", async () => {
    // A folder in which nothing can be made stands for it: root may write everywhere else.
    rmSync(machines.cache, { recursive: true, force: true });
    writeFileSync(machines.cache, "a file, no folder");
    try {
      await expect(openFleet({ agents: ["a"], server: "a" })).rejects.toThrow(
        /^a: cannot create the cache folder/,
      );
    } finally {
      rmSync(machines.cache);
    }
  });

  it("measures by the command line, and says what does not run elsewhere", async () => {
    const cli = join(paths.root, "dist", "bench", "cli.js");
    const out = join(machines.folder, "out");
    const what = ["--workloads", "echo-rate", "--contenders", "cpp:poll,node:net"];
    const load = "--connections 20 --rate 500 --blocks 1 --budget 1 --duration 0.3".split(" ");
    const where = ["--agents", "a,b", "--server", "s", "--ssh-config", machines.config];
    const child = spawn(
      process.execPath,
      [cli, ...what, ...load, ...where, "--out", out, "--json"],
      {
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const [json, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(said).toMatch(/server on s, which listens on \d+\.\d+\.\d+\.\d+/);
    expect(said).toMatch(/start skew between agents: [\d.]+ ms/);
    const { cells, environment } = JSON.parse(json) as Results;
    const cellOf = (name: string) => cells.find(({ contender }) => contender === name);
    expect(cellOf("cpp:poll")).toMatchObject({ mismatches: 0 });
    expect(cellOf("cpp:poll")?.messages).toBeGreaterThan(50);
    expect(cellOf("node:net")?.status).toBe("unavailable");
    expect(environment["machines"]).toHaveLength(3);
    expect(environment["fleet"]).toHaveProperty("startSkewMs.median", expect.any(Number));
  });

  it("leaves nothing on any host when the coordinator is killed", async () => {
    mkdirSync(machines.cache, { recursive: true });
    const module = join(paths.root, "dist/bench/agents/fleet-host.js");
    const plan = { agents, server: "s", serverAddress: null, sshConfig: machines.config };
    const script = `
      const { FleetHost } = await import(${JSON.stringify(module)});
      const host = await FleetHost.open(${JSON.stringify(plan)}, {});
      const child = host.start([host.paths.echoServer, "--strategy", "process-per-connection"], {
        onLine: () => {
          const agents = host.machines.map(({ agent }) => agent.hello.pid);
          console.log(JSON.stringify([child.pid, ...agents]));
        },
      });
      setInterval(() => {}, 1000);
    `;
    const coordinator = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [text] = (await once(coordinator.stdout, "data")) as [Buffer];
    const pids = JSON.parse(text.toString()) as number[];
    expect(pids).toHaveLength(4);
    expect(pids.every(isAlive)).toBe(true);
    coordinator.kill("SIGKILL");
    const killedMs = performance.now();
    while (pids.some(isAlive) && performance.now() - killedMs < 10_000) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(pids.filter(isAlive)).toEqual([]);
    expect(performance.now() - killedMs).toBeLessThan(2_000);
  });

  it.skipIf(noNamespaces !== null)(
    named(
      "reports a link that stands still for 3 s, and counts nothing of that time",
      noNamespaces,
    ),
    async () => {
      const host = await openFleet();
      const down = setTimeout(() => machines.link("b", "down"), 300);
      const up = setTimeout(() => machines.link("b", "up"), 3_300);
      const lines = await measure(host, 8);
      clearTimeout(down);
      clearTimeout(up);
      expect(host.facts.faults.join("\n")).toMatch(/^b: /m);
      const windows = lines.filter(({ event }) => event === "window");
      for (const { durationNs } of windows) expect(Number(durationNs)).toBeLessThan(1e9);
    },
  );

  it.skipIf(noDelay !== null)(
    named("shows a delay of 1 ms each way as 2 ms more, with loss", noDelay),
    async () => {
      await machines.delay({ us: 1_000, loss: 0.001 });
      const host = await openFleet();
      const [network] = await host.measureNetwork();
      const lines = await measure(host, 5);
      expect(lines.at(-1)).toMatchObject({ event: "result", error: null, missing: 0 });
      const latencies = new Histogram();
      for (const { event, latencyUncorrected } of lines) {
        if (event === "window") latencies.add(decodeHistogram(String(latencyUncorrected)));
      }
      const p50Us = (latencies.quantile(0.5) ?? 0) / 1000;
      for (const us of [network?.roundTripUs, p50Us]) {
        expect(us).toBeGreaterThan(2_000);
        if (quiet) expect(us).toBeLessThan(2_200);
      }
    },
  );
});
