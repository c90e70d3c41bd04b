// The catalogue of peers: what each one is called, how it is found and compiled, and what a run
// reports about it. test/servers-stress.test.ts holds those that are here to what servers do.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  compile,
  isCompiled,
  peersCache,
  programFolder,
  type Recipe,
} from "../bench/contenders/compile-peer.ts";
import { peers } from "../bench/contenders/peers.ts";
import { packagePaths } from "../bench/paths.ts";
import { parseResults } from "../bench/report/json.ts";
import { makePlan } from "../bench/run/plan.ts";
import { withoutRoot } from "../bench/run/round.ts";
import { requestOf } from "./live-data.ts";

const paths = packagePaths();
const sources = join("bench", "contenders", "peers");
const folder = mkdtempSync(join(tmpdir(), "io-selectors-peers-"));
const usualPath = process.env["PATH"] ?? "";
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the peers", () => {
  it("are in a plan only if it asks for them, beside the reference", () => {
    const usual = makePlan(requestOf({ profile: "full" }));
    expect(usual.contenders.filter(({ runtime }) => runtime === "peer")).toEqual([]);
    const asked = makePlan(requestOf({ contenders: ["peers", "node:net"] }));
    const names = asked.contenders.map(({ name }) => name);
    expect(names).toEqual(["cpp:reactor-epoll", "node:net", ...peers.map(({ name }) => name)]);
    const one = makePlan(requestOf({ contenders: ["peer:go"] }));
    expect(one.contenders.map(({ name }) => name)).toContain("peer:go");
  });

  it("give one command that installs what is missing", () => {
    const nothing = spawnSync(
      process.execPath,
      [join(paths.root, "dist", "bench", "cli.js"), "list", "--json"],
      { encoding: "utf8", env: { PATH: folder } },
    );
    const listed = JSON.parse(nothing.stdout) as { peers: { name: string; missing: string }[] };
    expect(listed.peers.map(({ name }) => name)).toEqual(peers.map(({ name }) => name));
    const { missing } = listed.peers.find(({ name }) => name === "peer:bun") ?? { missing: "" };
    expect(missing).toBe("bun is not installed; run: npm install --global bun");
    for (const { name, missing: reason } of listed.peers) {
      if (reason !== null) expect(reason, name).toMatch(/ is not installed; run: (apt-get|npm) /);
    }
  });

  it("have no source that no row uses", () => {
    const files = readdirSync(join(paths.root, sources)).filter((name) => name !== "tokio");
    const rows = readFileSync(join(paths.root, "bench", "contenders", "peers.ts"), "utf8");
    expect(files.filter((name) => !rows.includes(`"${name}"`))).toEqual([]);
  });

  it("that are missing are unavailable in a run, and it goes on", () => {
    const cli = join(paths.root, "dist", "bench", "cli.js");
    // With --steady each is measured by itself: a quarter of the CPU time of windows in turn.
    const load =
      "--connections 2 --rate 20000 --duration 0.25 --steady 0.05 --blocks 1 --budget 1".split(" ");
    const out = ["--json", "--out", join(folder, "reports")];
    const args = [cli, "--contenders", "peers", ...load, ...out];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
    const { cells, environment } = parseResults(stdout || `"${stderr}"`, "stdout");
    expect(cells).toHaveLength(peers.length + 1);
    for (const { name, missing, version } of peers) {
      const cell = cells.find(({ contender }) => contender === name);
      const reason = missing?.(paths) ?? null;
      expect(cell?.status === "unavailable", `${name}: ${cell?.reason}`).toBe(reason !== null);
      expect(cell?.status, `${name}: ${cell?.reason}`).not.toBe("failed");
      expect(cell?.mismatches).toBe(0);
      const found = (environment["peers"] as Record<string, string> | undefined)?.[name];
      expect(found ?? null, name).toBe(version?.() ?? null);
    }
    expect(status).toBe(0);
    // Each peer that is there is compiled and measured.
  }, 300_000);
});

describe("a peer's program", () => {
  const root = join(folder, "root");
  const recipe = (build: Recipe["build"]): Recipe => ({
    name: "copied",
    paths: { ...paths, root },
    tool: { program: "cp", version: "cp 1" },
    sources: ["one.txt"],
    build,
  });
  mkdirSync(join(root, sources), { recursive: true });
  writeFileSync(join(root, sources, "one.txt"), "first");
  const copying = recipe(({ program }, out) => [[program, "one.txt", out]]);
  beforeEach(() => {
    vi.stubEnv("IO_SELECTORS_CACHE", join(folder, "cache"));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it("is made once, and again when its source changes", () => {
    expect(isCompiled(copying)).toBe(false);
    expect(compile(copying)).toBeNull();
    const first = programFolder(copying);
    expect(readFileSync(join(first, "one.txt"), "utf8")).toBe("first");
    // A second call would fail, if it ran: its command is not found any more.
    vi.stubEnv("PATH", "/nowhere");
    expect(compile(copying)).toBeNull();
    vi.stubEnv("PATH", usualPath);
    writeFileSync(join(root, sources, "one.txt"), "second");
    expect(isCompiled(copying)).toBe(false);
    expect(compile(copying)).toBeNull();
    expect(readFileSync(join(programFolder(copying), "one.txt"), "utf8")).toBe("second");
    expect(existsSync(first)).toBe(true);
    // Other commands and another compiler make other programs, of the same sources.
    const flags = recipe(({ program }, out) => [[program, "--force", "one.txt", out]]);
    const newer = { ...copying, tool: { program: "cp", version: "cp 2" } };
    expect(new Set([copying, flags, newer].map(programFolder)).size).toBe(3);
  });

  it("is in the user's cache, which all clones share", () => {
    const other = join(folder, "another-clone");
    cpSync(root, other, { recursive: true });
    const there = { ...copying, paths: { ...paths, root: other } };
    expect(programFolder(there)).toBe(programFolder(copying));
    vi.stubEnv("IO_SELECTORS_CACHE", "");
    vi.stubEnv("XDG_CACHE_HOME", "/caches");
    expect(peersCache()).toBe("/caches/io-selectors/peers");
    vi.stubEnv("XDG_CACHE_HOME", "");
    vi.stubEnv("HOME", "/home/me");
    expect(peersCache()).toBe("/home/me/.cache/io-selectors/peers");
    const reason = `exec: ${peersCache()}/go-1/server: not found; ${paths.root}/x`;
    expect(withoutRoot(reason, paths)).toBe(
      "exec: ~/.cache/io-selectors/peers/go-1/server: not found; ./x",
    );
  });

  it("is not made if the cache cannot be written, and the reason says what to do", () => {
    vi.stubEnv("IO_SELECTORS_CACHE", "/dev/null/caches");
    expect(compile(copying)).toMatch(
      /^cannot compile peer:copied: .*\/dev\/null.*; set IO_SELECTORS_CACHE to a folder of yours$/,
    );
  });

  it("that does not compile leaves nothing, and the reason is what the compiler said", () => {
    cpSync(join(root, sources, "one.txt"), join(root, sources, "two.txt"));
    const failing = { ...recipe(() => [["cp", "no-such-file", "x"]]), sources: ["two.txt"] };
    const before = readdirSync(peersCache());
    const changed = { ...failing, tool: { program: "cp", version: "cp 2" } };
    expect(compile(changed)).toMatch(/^cannot compile peer:copied with cp 2: cp: .*no-such-file/);
    expect(readdirSync(peersCache())).toEqual(before);
  });
});
