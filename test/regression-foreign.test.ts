// The gate on a repository that the test makes: a small HTTP server, a commit that makes it far
// more expensive, one that adds a header, one that breaks an answer. The planted cost is large, so
// that no timing decides; on a busy machine a verdict may stay open, but never be the opposite.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { controlText } from "../bench/gate/controls.ts";
import { foreignProfile, foreignTrees } from "../bench/gate/foreign.ts";
import { type GateOutcome, runGate } from "../bench/gate/gate.ts";
import type { GateProfile } from "../bench/gate/profiles.ts";
import { Worktrees } from "../bench/gate/worktrees.ts";
import { chooseCpus } from "../bench/host/cpus.ts";
import { LocalHost } from "../bench/host/local.ts";
import { packagePaths } from "../bench/paths.ts";
import { commandLines, type Said } from "./command-lines.ts";
import { helloServer } from "./hello-server.ts";

const cli = join(packagePaths().root, "bin", "io-selectors.js");
const host = new LocalHost();
const signal = new AbortController().signal;
let folder = "";
let repository = "";

const git = (...words: readonly string[]) =>
  execFileSync("git", ["-C", repository, ...words], { encoding: "utf8" }).trim();

const serverText = (answer: string) =>
  `import { createServer } from "node:http";\n` +
  `import { hello } from "./dist/hello.mjs";\n` +
  `createServer((request, response) => { ${answer} }).listen(+process.argv[2], "127.0.0.1");\n`;

/** By the clock: the user time of a process is made of ticks, and 3 ms of it took up to 115 ms. */
const burn = "const end = performance.now() + 3; while (performance.now() < end);";

/** Each commit is a branch of its name, made from `main`. */
const commits = {
  expensive: `${burn} response.end(hello);`,
  header: `response.setHeader("x-added", "yes"); response.end(hello);`,
  broken: `response.end("no");`,
};

const refs = ["--base", "main", "--head", "header"];

/** An io-selectors.json, the words after `regression`, and what they are refused with. */

const rows: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["{", refs, /io-selectors\.json: .*JSON/],
  ["[]", refs, /io-selectors\.json: not an object of options/],
  ['{"comand": "x"}', refs, /io-selectors\.json: unknown option "comand"; one of: base, command/],
  ['{"command": true}', refs, /"command" must be a string or a number/],
  ['{"command": ""}', refs, /io-selectors\.json: "command" is empty/],
  ['{"command": "x {port}", "tls": "yes"}', refs, /"tls" must be true or false/],
  ['{"command": "x {port}", "tls": true}', refs, /--tls needs --protocol http or request/],
  ['{"command": "x {port}", "planted-percent": 2}', refs, /planted-percent: "2" is not/],
  ['{"command": "x {port}", "rate": "fast"}', refs, /io-selectors\.json: rate: "fast" is not/],
  ['{"command": "x {port}", "path": "/"}', refs, /--path needs --protocol http$/m],
  ['{"command": "x"}', refs, /--command: no \{port\} in "x"/],
  ['{"command": "x {port}", "protocol": "http"}', ["--base", "nowhere"], /no commit "nowhere"/],
  ['{"command": "x {port}", "base": "main"}', ["--head", "main"], /is the head itself/],
  ["{}", [...refs, "--build", "make"], /--build needs --command/],
  ["{}", [...refs, "--agents", "a"], /--agents needs --command/],
  [
    '{"command": "x {port}"}',
    [...refs, "--agents", "local", "--server", "b.invalid"],
    // The second if there is no ssh.
    /^bench: b.invalid: ssh (exited with code 255: .*check its name|could not .*install an ssh)/m,
  ],
];

/** The folder of each of these files: in the commits, because a gate needs it there. */
const rowFolders = () => rows.map((_, i) => join(repository, `row-${i}`));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "io-selectors-foreign-"));
  repository = join(folder, "repository", "app");
  mkdirSync(repository, { recursive: true });
  execFileSync("git", ["init", "--quiet", "--initial-branch", "main", join(folder, "repository")]);
  git("config", "user.email", "test@example.org");
  git("config", "user.name", "test");
  writeFileSync(join(repository, "server.mjs"), serverText("response.end(hello);"));
  for (const path of rowFolders()) {
    mkdirSync(path);
    writeFileSync(join(path, ".keep"), "");
  }
  git("add", ".");
  git("commit", "--quiet", "--message", "a server");
  for (const [name, answer] of Object.entries(commits)) {
    git("switch", "--quiet", "--create", name, "main");
    writeFileSync(join(repository, "server.mjs"), serverText(answer));
    git("commit", "--quiet", "--all", "--message", name);
  }
});

afterAll(() => {
  host.killAll();
  rmSync(folder, { recursive: true, force: true });
});

const build = `mkdir dist && echo 'export const hello = "hello";' > dist/hello.mjs`;
/** A slow load warms up for 5 s whatever its rate: 20 messages/s cost half of 40. */
const load = { connections: 5, ratePerSecond: 20, plantedPercent: 300 };
const server = helloServer("server.mjs {port}", load);

const tiny: GateProfile = {
  name: "tiny",
  summary: "",
  loads: [
    {
      workload: "echo-rate",
      contenders: [],
      connections: 0,
      payloadBytes: 0,
      ratePerSecond: 0,
      metrics: ["serverCpuPerMessage"],
      pairs: 6,
      attempts: 6,
      timing: { warmupMs: 200, steadyWithinMs: 0, windows: 2, windowMs: 400 },
      together: true,
    },
  ],
  exact: [],
};

/** Three rounds that fail decide: they are more than `failuresAllowed`. */
const failing: GateProfile = {
  ...tiny,
  loads: tiny.loads.map((row) => ({ ...row, pairs: 3, attempts: 4 })),
};

async function gate(branch: keyof typeof commits, profile = tiny): Promise<GateOutcome> {
  const worktrees = new Worktrees(join(folder, "repository"), { host, signal });
  try {
    const at = { folder: "app", command: build };
    const revision = (name: string) => ({ name, commit: git("rev-parse", name).slice(0, 12) });
    const head = await worktrees.buildBy("head", revision(branch), at);
    const base = await worktrees.buildBy("base", revision("main"), at);
    const request = {
      trees: foreignTrees(server, { base, head }, host.paths),
      profile: foreignProfile(profile, server),
      seed: 1,
      asked: [],
      folder: worktrees.folder,
    };
    const context = { host, signal, cpus: chooseCpus() };
    return await runGate(request, { context, onProgress: () => {} });
  } finally {
    await worktrees.remove();
  }
}

describe.runIf(process.platform === "linux")(
  "a gate on any repository",
  { timeout: 300_000 },
  () => {
    it("says regression where a commit costs far more CPU, and states its power", async () => {
      const { cells, controls, outcome } = await gate("expensive");
      const [cell] = cells;
      expect(cell).toMatchObject({
        metric: "serverCpuPerMessage",
        contender: "server",
        gates: true,
      });
      expect(cell?.verdict, cell?.reason ?? "").not.toBe("failed");
      expect(outcome).not.toBe("pass");
      const { base, head, first, verdict } = cell ?? {};
      if (base != null && head != null) expect(head / base).toBeGreaterThan(1.5);
      if (verdict === "regression") expect(first?.detectable).toBeGreaterThan(0);
      expect(controls.map((one) => controlText(one).name)).toEqual([
        "base against base shows no change",
        "server with 300 % of its CPU time planted is detected",
      ]);
    });

    it("does not say regression where a commit adds a header", async () => {
      const { cells } = await gate("header");
      expect(["same", "unclear", "improvement", "unconfirmed"]).toContain(cells[0]?.verdict);
    });

    it("says failed where a commit breaks an answer, and quotes it", async () => {
      const { cells } = await gate("broken", failing);
      expect(cells[0]?.verdict).toBe("failed");
      expect(cells[0]?.reason).toMatch(/byte 0 of the body on is "no", expected "hello"/);
    });

    it("leaves no worktree behind", () => {
      expect(git("worktree", "list").split("\n")).toHaveLength(1);
      const left = readdirSync(tmpdir()).filter((name) =>
        name.startsWith(`io-selectors-regression-${process.pid}-`),
      );
      expect(left).toEqual([]);
    });
  },
);

describe("the command of each side", () => {
  it("runs in the tree of its commit, also behind an ampersand", () => {
    const [base, head] = ["base", "head"].map((name) => join(repository, `tree-${name}`));
    const trees = { base: base ?? "", head: head ?? "" };
    for (const path of Object.values(trees)) mkdirSync(path);
    const listing = helloServer("true & pwd; : {port}", load);
    const { server: start } = foreignTrees(listing, trees, host.paths);
    for (const [side, path] of Object.entries(trees) as ["base" | "head", string][]) {
      const command = start?.(side).command(host.paths, 1)[3] ?? "";
      const { stdout } = spawnSync("/bin/sh", ["-c", command], { cwd: "/", encoding: "utf8" });
      expect(stdout).toBe(`${path}\n`);
    }
  });
});

describe.runIf(process.platform === "linux")("the command", () => {
  let said: readonly Said[] = [];
  beforeAll(async () => {
    const folders = rowFolders();
    for (const [i, [text]] of rows.entries()) {
      writeFileSync(join(folders[i] ?? "", "io-selectors.json"), text);
    }
    const lines = rows.map(([, words]) => ["regression", ...words]);
    said = await commandLines(lines, folders);
  });

  it.each(rows.map(([text, , message], i) => [text, message, i] as const))(
    "reads io-selectors.json: %s",
    (_text, message, i) => {
      expect(said[i]?.status).toBe(2);
      expect(said[i]?.stderr).toMatch(message);
    },
  );

  it("leaves the caller's index and HEAD alone, also in a hook", () => {
    const index = join(git("rev-parse", "--absolute-git-dir"), "index");
    const state = () => `${git("ls-files", "--stage")} ${git("symbolic-ref", "HEAD")}`;
    const before = state();
    const env = { ...process.env, GIT_INDEX_FILE: index, GIT_DIR: join(repository, "..", ".git") };
    const build = "git rm -q --cached server.mjs && git checkout -q --orphan lost && false";
    const words = [cli, "regression", ...refs, "--command", "x {port}", "--build", build];
    const { status, stderr } = spawnSync(process.execPath, words, {
      ...{ cwd: repository, env, encoding: "utf8" },
    });
    expect(status).toBe(2);
    expect(stderr).toMatch(/head [0-9a-f]{12} does not build/);
    expect(state()).toBe(before);
  });

  it("says what a build that fails has said", () => {
    const options = { command: "x {port}", build: "echo broken >&2; false" };
    writeFileSync(join(repository, "io-selectors.json"), JSON.stringify(options));
    const words = [cli, "regression", ...refs];
    const { status, stderr } = spawnSync(process.execPath, words, {
      cwd: repository,
      encoding: "utf8",
    });
    expect(status).toBe(2);
    expect(stderr).toMatch(/head [0-9a-f]{12} does not build: .*broken/);
  });
});
