// The gate's command on an Express server, in a repository that the test makes and whose builds
// install Express: a commit that breaks an answer fails, 5 % more CPU is a regression, and a header
// more is none. It takes a quiet machine and minutes, and runs if GATE_VERDICTS=true.

import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { foreignProfile, foreignTrees } from "../bench/gate/foreign.ts";
import { gateProfiles } from "../bench/gate/profiles.ts";
import type { GateResult } from "../bench/gate/result.ts";
import { chooseCpus } from "../bench/host/cpus.ts";
import { LocalHost } from "../bench/host/local.ts";
import { packagePaths } from "../bench/paths.ts";
import { helloServer } from "./hello-server.ts";
import { nanosecondsOf } from "./regression/planted-share.ts";
import { nanosecondsMore } from "./regression/planted-tree.ts";

const verdicts = process.env["GATE_VERDICTS"] !== undefined;
const cli = join(packagePaths().root, "bin", "io-selectors.js");
const scale = { connections: 100, ratePerSecond: 800 };
let folder = "";
let repository = "";
const host = new LocalHost();
/** Why Express is not here; null once it is. */
let missing: string | null = null;

const install = "npm install --no-audit --no-fund --prefer-offline";
const build = "npm ci --no-audit --no-fund --prefer-offline";

const git = (...words: readonly string[]) => execFileSync("git", ["-C", repository, ...words]);

function serverText(answer: string, more = ""): string {
  return [
    'import express from "express";',
    "const app = express();",
    `app.get("/", (request, response) => { ${answer} });`,
    'app.listen(Number(process.argv[2]), "127.0.0.1");',
    more,
  ].join("\n");
}

function commit(name: string, text: string): void {
  git("switch", "--quiet", "--create", name, "main");
  writeFileSync(join(repository, "server.mjs"), text);
  git("commit", "--quiet", "--all", "--message", name);
}

beforeAll(() => {
  if (!verdicts) return;
  folder = mkdtempSync(join(tmpdir(), "io-selectors-express-"));
  repository = join(folder, "repository");
  execFileSync("git", ["init", "--quiet", "--initial-branch", "main", repository]);
  git("config", "user.email", "test@example.org");
  git("config", "user.name", "test");
  writeFileSync(join(repository, ".gitignore"), "node_modules\nreports\ntrial\n");
  writeFileSync(join(repository, "package.json"), '{ "private": true, "type": "module" }');
  writeFileSync(join(repository, "server.mjs"), serverText('response.send("hello");'));
  try {
    execFileSync("sh", ["-c", `${install} express`], { cwd: repository, stdio: "pipe" });
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? error);
    missing = `npm could not install express: ${said.trim().split("\n")[0]}`;
    return;
  }
  git("add", ".");
  git("commit", "--quiet", "--message", "a server");
  commit("header", serverText('response.set("x-added", "yes"); response.send("hello");'));
  commit("broken", serverText('response.send("no");'));
}, 120_000);

afterAll(() => {
  host.killAll();
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

/** The command as a user types it. */
async function gate(head: string, ...words: readonly string[]) {
  const argv = ["regression", "--base", "main", "--head", head, "--build", build];
  const load = ["--connections", String(scale.connections), "--rate", String(scale.ratePerSecond)];
  const asked = ["--command", "node server.mjs {port}", "--protocol", "http", "--path", "/"];
  const kept = ["--expect-body", "hello", "--out", join(folder, "reports"), "--json"];
  const all = [cli, ...argv, ...asked, ...load, ...kept, ...words];
  return await new Promise<{ code: number; result: GateResult }>((resolve, reject) => {
    const child = execFile(process.execPath, all, { cwd: repository }, (_error, text, said) => {
      const code = child.exitCode ?? -1;
      if (text === "") reject(new Error(`exit code ${code}: ${said}`));
      else resolve({ code, result: JSON.parse(text) as GateResult });
    });
  });
}

const cpuOf = ({ cells }: GateResult) =>
  cells.find(({ metric }) => metric === "serverCpuPerMessage");

describe.runIf(verdicts)("the gate on an Express server", () => {
  it("says failed where a commit breaks an answer, and quotes it", async ({ skip }) => {
    if (missing !== null) skip(missing);
    const { code, result } = await gate("broken", "--profile", "short");
    expect(code).toBe(1);
    expect(result.outcome).toBe("regression");
    expect(cpuOf(result)?.verdict).toBe("failed");
    expect(cpuOf(result)?.reason).toMatch(/byte 0 of the body on is "no", expected "hello"/);
  }, 300_000);

  it("says pass where a commit adds a header", async ({ skip }) => {
    if (missing !== null) skip(missing);
    const { code, result } = await gate("header");
    const { first, verdict } = cpuOf(result) ?? {};
    console.log(`header: ${verdict} ${JSON.stringify(first)}`);
    expect({ code, verdict, outcome: result.outcome }).toEqual({
      ...{ code: 0, verdict: "same", outcome: "pass" },
    });
  }, 900_000);

  it("says regression where a commit adds 5 % CPU", async ({ skip }) => {
    if (missing !== null) skip(missing);
    commit("expensive", await expensiveBy(0.05));
    const { code, result } = await gate("expensive");
    const { first, verdict } = cpuOf(result) ?? {};
    console.log(`5 %: ${verdict} ${JSON.stringify(first)}`);
    expect({ code, verdict, outcome: result.outcome }).toEqual({
      ...{ code: 1, verdict: "regression", outcome: "regression" },
    });
  }, 900_000);
});

/** A server that costs this share more per request here and now. */
async function expensiveBy(share: number): Promise<string> {
  const textOf = (nanoseconds: number) => {
    const { call, definition } = nanosecondsMore(nanoseconds);
    return serverText(`${call} response.send("hello");`, definition);
  };
  const server = helloServer("server.mjs {port}", { ...scale, plantedPercent: 10 });
  const [load] = gateProfiles.flatMap((profile) => foreignProfile(profile, server).loads);
  if (load === undefined) throw new Error("no load in any profile of the gate");
  // Below the repository, so that it finds the same Express.
  const trial = join(repository, "trial");
  mkdirSync(trial);
  const treesOf = (nanoseconds: number) => {
    writeFileSync(join(trial, "server.mjs"), textOf(nanoseconds));
    const head = nanoseconds === 0 ? repository : trial;
    return foreignTrees(server, { base: repository, head }, packagePaths());
  };
  git("switch", "--quiet", "main");
  const signal = new AbortController().signal;
  const context = { host, signal, cpus: chooseCpus() };
  const planting = { load, usualNs: 100_000, treesOf, context };
  const onProgress = () => {};
  return textOf(await nanosecondsOf(share, { ...planting, onProgress, say: console.log }));
}
