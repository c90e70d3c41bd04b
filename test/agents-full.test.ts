// An agent that is held up makes a run "limited by the load generator"; a server that is held up
// never does. Both are held up in the same way, stopped for most of the time by signals; an agent
// also by a limit of its cgroup.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { FleetHost } from "../bench/agents/fleet-host.ts";
import { readText } from "../bench/host/kernel-files.ts";
import { childrenOf } from "../bench/host/usage.ts";
import type { Window } from "../bench/model/events.ts";
import { type Paths, packagePaths } from "../bench/paths.ts";
import { brokenRules } from "../bench/run/window-gate.ts";
import { killProcess } from "./bench-processes.ts";

const own = packagePaths();
const group = `io-selectors-test-${process.pid}`;
const runs = Number(process.env["AGENTS_RUNS"] ?? 3);
let host: FleetHost | null = null;
let throttle: NodeJS.Timeout | undefined;

const scripts = mkdtempSync(join(tmpdir(), "agents-full-"));

afterEach(async () => {
  clearInterval(throttle);
  await host?.close();
  host = null;
  const folders = ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup"].map((root) => join(root, group));
  for (const folder of folders.filter((path) => existsSync(path))) rmdirSync(folder);
});

afterAll(() => rmSync(scripts, { recursive: true }));

/** Stops a process for 30 ms of every 40. */
function holdUp(pid: number): void {
  let stopped = false;
  let turn = 0;
  throttle = setInterval(() => {
    const stops = turn++ % 4 !== 3;
    if (stops === stopped) return;
    stopped = stops;
    try {
      killProcess(pid, stops ? "SIGSTOP" : "SIGCONT");
    } catch {
      clearInterval(throttle);
    }
  }, 10);
}

interface LimitedGroup {
  readonly folder: string;
  /** Leaves one process in the group, with a hundredth of a CPU. */
  readonly limit: (pid: number) => void;
}

/** A group of cgroups(7) whose CPU time can be limited; null if none can be made here. */
function makeGroup(): LimitedGroup | null {
  const places = [
    { folder: `/sys/fs/cgroup/cpu/${group}`, file: "cpu.cfs_quota_us", words: "1000000" },
    { folder: `/sys/fs/cgroup/${group}`, file: "cpu.max", words: "1000000 100000" },
  ];
  for (const { folder, file, words } of places) {
    try {
      mkdirSync(folder);
      writeFileSync(join(folder, file), words, { flag: "r+" });
      const limit = (pid: number) => {
        for (const other of readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n")) {
          if (other === "" || other === String(pid)) continue;
          writeFileSync(join(folder, "..", "cgroup.procs"), other);
        }
        writeFileSync(join(folder, file), words.replace(/^\d+/, "1000"));
      };
      return { folder, limit };
    } catch {
      if (existsSync(folder)) rmdirSync(folder);
    }
  }
  return null;
}

/** The programs, of which the load generator enters a group first. */
function pathsInside({ folder }: LimitedGroup): Paths {
  const loadGenerator = join(scripts, "load-generator");
  const lines = ["#!/bin/sh", `echo $$ > ${folder}/cgroup.procs`];
  writeFileSync(loadGenerator, [...lines, `exec '${own.loadGenerator}' "$@"`, ""].join("\n"));
  chmodSync(loadGenerator, 0o755);
  return { ...own, loadGenerator };
}

interface Outcome {
  readonly limitedByClients: readonly number[];
  readonly windows: readonly Window[];
}

/** A short run over two agents, one of which is held up or limited, or the server is held up. */
async function run(
  heldUp: "second agent" | "server",
  limited: LimitedGroup | null = null,
): Promise<Outcome> {
  const paths = limited === null ? own : pathsInside(limited);
  const plan = { agents: ["local", "local"], server: "local", serverAddress: null };
  host = await FleetHost.open({ ...plan, sshConfig: null }, { paths });
  let announce: (line: string) => void = () => {};
  const ready = new Promise<string>((resolve) => {
    announce = resolve;
  });
  host.start([paths.echoServer, "--strategy", "reactor-epoll"], { onLine: announce });
  const { port, pid } = JSON.parse(await ready) as { readonly port: number; readonly pid: number };
  const windows: Window[] = [];
  let hear: () => void = () => {};
  // More than a hundredth of a CPU can send.
  const rate = limited === null ? 400 : 8_000;
  const args = ["--port", port, "--server-pid", pid, "--connections", 20, "--rate", rate];
  const load = host.start([paths.loadGenerator, "hold", ...args.map(String)], {
    input: true,
    onLine: (line) => {
      const event = JSON.parse(line) as Window;
      if (event.event === "window") windows.push(event);
      hear();
    },
  });
  const line = () =>
    new Promise<void>((resolve) => {
      hear = resolve;
      void load.exited.then(() => resolve());
    });
  await line();
  const second = host.machines[1]?.agent.hello.pid ?? 0;
  const [generator] = childrenOf(second, String(second), readText);
  if (generator === undefined) throw new Error(`process ${second} has no load generator`);
  if (limited !== null) limited.limit(generator);
  else holdUp(heldUp === "server" ? pid : generator);
  for (let i = 0; i < 5; i++) {
    load.send("window ms=120 settle-ms=5 drain-ms=300");
    await line();
  }
  clearInterval(throttle);
  const { limitedByClients } = host.facts;
  await host.close();
  return { limitedByClients, windows };
}

describe.runIf(process.platform === "linux")("limited by the load generator", () => {
  it("is a run with an agent that is held up", async () => {
    for (let i = 0; i < runs; i++) {
      const { limitedByClients, windows } = await run("second agent");
      expect(limitedByClients).toContain(2);
      const judging = { rules: [], singleThreaded: true };
      const rules = windows.flatMap((window) => brokenRules(window, judging));
      // None at all: it came too late for the start of each.
      if (windows.length > 0) expect(rules).toContain("clients-full");
    }
  });

  it("is a run with an agent whose cgroup limits its CPU time", async ({ skip }) => {
    const limited = makeGroup();
    if (limited === null) return skip("no group of cgroups with a CPU limit can be made here");
    // The kernel counts the time without a CPU as waiting for one.
    const { limitedByClients } = await run("second agent", limited);
    expect(limitedByClients).toContain(2);
  });

  it("is no run with a server that is held up", async () => {
    // Other programs may hold up the agents as well: then they are disturbed, and not full.
    for (let i = 0; i < runs; i++) {
      const { limitedByClients, windows } = await run("server");
      expect(windows.length).toBeGreaterThan(0);
      expect(limitedByClients).toEqual([]);
    }
  });
});
