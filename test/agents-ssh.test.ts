// Several machines over real sshds: the agent is copied there, makes its part of the load, and is
// gone afterwards.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { HostPlan } from "../bench/agents/destination.ts";
import { FleetHost } from "../bench/agents/fleet-host.ts";
import type { Results } from "../bench/model/results.ts";
import { packagePaths } from "../bench/paths.ts";
import { decodeHistogram } from "../bench/statistics/hdr-encoding.ts";
import { Histogram } from "../bench/statistics/histogram.ts";
import { beginLoad, measureWindows } from "./fleet-load.ts";
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
    const lines = await measureWindows(host, 10);
    const windows = lines.filter(({ event }) => event === "window");
    expect(windows).toHaveLength(10);
    expect(lines.at(-1)).toMatchObject({ event: "result", error: null, missing: 0, mismatches: 0 });
    // One window of a busy machine may pass without any CPU time for the server.
    const cpuNs = windows.reduce((sum, window) => sum + Number(window["serverCpuNs"]), 0);
    expect(cpuNs).toBeGreaterThan(0);
    expect(host.facts.agents).toHaveLength(2);
    // Beside other programs an agent may get its CPU late: one quiet attempt shows what is meant.
    for (let i = 0; quiet && i < 10 && medianSkewMs(open.at(-1) ?? host) >= 1; i++) {
      await measureWindows(await openFleet(), 5);
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
      const load = await beginLoad(host, ["--connections", 20, "--rate", 1000]);
      const window = load.window("ms=1000");
      for (const name of agents) expect(machines.listening(name)).toEqual([2222]);
      expect(machines.listening("s")).toHaveLength(2);
      await window;
      for (const name of agents) expect(machines.listening(name)).toEqual([2222]);
      await load.end();
    },
  );

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
    const module = (name: string) => JSON.stringify(join(paths.root, "dist/bench", name));
    const plan = { agents, server: "s", serverAddress: null, sshConfig: machines.config };
    // Killed within a window of a load: servers, load generators and the observer run.
    const script = `
      const { FleetHost } = await import(${module("agents/fleet-host.js")});
      const host = await FleetHost.open(${JSON.stringify(plan)}, {});
      const { paths } = host;
      const started = (argv, options) =>
        new Promise((resolve) => {
          const child = host.start(argv, { ...options, onLine: (line) => resolve([child, line]) });
        });
      const strategy = ["--strategy", "process-per-connection"];
      const [server, ready] = await started([paths.echoServer, ...strategy], {});
      const { port } = JSON.parse(ready);
      const load = ["--connections", "8", "--rate", "100", "--server-pid", server.pid];
      const argv = [paths.loadGenerator, "hold", "--port", port, ...load].map(String);
      const [generators] = await started(argv, { input: true });
      generators.send("window ms=60000");
      console.log("measures");
      setInterval(() => {}, 1000);
    `;
    const hosts = ["s", ...agents];
    // A session of the test before may still be ending.
    const before = new Set(hosts.flatMap((name) => machines.processes(name)));
    const started = () =>
      hosts.flatMap((name) => machines.processes(name)).filter((pid) => !before.has(pid));
    const coordinator = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(coordinator.stdout, "data");
    // A session of sshd, an agent and what it started on each; the server has a process each.
    expect(started().length).toBeGreaterThan(3 * 2 + 8);
    coordinator.kill("SIGKILL");
    const killedMs = performance.now();
    while (started().length > 0 && performance.now() - killedMs < 10_000) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(started()).toEqual([]);
  });

  it.skipIf(noDelay !== null)(
    named("shows a delay of 1 ms each way as 2 ms more, with loss", noDelay),
    async () => {
      await machines.delay({ us: 1_000, loss: 0.001 });
      const host = await openFleet();
      const [network] = await host.measureNetwork();
      const lines = await measureWindows(host, 5);
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
