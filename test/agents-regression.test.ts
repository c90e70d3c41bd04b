// regression under the load of other machines, over real sshds: both commits run on this machine,
// or are copied to the server's machine, built there and removed afterwards.

import { execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTrees } from "../bench/commands/regression-trees.ts";
import { foreignProfile, foreignTrees } from "../bench/gate/foreign.ts";
import { runGate } from "../bench/gate/gate.ts";
import { gateProfiles } from "../bench/gate/profiles.ts";
import { Worktrees } from "../bench/gate/worktrees.ts";
import { LocalHost } from "../bench/host/local.ts";
import { packagePaths } from "../bench/paths.ts";
import { helloServer } from "./hello-server.ts";
import { SshHosts, whyNoLogin, whyNoNamespaces } from "./ssh-hosts.ts";

const paths = packagePaths();
const noHosts = await whyNoLogin();
const noNamespaces = whyNoNamespaces();
const signal = new AbortController().signal;
const local = new LocalHost();
let machines: SshHosts;
let folder = "";

const git = (...words: readonly string[]) =>
  execFileSync("git", ["-C", join(folder, "repository"), ...words], { encoding: "utf8" }).trim();

/** It also notes below which programs it was started. */
const serverText = (answer: string) => `const { hello } = require("./built.cjs");
const { appendFileSync, readFileSync } = require("node:fs");
const above = [];
for (let pid = process.ppid; pid > 1; ) {
  above.push(readFileSync("/proc/" + pid + "/cmdline", "utf8").split("\\0"));
  pid = Number(readFileSync("/proc/" + pid + "/stat", "utf8").split(") ").pop().split(" ")[1]);
}
appendFileSync("starts", JSON.stringify(above) + "\\n");
require("node:http").createServer((request, response) => {
  response.end(${answer});
}).listen(Number(process.argv[2]), process.argv[3]);
`;
/** It also notes where it ran. sshd(8) has the third word: the address of its own machine. */
const build = `echo 'exports.hello = "hello";' > built.cjs; echo "$SSH_CONNECTION" > where # here`;

async function treesOf(options: Readonly<Record<string, unknown>>, head = "wrong") {
  const revision = (name: string) => ({ name, commit: git("rev-parse", name).slice(0, 12) });
  const repository = { root: join(folder, "repository"), folder: "app" };
  const worktrees = new Worktrees(repository.root, { host: local, signal });
  const values = { build, "ssh-config": machines.config, ...options };
  const revisions = { base: revision("main"), head: revision(head) };
  const given = { values, operands: [] } as unknown as Parameters<typeof openTrees>[0]["given"];
  const comparing = { given, revisions, repository, foreign: true };
  const trees = await openTrees(comparing, worktrees, { signal });
  const close = async () => {
    await trees.close();
    await worktrees.remove();
  };
  return { ...trees, worktrees, close };
}

/** Three pairs of one load, each as short as can be. */
async function gateOn(trees: Awaited<ReturnType<typeof treesOf>>) {
  const few = { connections: 4, ratePerSecond: 40, plantedPercent: 300 };
  const server = helloServer("server.cjs {port} {host}", few);
  const [load] = gateProfiles.flatMap(({ loads }) => loads);
  if (load === undefined) throw new Error("no load in any profile of the gate");
  const timing = { warmupMs: 100, steadyWithinMs: 0, windows: 1, windowMs: 100 };
  const loads = [{ ...load, pairs: 3, attempts: 4, timing }];
  const built = { head: await trees.build("head"), base: await trees.build("base") };
  const { host, fleet } = trees.machines;
  const request = {
    trees: foreignTrees(server, { ...built, ...fleet?.serverPrograms }, paths),
    profile: foreignProfile({ name: "tiny", summary: "", loads, exact: [] }, server),
    seed: 1,
    asked: [],
    folder: trees.worktrees.folder,
  };
  const context = { host, signal, cpus: await host.cpus() };
  return { built, outcome: await runGate(request, { context, onProgress: () => {} }) };
}

const remains = () => readdirSync(machines.cache).filter((name) => name.startsWith("regression-"));

describe.skipIf(noHosts !== null)(
  noHosts === null ? "regression over ssh" : `regression over ssh (${noHosts})`,
  { timeout: 120_000 },
  () => {
    beforeAll(async () => {
      machines = new SshHosts(noNamespaces === null);
      await machines.add({ name: "s" });
      await machines.add({ name: "a" });
      folder = mkdtempSync(join(tmpdir(), "agents-regression-"));
      const app = join(folder, "repository", "app");
      mkdirSync(app, { recursive: true });
      git("init", "--quiet", "--initial-branch", "main");
      git("config", "user.email", "test@example.org");
      git("config", "user.name", "test");
      for (const [name, answer] of Object.entries({
        main: "hello",
        wrong: '"no"',
        right: '"hello"',
      })) {
        if (name !== "main") git("switch", "--quiet", "--create", name);
        writeFileSync(join(app, "server.cjs"), serverText(answer));
        git("add", ".");
        git("commit", "--quiet", "--message", name);
      }
    });

    afterAll(async () => {
      local.killAll();
      await machines?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it("builds both commits on this machine if the server is here", async () => {
      const here = { agents: ["a"], "server-address": machines.ownAddress };
      const trees = await treesOf(here);
      try {
        const { built, outcome } = await gateOn(trees);
        expect(built.head.startsWith(trees.worktrees.folder)).toBe(true);
        expect(readFileSync(join(built.head, "where"), "utf8").trim()).toBe("");
        // The agents got the answers of both trees: those of the head are wrong.
        expect(outcome.cells[0]).toMatchObject({ contender: "server", verdict: "failed" });
      } finally {
        await trees.close();
      }
    });

    it("builds both commits on the server's machine, and leaves nothing there", async () => {
      mkdirSync(machines.cache, { recursive: true });
      // Of a run that was killed, and of one that lives.
      const killed = `regression-${hostname()}=4194304-abcdef`;
      const alive = `regression-${hostname()}=${process.pid}-abcdef`;
      // Of a machine whose name begins like this one's, and that has the same cache folder.
      const other = `regression-${hostname()}-2=4194304-abcdef`;
      for (const name of [killed, alive, other]) mkdirSync(join(machines.cache, name));
      const trees = await treesOf({ agents: ["a"], server: "s" });
      try {
        const { built, outcome } = await gateOn(trees);
        expect(existsSync(join(machines.cache, killed))).toBe(false);
        expect(built.head).toMatch(/\/cache\/regression-[^/]+\/head\/app$/);
        expect(readdirSync(join(built.head, ".."))).toEqual(["app"]);
        const [, , address] = readFileSync(join(built.base, "where"), "utf8").split(" ");
        expect(address).toBe(machines.hosts.get("s")?.address);
        expect(outcome.cells[0]).toMatchObject({ contender: "server", verdict: "failed" });
        expect(outcome.cells[0]?.reason).toMatch(/byte 0 of the body on is "no", expected "hello"/);
        // A head that fails is not compared, so that no planted cost has to be detected.
        expect(outcome.controls.map(({ code, held }) => ({ code, held }))).toEqual([
          { code: "base-itself", held: true },
        ]);
      } finally {
        await trees.close();
      }
      expect(remains().sort()).toEqual([alive, other].sort());
      for (const name of [alive, other]) rmSync(join(machines.cache, name), { recursive: true });
      expect(readdirSync(machines.cache).filter((name) => /^tree-/.test(name))).toHaveLength(2);
    });

    it("plants the cost by the load generator of the server's machine", async () => {
      const trees = await treesOf({ agents: ["a"], server: "s" }, "right");
      try {
        const { built, outcome } = await gateOn(trees);
        expect(outcome.cells[0]).toMatchObject({ contender: "server", head: expect.any(Number) });
        // Three pairs are too few to compare, and the planted server did not fail.
        expect(outcome.controls).toContainEqual(
          expect.objectContaining({
            code: "planted-cost",
            contender: "server",
            percent: 300,
            cause: { code: "few-pairs", pairs: expect.any(Number), planned: 3 },
          }),
        );
        const burners = (folder: string) =>
          readFileSync(join(folder, "starts"), "utf8")
            .trim()
            .split("\n")
            .flatMap((line) => JSON.parse(line) as string[][])
            .filter((words) => words[1] === "burn");
        const burn = ["burn", "--percent", "300"];
        const { loadGenerator } = trees.machines.fleet?.serverPrograms ?? {};
        expect(loadGenerator?.startsWith(machines.cache)).toBe(true);
        expect(burners(built.base)[0]?.slice(0, 4)).toEqual([loadGenerator, ...burn]);
        expect(burners(built.head)).toEqual([]);
      } finally {
        await trees.close();
      }
    });

    it("names the machine on which a commit does not build, and ends the build", async () => {
      const cli = join(paths.root, "bin", "io-selectors.js");
      const revisions = ["--base", "main", "--head", "wrong"];
      const build = "sleep 600 & echo no compiler; exit 3";
      const server = ["--build", build, "--command", "node x {port}", "--profile", "short"];
      const where = ["--agents", "a", "--server", "s", "--ssh-config", machines.config];
      const child = spawn(
        process.execPath,
        [cli, "regression", ...revisions, ...server, "--protocol", "http", ...where],
        { cwd: join(folder, "repository", "app"), stdio: ["ignore", "ignore", "pipe"] },
      );
      const exited = new Promise((resolve) => child.once("exit", resolve));
      const said = await text(child.stderr);
      expect(await exited).toBe(2);
      expect(said).toMatch(/server on s, which listens on/);
      // The profile "short" does not measure it.
      expect(said).not.toMatch(/memory per connection/);
      expect(said).toMatch(
        /head [0-9a-f]{12} does not build on s: exited with code 3: no compiler/,
      );
      expect(remains()).toEqual([]);
    });
  },
);

it("sends a comparison of the suite's own servers to --command", () => {
  const cli = join(paths.root, "bin", "io-selectors.js");
  const run = () =>
    execFileSync(process.execPath, [cli, "regression", "--base", "x", "--agents", "a"], {
      encoding: "utf8",
      stdio: "pipe",
    });
  expect(run).toThrow(/--agents needs --command: .*system calls are counted; .*--command '/s);
});
