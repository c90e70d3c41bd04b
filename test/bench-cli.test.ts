// `npm run bench` as its user meets it: the built command line in a process of its own, with bad
// input, at a small scale, and with signals half-way.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { contenders, reference } from "../bench/contenders/catalogue.ts";
import { packagePaths } from "../bench/paths.ts";
import { parseResults } from "../bench/report/json.ts";
import { profiles } from "../bench/run/profiles.ts";
import { childrenOf, killAll, survivors } from "./bench-processes.ts";
import { commandLines, type Said } from "./command-lines.ts";

const cli = join(packagePaths().root, "dist", "bench", "cli.js");
const cliNode = process.execPath;
const linux = process.platform === "linux";
const small = ["--connections", "50", "--rate", "5000", "--duration", "0.5"];

let out = "";
const started = new Set<ChildProcessByStdio<null, Readable, Readable>>();

beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), "io-selectors-"));
});

afterEach(async () => {
  await killAll(started);
  rmSync(out, { recursive: true, force: true });
});

class Bench {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  stdout = "";
  stderr = "";

  constructor(argv: readonly string[], env: NodeJS.ProcessEnv = {}, command = [cliNode, cli]) {
    const [file = "", ...first] = command;
    this.child = spawn(file, [...first, ...argv], {
      cwd: packagePaths().root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    started.add(this.child);
    this.child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
  }

  async ended(): Promise<number | NodeJS.Signals | null> {
    const [code, signal] = await once(this.child, "close");
    return code ?? signal;
  }

  /** Its children, once there are as many: the server and the load generator under way. */
  async children(count: number): Promise<number[]> {
    let found: number[] = [];
    while (found.length < count) {
      await delay(5);
      found = childrenOf(this.child.pid ?? 0);
    }
    return found;
  }

  /** Resolves when standard error has matched. */
  async said(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stderr)) await once(this.child.stderr, "data");
  }
}

function readReport(folder: string) {
  return parseResults(readFileSync(join(folder, "results.json"), "utf8"), "results.json");
}

describe("bad input", () => {
  const names = (rows: readonly { name: string }[]) => rows.map(({ name }) => name);
  const options = ["--profile", "--contenders", "--connections", "--rate", "--payload"].concat([
    "--duration",
    "--blocks",
    "--seed",
    "--out",
    "--help",
  ]);

  const rows = [
    { argv: ["--frobnicate"], named: ["--frobnicate", ...options] },
    { argv: ["-x"], named: ["-x", ...options] },
    { argv: ["--json=false"], named: ["--json takes no value"] },
    { argv: ["faster"], named: ["faster", "run, target, doctor, list"] },
    { argv: ["run", "faster"], named: ["faster"] },
    { argv: ["--contenders", "cpp:nope"], named: ["cpp:nope", ...names(contenders)] },
    { argv: ["--contenders", "node:net,"], named: ["--contenders"] },
    { argv: ["--profile", "slow"], named: ["slow", ...names(profiles)] },
    { argv: ["--connections", "many"], named: ["--connections", "many"] },
    { argv: ["--connections", "10,0"], named: ["--connections", "0"] },
    { argv: ["--rate", "-5"], named: ["--rate", "-5"] },
    { argv: ["--payload", "1e9"], named: ["--payload", "1e9"] },
    { argv: ["--duration", "0"], named: ["--duration", "seconds"] },
    { argv: ["--blocks", "2.5"], named: ["--blocks", "2.5"] },
    { argv: ["--seed", "99999999999"], named: ["--seed", "99999999999"] },
    { argv: ["--rate", "--blocks", "3"], named: ["--rate"] },
    { argv: ["--blocks"], named: ["--blocks"] },
    { argv: ["--out", "/dev/null/reports"], named: ["--out", "/dev/null/reports"] },
  ].map((row, index) => ({ ...row, index }));
  let said: readonly Said[] = [];
  beforeAll(async () => {
    said = await commandLines(rows.map(({ argv }) => argv));
  });

  it.each(rows)("$argv is one line that names it, and exit 2", ({ named, index }) => {
    const { status, stdout, stderr = "" } = said[index] ?? {};
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^bench: [^\n]+\n$/);
    for (const name of named) expect(stderr).toContain(name);
  });

  it("ends a process with 2, too", async () => {
    const bench = new Bench(["--frobnicate"]);
    expect(await bench.ended()).toBe(2);
    expect([bench.stdout, bench.stderr]).toEqual(["", said[0]?.stderr]);
  });
});

describe("a run", () => {
  it("explains itself", async () => {
    const bench = new Bench(["--help"]);
    expect(await bench.ended()).toBe(0);
    for (const { name } of profiles) expect(bench.stdout).toContain(name);
    const list = new Bench(["list"]);
    expect(await list.ended()).toBe(0);
    for (const { name } of contenders) expect(list.stdout).toContain(name);
  });

  it("leaves a table on standard output and a report that validates", async () => {
    const argv = [...small, "--blocks", "2", "--contenders", "node:net", "--out", out];
    const bench = new Bench(argv);
    expect([0, 3]).toContain(await bench.ended()); // 3 beside a busy neighbour: nothing is ranked
    const results = readReport(join(out, "latest"));
    expect(results).toMatchObject({ complete: true, profile: "quick", reference, seed: 1 });
    expect(results.cells.map(({ contender }) => contender)).toEqual([reference, "node:net"]);
    for (const cell of results.cells) {
      expect(cell).toMatchObject({ connections: 50, ratePerSecond: 5_000, mismatches: 0 });
      expect(["ok", "tie", "inconclusive"]).toContain(cell.status);
      expect(cell.messages).toBeGreaterThan(0);
    }
    const [folder] = readdirSync(out).filter((name) => name !== "latest");
    expect(bench.stdout).toContain("node:net");
    expect(bench.stdout).toContain(join(folder ?? "", "report.html"));
    expect(bench.stderr).toMatch(/\[(\d+)\/\1\] block (\d+)\/\2 /);
    expect(bench.stdout + bench.stderr).not.toContain("\u001b");
  });

  it("survives a reader that leaves", async () => {
    const bench = new Bench(["--help"]);
    bench.child.stdout.destroy();
    expect(await bench.ended()).toBe(0);
    expect(bench.stderr).toBe("");
  });
});

describe.runIf(linux)("half-way", () => {
  const argv = () => [...small, "--blocks", "100", "--contenders", "cpp:select", "--out", out];

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s leaves no process, the partial report, and exit %i", async (signal, code) => {
    const bench = new Bench(argv());
    await bench.said(/\[ *3\/200\]/);
    const children = await bench.children(2);
    bench.child.kill(signal);
    expect(await bench.ended()).toBe(code);
    expect(await survivors(children, 0)).toEqual([]);
    const results = readReport(join(out, "latest"));
    expect(results.complete).toBe(false);
    expect(results.cells).toHaveLength(2);
    for (const { status, reason, messages } of results.cells) {
      expect(status).toBe("inconclusive");
      expect(reason).toMatch(/^interrupted after \d+ of 100 blocks$/);
      expect(messages).toBeGreaterThan(0);
    }
    expect(bench.stderr).toContain(`${signal}: stopping`);
    expect(bench.stdout).toContain("report.html");
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s to npm ends what npm runs, too", async (signal, code) => {
    const bench = new Bench(argv(), {}, ["npm", "run", "bench", "--"]);
    await bench.said(/\[ *1\/200\]/);
    const [run = 0] = await bench.children(1);
    const below = childrenOf(run);
    bench.child.kill(signal);
    expect(await bench.ended()).toBe(code);
    expect(await survivors([run, ...below], 10_000)).toEqual([]);
    expect(readReport(join(out, "latest")).complete).toBe(false);
  });

  it("SIGKILL takes the server and the load generator along", async () => {
    const bench = new Bench(argv());
    await bench.said(/\[ *1\/200\]/);
    const children = await bench.children(2);
    bench.child.kill("SIGKILL");
    expect(await bench.ended()).toBe("SIGKILL");
    expect(await survivors(children, 10_000)).toEqual([]);
  });
});
