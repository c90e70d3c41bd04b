// The gate on real processes, at a small scale: equal trees must not differ, a planted system call
// must be found; and what cannot be compared says so, and leaves nothing behind.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { UsageError } from "../bench/command-line.ts";
import { controlText, noteText } from "../bench/gate/controls.ts";
import { countOne } from "../bench/gate/exact.ts";
import { CannotCompare, refuseUnmeasured, runGate } from "../bench/gate/gate.ts";
import { leaveGate } from "../bench/gate/leave.ts";
import type { GateProfile } from "../bench/gate/profiles.ts";
import { RemoteTrees } from "../bench/gate/remote-trees.ts";
import { resolveRevisions } from "../bench/gate/revisions.ts";
import { contenderOf, pathsOf, type Trees } from "../bench/gate/sides.ts";
import { Worktrees } from "../bench/gate/worktrees.ts";
import { chooseCpus } from "../bench/host/cpus.ts";
import { Interrupted } from "../bench/host/deadline.ts";
import type { HostProcess } from "../bench/host/host.ts";
import { LocalHost } from "../bench/host/local.ts";
import { isAlive } from "../bench/host/processes.ts";
import { packagePaths } from "../bench/paths.ts";
import { capacityCpuShare } from "../bench/run/cpu-share.ts";
import { survivors } from "./bench-processes.ts";
import { commandLines, type Said } from "./command-lines.ts";
import { gateResult } from "./regression-data.ts";

const own = packagePaths();
const host = new LocalHost();
let folder = "";
let signal = new AbortController().signal;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "io-selectors-regression-test-"));
  signal = new AbortController().signal;
});

afterEach(() => {
  host.killAll();
  rmSync(folder, { recursive: true, force: true });
});

/** Whether strace is there and may trace here. */
const traces = spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0;

const tiny: GateProfile = {
  name: "tiny",
  summary: "",
  loads: [
    {
      workload: "echo-rate",
      contenders: ["cpp:reactor-epoll"],
      connections: 20,
      payloadBytes: 64,
      ratePerSecond: 500,
      metrics: ["serverCpuPerMessage", "latencyP50"],
      pairs: 2,
      attempts: 2,
      timing: { warmupMs: 20, steadyWithinMs: 0, windows: 1, windowMs: 50 },
      together: true,
    },
  ],
  exact: [{ metric: "systemCalls", contenders: ["cpp:reactor-epoll"], messages: 100, pairs: 10 }],
};

/** Whether servers can get a part of a CPU here. */
const sharesCpu = (() => {
  const share = chooseCpus().clientAlone ? host.cpuShare(capacityCpuShare) : null;
  share?.remove();
  return share !== null;
})();

/** Collects the groups in which processes are started. */
class ListeningHost extends LocalHost {
  readonly groups: string[] = [];

  override start(...given: Parameters<LocalHost["start"]>): HostProcess {
    const group = given[1].launch?.group;
    if (group !== undefined) this.groups.push(group);
    return super.start(...given);
  }
}

function gate(trees: Trees, profile = tiny) {
  const context = { host, signal, cpus: chooseCpus() };
  const request = { trees, profile, seed: 1, asked: [], folder };
  return runGate(request, { context, onProgress: () => {} });
}

/** It announces itself as ours do, and ends at the fifth message. */
const dyingServer = `import { createServer } from "node:net";
let messages = 0;
const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    if (++messages === 5) process.kill(process.pid, "SIGKILL");
    socket.write(bytes);
  });
}).listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  console.log(JSON.stringify({ event: "ready", port, pid: process.pid }));
});
`;

/** A tree whose native server is a command around ours. */
function treeAround(script: string): string {
  const root = join(folder, "tree");
  mkdirSync(join(root, "build", "Release"), { recursive: true });
  writeFileSync(join(root, "package.json"), "{}");
  const server = join(root, "build", "Release", "echo-server");
  writeFileSync(server, `#!/bin/sh\n${script}\n`);
  chmodSync(server, 0o755);
  return root;
}

describe.skipIf(process.platform !== "linux" || !traces)("a run of the gate", () => {
  const same: Trees = { base: own, head: own };

  it("finds no regression between equal trees, and holds its controls", {
    timeout: 120_000,
  }, async () => {
    const { outcome, cells, controls } = await gate(same);
    expect(controls.filter(({ held }) => !held)).toEqual([]);
    expect(controls.map((one) => controlText(one).name).join()).toMatch(
      /base against base.*planted/,
    );
    expect(["pass", "inconclusive"]).toContain(outcome);
    const calls = cells.find(({ metric }) => metric === "systemCalls");
    expect(calls).toMatchObject({ verdict: "same", gates: true });
    expect(calls?.base).toBeCloseTo(3, 1);
    expect(cells.map(({ metric }) => metric)).toContain("serverCpuPerMessage");
  });

  it("refuses to let a metric decide that it does not measure", () => {
    expect(() => refuseUnmeasured(tiny, ["userBytesPerConnection"])).toThrow(
      /^--gate: the profile "tiny" does not measure userBytesPerConnection here$/,
    );
  });

  it("finds and confirms a system call more in the head", { timeout: 120_000 }, async () => {
    const library = join(folder, "planted.so");
    const source = join(own.root, "native", "planted_call", "planted_call.cc");
    execFileSync("c++", ["-shared", "-fPIC", "-o", library, source]);
    const root = treeAround(`LD_PRELOAD=${library} exec ${own.echoServer} "$@"`);
    const { outcome, cells } = await gate({ base: own, head: pathsOf(root) });
    expect(outcome).toBe("regression");
    const calls = cells.find(({ metric }) => metric === "systemCalls");
    expect(calls).toMatchObject({ verdict: "regression" });
    expect(calls?.first?.ratio).toBeCloseTo(4 / 3, 1);
    expect(calls?.second?.ratio).toBeCloseTo(4 / 3, 1);
  });

  it("calls a head that does not serve a regression", { timeout: 120_000 }, async () => {
    const head = pathsOf(treeAround("echo it broke >&2; exit 7"));
    const { outcome, cells } = await gate({ base: own, head }, withAttempts(4));
    expect(outcome).toBe("regression");
    const cpu = cells.find(({ metric }) => metric === "serverCpuPerMessage");
    expect(cpu).toMatchObject({ verdict: "failed", reason: expect.stringMatching(/it broke/) });
  });

  it("calls a head that dies under one load a regression", { timeout: 120_000 }, async () => {
    const script = join(folder, "dying.mjs");
    writeFileSync(script, dyingServer);
    const head = pathsOf(treeAround(`exec '${process.execPath}' '${script}'`));
    const loads = tiny.loads.map((row) => ({ ...row, pairs: 1, attempts: 1, plantedPercent: 10 }));
    const once = { ...tiny, loads, exact: [] };
    const { outcome, cells, notes } = await gate({ base: own, head }, once);
    expect(outcome).toBe("regression");
    const reason = expect.stringMatching(/^was killed by SIGKILL during the load/);
    expect(cells[0]).toMatchObject({ verdict: "failed", reason });
    const server = "cpp:reactor-epoll (head)";
    const note = { code: "rounds-failed", server, workload: "echo-rate", count: 1, first: reason };
    expect(notes).toContainEqual(note);
  });

  it("sees that a head dies while its calls are counted", { timeout: 120_000 }, async () => {
    const script = join(folder, "dying.mjs");
    writeFileSync(script, dyingServer);
    const head = pathsOf(treeAround(`exec '${process.execPath}' '${script}'`));
    const server = contenderOf("cpp:reactor-epoll", "head", { base: own, head });
    const row = { metric: "systemCalls", messages: 25 } as const;
    const text = expect.stringMatching(/^strace: was killed by SIGKILL during the load/);
    expect(await countOne(row, server, { host, signal, cpus: chooseCpus() })).toEqual({
      ...{ kind: "died", text },
    });
  });

  it.skipIf(!sharesCpu)(
    "gives servers that are to be saturated a part of their CPU",
    {
      timeout: 120_000,
    },
    async () => {
      const listening = new ListeningHost();
      const loads = tiny.loads.map((row) => ({
        ...row,
        ...({ workload: "echo-capacity", ratePerSecond: null, metrics: ["throughput"] } as const),
        ...{ pairs: 1, attempts: 1, plantedPercent: 10, together: false },
      }));
      const profile = { ...tiny, loads, exact: [] };
      const request = { trees: same, profile, seed: 1, asked: ["throughput"], folder };
      const context = { host: listening, signal, cpus: chooseCpus() };
      const { cells } = await runGate(request, { context, onProgress: () => {} });
      const shares = cells.map(({ metric, cpuShare }) => [metric, cpuShare]);
      expect(shares).toEqual([["throughput", capacityCpuShare]]);
      const groups = [...new Set(listening.groups)];
      expect(groups).toHaveLength(2); // of the servers, and of the program that uses up the rest
      expect(groups.filter((path) => existsSync(path))).toEqual([]);
    },
  );

  it("refuses to compare with a base that does not serve", { timeout: 120_000 }, async () => {
    // It can be counted, and then never serves a load.
    const root = treeAround(
      `case "$(cat /proc/$PPID/comm)" in strace) exec ${own.echoServer} "$@";; esac; exit 7`,
    );
    await expect(gate({ base: pathsOf(root), head: own }, withAttempts(4))).rejects.toThrow(
      CannotCompare,
    );
  });

  it("is not trustworthy if no tool can count", async () => {
    const base = pathsOf(treeAround("exit 7"));
    const { outcome, controls, notes } = await gate({ base, head: own });
    expect(outcome).toBe("untrustworthy");
    expect(controls.map((one) => controlText(one).detail)[0]).toMatch(/install strace/);
    expect(notes.map((note) => noteText(note))[0]).toMatch(/could not be counted/);
  });
});

function withAttempts(attempts: number): GateProfile {
  const loads = tiny.loads.map((row) => ({ ...row, pairs: attempts, attempts }));
  return { ...tiny, loads, exact: tiny.exact };
}

function git(root: string, ...argv: readonly string[]): string {
  const author = ["-c", "user.name=a", "-c", "user.email=a@example.invalid"];
  return execFileSync("git", ["-C", root, ...author, ...argv], { encoding: "utf8" }).trim();
}

/** A repository that builds in no time. */
function repository(): string {
  const root = join(folder, "repository");
  mkdirSync(root);
  git(root, "init", "-q");
  writeFileSync(join(root, "package.json"), "{}\n");
  writeFileSync(
    join(root, "build.mjs"),
    [
      'import { mkdirSync, writeFileSync } from "node:fs";',
      'for (const path of ["build/Release", "dist/bench/contenders"]) {',
      "  mkdirSync(new URL(path, import.meta.url), { recursive: true });",
      "}",
      'writeFileSync(new URL("build/Release/echo-server", import.meta.url), "");',
      'writeFileSync(new URL("dist/bench/contenders/serve.js", import.meta.url), "");',
      "",
    ].join("\n"),
  );
  git(root, "add", ".");
  git(root, "commit", "-q", "-m", "first");
  return root;
}

const commitOf = (root: string, name = "HEAD") => git(root, "rev-parse", name).slice(0, 12);

describe("the commits", () => {
  const resolve = (
    root: string,
    base: string,
    head: string | null = null,
    written: readonly (string | null)[] = [],
  ) => resolveRevisions(root, { base, head, written }, { host, signal });

  it("are found by any name that git knows", async () => {
    const root = repository();
    git(root, "tag", "-a", "v1", "-m", "v1");
    const first = commitOf(root);
    git(root, "commit", "-q", "--allow-empty", "-m", "second");
    expect(await resolve(root, "v1")).toEqual({
      base: { name: "v1", commit: first },
      head: { name: "HEAD", commit: commitOf(root) },
    });
  });

  it("are refused where base and head are one, by whatever name", async () => {
    const root = repository();
    git(root, "tag", "v1");
    await expect(resolve(root, "v1")).rejects.toThrow(/--base: "v1" is the head itself/);
  });

  it("are refused in a clone that is too shallow, with what to do about it", async () => {
    const root = repository();
    git(root, "commit", "-q", "--allow-empty", "-m", "second");
    const shallow = join(folder, "shallow");
    git(folder, "clone", "-q", "--depth", "1", `file://${root}`, shallow);
    await expect(resolve(shallow, "HEAD~1")).rejects.toThrow(/shallow.*git fetch --unshallow/);
  });

  it("are refused if one is missing, with the name", async () => {
    const root = repository();
    await expect(resolve(root, "nowhere")).rejects.toThrow(/--base: no commit "nowhere"/);
    await expect(resolve(root, "HEAD", "-x")).rejects.toThrow(/--head: no commit "-x"/);
    await expect(resolve(root, "HEAD:build.mjs")).rejects.toThrow(UsageError);
  });

  it("are refused where changes are uncommitted, unless a head is named", async () => {
    const root = repository();
    writeFileSync(join(root, "new.txt"), "");
    await expect(resolve(root, "HEAD")).rejects.toThrow(
      /uncommitted changes \(1 file\).*--head HEAD/,
    );
    git(root, "commit", "-q", "--allow-empty", "-m", "second");
    expect((await resolve(root, "HEAD~1", "HEAD")).head.commit).toBe(commitOf(root));
  });

  it("may have the results of earlier runs beside them", async () => {
    const root = repository();
    git(root, "commit", "-q", "--allow-empty", "-m", "second");
    const [reports, history] = [join(root, "my reports"), join(root, "history.jsonl")];
    mkdirSync(reports);
    writeFileSync(join(reports, "report.html"), "");
    writeFileSync(history, "");
    const written = [reports, history, folder, null, join(root, "not made yet")];
    expect((await resolve(root, "HEAD~1", null, written)).head.commit).toBe(commitOf(root));
    writeFileSync(join(root, "new.txt"), "");
    await expect(resolve(root, "HEAD~1", null, written)).rejects.toThrow(/\(1 file\)/);
  });

  it("may have the results of earlier runs among them, in the top folder", async () => {
    const root = repository();
    git(root, "commit", "-q", "--allow-empty", "-m", "second");
    for (const _ of [1, 2]) leaveGate(gateResult(), root);
    expect((await resolve(root, "HEAD~1", null, [root])).head.commit).toBe(commitOf(root));
    mkdirSync(join(root, "0-regression-tests"));
    writeFileSync(join(root, "0-regression-tests", "new.txt"), "");
    await expect(resolve(root, "HEAD~1", null, [root])).rejects.toThrow(/\(1 file\)/);
  });

  it("are refused outside a repository", async () => {
    const nowhere = join(folder, "nowhere");
    mkdirSync(nowhere);
    await expect(resolve(nowhere, "HEAD")).rejects.toThrow(/not a git clone of io-selectors/);
  });
});

describe("the worktrees", () => {
  const revision = (root: string) => ({ name: "HEAD", commit: commitOf(root) });

  it("are built outside the repository, and leave nothing", async () => {
    const root = repository();
    const worktrees = new Worktrees(root, { host, signal });
    const tree = await worktrees.build("base", revision(root));
    expect(tree.startsWith(root)).toBe(false);
    expect(existsSync(join(tree, "build", "Release", "echo-server"))).toBe(true);
    await worktrees.remove();
    expect(existsSync(worktrees.folder)).toBe(false);
    expect(git(root, "worktree", "list").split("\n")).toHaveLength(1);
    expect(git(root, "status", "--porcelain")).toBe("");
  });

  it("are forgotten by a run that ends at once", () => {
    const root = repository();
    const worktrees = new Worktrees(root, { host, signal });
    const atExit = process.listeners("exit").at(-1);
    git(root, "worktree", "add", "--quiet", "--detach", join(worktrees.folder, "base"));
    atExit?.(0);
    expect(existsSync(worktrees.folder)).toBe(false);
    expect(git(root, "worktree", "list").split("\n")).toHaveLength(1);
  });

  it("take away what a killed run has left, and nothing of one that lives", async () => {
    const gone = spawnSync(process.execPath, ["-e", "0"]).pid;
    const left = join(tmpdir(), `io-selectors-regression-${gone}-left`);
    const alive = join(tmpdir(), `io-selectors-regression-${process.pid}-alive`);
    for (const path of [left, alive]) mkdirSync(path);
    try {
      const worktrees = new Worktrees(repository(), { host, signal });
      expect([existsSync(left), existsSync(alive)]).toEqual([false, true]);
      await worktrees.remove();
    } finally {
      for (const path of [left, alive]) rmSync(path, { recursive: true, force: true });
    }
  });

  it("forget what git has linked by relative paths", async () => {
    const root = realpathSync(repository());
    const worktrees = new Worktrees(root, { host, signal });
    const tree = join(worktrees.folder, "base");
    git(root, "worktree", "add", "--quiet", "--detach", tree);
    const known = join(root, ".git", "worktrees", "base");
    // As git writes them with worktree.useRelativePaths, which older versions do not know.
    writeFileSync(join(tree, ".git"), `gitdir: ${relative(tree, known)}\n`);
    writeFileSync(join(known, "gitdir"), `${relative(known, join(tree, ".git"))}\n`);
    await worktrees.remove();
    expect([tree, known].filter((path) => existsSync(path))).toEqual([]);
  });

  it("forget those of a killed run, and no worktree of the user's that is away", async () => {
    const root = repository();
    const away = join(folder, "away");
    git(root, "worktree", "add", "--quiet", "--detach", away);
    rmSync(away, { recursive: true }); // as if its disk were not mounted
    const gone = spawnSync(process.execPath, ["-e", "0"]).pid;
    const left = join(tmpdir(), `io-selectors-regression-${gone}-left`);
    git(root, "worktree", "add", "--quiet", "--detach", join(left, "base"));
    const listed = () =>
      git(root, "worktree", "list")
        .split("\n")
        .map((line) => line.split(" ")[0])
        .sort();
    expect(listed()).toEqual([root, away, join(left, "base")].sort());
    const worktrees = new Worktrees(root, { host, signal });
    expect(existsSync(left)).toBe(false);
    await worktrees.build("base", revision(root));
    await worktrees.remove();
    expect(listed()).toEqual([root, away].sort());
  });

  it("say why a commit does not build", async () => {
    const root = repository();
    writeFileSync(
      join(root, "build.mjs"),
      'console.error("error: no such thing"); process.exit(3)',
    );
    git(root, "commit", "-aqm", "broken");
    const worktrees = new Worktrees(root, { host, signal });
    await expect(worktrees.build("base", revision(root))).rejects.toThrow(
      /base [0-9a-f]{12} does not build: exited with code 3: error: no such thing/,
    );
    writeFileSync(join(root, "build.mjs"), "");
    git(root, "commit", "-aqm", "empty");
    await expect(worktrees.build("head", revision(root))).rejects.toThrow(
      /too old: it has no build/,
    );
    git(root, "rm", "-q", "build.mjs");
    git(root, "commit", "-qm", "none");
    const more = new Worktrees(root, { host, signal });
    await expect(more.build("base", revision(root))).rejects.toThrow(
      /too old: it has no build\.mjs/,
    );
    await more.remove();
    await worktrees.remove();
    expect(git(root, "worktree", "list").split("\n")).toHaveLength(1);
  });

  it("end what a build leaves running, and say what it wrote on standard output", async () => {
    const root = repository();
    const marker = join(folder, "pid");
    const command = `setsid sleep 600 & echo $! >'${marker}'; echo "a.ts(3,1): error"; exit 2`;
    const worktrees = new Worktrees(root, { host, signal });
    const building = worktrees.buildBy("head", revision(root), { folder: "", command });
    await expect(building).rejects.toThrow(
      /head [0-9a-f]{12} does not build: exited with code 2: a\.ts\(3,1\): error$/,
    );
    expect(isAlive(Number(readFileSync(marker, "utf8")))).toBe(false);
    // The same on the server's machine, which this one stands for.
    const { file, bytes } = await worktrees.pack("base", revision(root), "");
    writeFileSync(join(folder, file), bytes);
    const remote = await RemoteTrees.open({ name: "s", host, cache: folder }, signal);
    const packed = { file, folder: "", command };
    await expect(remote.buildBy("base", revision(root), packed)).rejects.toThrow(
      /base [0-9a-f]{12} does not build on s: exited with code 2: a\.ts\(3,1\): error$/,
    );
    expect(isAlive(Number(readFileSync(marker, "utf8")))).toBe(false);
    await remote.remove();
    await worktrees.remove();
  });

  it("are built with the descriptor limit that the user has", async () => {
    const script = 'ulimit -Sn 200; exec "$0" supervise --kill-rest -- sh -c "ulimit -Sn"';
    const child = spawn("sh", ["-c", script, own.loadGenerator], { stdio: "pipe" });
    const [limit] = await once(child.stdout, "data");
    child.stdin.end();
    expect(String(limit)).toBe("200\n");
  });

  it("share dependencies, and what was built, where the lock file is the same", async () => {
    const root = repository();
    writeFileSync(join(root, ".gitignore"), "node_modules\nbuild\ndist\n");
    git(root, "add", ".");
    git(root, "commit", "-qm", "ignores");
    for (const path of ["node_modules/.cache/io-selectors", "node_modules/a-package", "dist"]) {
      mkdirSync(join(root, path), { recursive: true });
    }
    symlinkSync("a-package", join(root, "node_modules", "a-link"));
    writeFileSync(join(root, "dist", "marker.js"), "");
    for (const name of ["typescript", "dependencies"]) {
      writeFileSync(join(root, "node_modules/.cache/io-selectors", `${name}.sha256`), "stamp");
    }
    const worktrees = new Worktrees(root, { host, signal });
    const tree = await worktrees.build("base", revision(root));
    expect(readdirSync(join(tree, "node_modules")).sort()).toEqual([
      ".cache",
      "a-link",
      "a-package",
    ]);
    const stamps = join(tree, "node_modules/.cache/io-selectors");
    expect(readdirSync(stamps).sort()).toEqual(["dependencies.sha256", "typescript.sha256"]);
    expect(existsSync(join(tree, "dist", "marker.js"))).toBe(true);
    // The tree's own cache: nothing of it may reach the donor.
    writeFileSync(join(stamps, "typescript.sha256"), "other");
    const donor = join(root, "node_modules/.cache/io-selectors/typescript.sha256");
    expect(readFileSync(donor, "utf8")).toBe("stamp");
    await worktrees.remove();
    expect(existsSync(join(root, "node_modules", "a-package"))).toBe(true);
  });

  it("are given up at once when the run is to stop, with all that was building", async () => {
    const root = repository();
    const marker = join(folder, "pid");
    writeFileSync(
      join(root, "build.mjs"),
      [
        'import { spawn } from "node:child_process";',
        'import { renameSync, writeFileSync } from "node:fs";',
        'const child = spawn("sleep", ["60"]);',
        `const marker = ${JSON.stringify(marker)};`,
        // It is complete when it appears.
        'writeFileSync(marker + ".part", String(child.pid));',
        'renameSync(marker + ".part", marker);',
      ].join("\n"),
    );
    git(root, "commit", "-aqm", "slow");
    const controller = new AbortController();
    const worktrees = new Worktrees(root, { host, signal: controller.signal });
    const building = worktrees.build("base", revision(root));
    const watch = setInterval(() => existsSync(marker) && controller.abort(), 10);
    await expect(building).rejects.toThrow(Interrupted);
    clearInterval(watch);
    await worktrees.remove();
    expect(existsSync(worktrees.folder)).toBe(false);
    const pid = Number(readFileSync(marker, "utf8"));
    expect(await survivors([pid], 60_000)).toEqual([]);
  });
});

describe("the command line", () => {
  const good = join(own.root, "reports", "README.md");

  const rows: readonly (readonly [readonly string[], RegExp])[] = [
    [["regression"], /--base REF/],
    [["regression", "--base", "HEAD", "--profile", "huge"], /"huge" is not one of default, short/],
    [["regression", "--base", "HEAD", "--gate", "beauty"], /"beauty" is not one of/],
    [["regression", "--base", "no-such-commit"], /no commit "no-such-commit"|not a git clone/],
    [["regression", "--base", "HEAD", "--json", "--annotate"], /exclude one another/],
    [["compare"], /two files/],
    [["compare", "a.json", "b.json", "--json", "--annotate"], /exclude one another/],
    [["compare", "a.json", "b.json"], /cannot read "a\.json"/],
    [["compare", good, good], /not JSON/],
    [["trend"], /one file/],
    [["trend", "nowhere.jsonl"], /no such file or directory, open 'nowhere\.jsonl'/],
  ];
  let said: readonly Said[] = [];
  beforeAll(async () => {
    said = await commandLines(rows.map(([argv]) => argv));
  });

  it.each(rows.map(([argv, message], index) => [argv, message, index] as const))(
    "refuses %j with exit code 2",
    (_argv, message, index) => {
      const { status, stderr = "", stdout } = said[index] ?? {};
      expect(stderr).toMatch(message);
      expect([status, stdout]).toEqual([2, ""]);
      expect(stderr.trim().split("\n")).toHaveLength(1);
    },
  );

  it("adds nothing to a file that is no history", async () => {
    const file = join(folder, "no-history.json");
    const results = join(own.root, "reports", "reference", "default", "results.json");
    writeFileSync(file, "{}\n");
    const [told] = await commandLines([["trend", file, "--add", results]]);
    expect(told?.status).toBe(2);
    expect(readFileSync(file, "utf8")).toBe("{}\n");
  });

  it("adds a run once, and only if the page can be written", async () => {
    const file = join(folder, "trend", "history.jsonl");
    const add = ["trend", file, "--add", join(own.root, "reports", "reference", "default")];
    const [refused, first, again] = await commandLines([[...add, "--page", folder], add, add]);
    expect(refused).toMatchObject({ status: 2, stdout: "" });
    expect(refused?.stderr).toMatch(/--page: cannot write to "[^"]+": it is a folder/);
    expect(first).toMatchObject({ status: 0, stdout: expect.stringContaining("1 run") });
    expect(again).toMatchObject({ status: 0, stdout: first?.stdout });
    expect(again?.stderr).toMatch(/has the run of .*: nothing is added/);
    expect(readFileSync(file, "utf8").match(/\n/g)).toHaveLength(1);
  });

  it("refuses empty, truncated and foreign results", async () => {
    const text = {
      empty: "",
      truncated: '{"schemaVersion": 1, "pro',
      foreign: '{"schemaVersion": 9}',
      verdict: '{"schemaVersion": 1, "kind": "regression"}',
    };
    const lines = Object.entries(text).map(([name, content]) => {
      const file = join(folder, `${name}.json`);
      writeFileSync(file, content);
      return ["compare", file, file];
    });
    const outcomes = await commandLines(lines);
    expect(outcomes).toHaveLength(4);
    for (const { status, stderr } of outcomes) {
      expect(stderr).toMatch(/empty|truncated|foreign|a verdict of the gate/);
      expect(status).toBe(2);
    }
  });
});
