// Results that standard output did not take whole make the command fail; a reader that leaves does
// not. The command line is run as its user runs it, by a shell.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePaths } from "../bench/paths.ts";
import { serializeResults } from "../bench/report/json.ts";
import { smallResults } from "./report-full-data.ts";

const { root } = packagePaths();
const cli = join(root, "dist", "bench", "cli.js");
const micro = join(root, "dist", "bench", "micro", "cli.js");
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
  writeFileSync(join(folder, "results.json"), serializeResults(smallResults()));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `"$node" program words` with whatever the shell makes of its standard output. */
function shell(script: string, program: string, words: readonly string[]) {
  const argv = ["-c", script, process.execPath, program, ...words];
  return spawnSync("/bin/sh", argv, { cwd: folder, encoding: "utf8" });
}

const brief = ["--duration", "0.2", "--blocks", "1", "--budget", "1"];
const load = ["--contenders", "cpp:poll", "--connections", "5", "--rate", "5000"];
const commands: Readonly<Record<string, readonly string[]>> = {
  list: ["list"],
  "list --json": ["list", "--json"],
  "--help": ["--help"],
  report: ["report", "results.json"],
  "report --form html": ["report", "results.json", "--form", "html"],
  "run --json": [...load, ...brief, "--out", "out", "--json"],
};

describe.skipIf(process.platform !== "linux")("standard output on a full disk", () => {
  it.each(Object.keys(commands))("makes `%s` fail with what is wrong", (name) => {
    const { status, stderr } = shell('exec "$0" "$@" > /dev/full', cli, commands[name] ?? []);
    expect(stderr).toMatch(/cannot write the results to standard output: ENOSPC/);
    expect(status).toBe(1);
  });

  it("makes `compare` end with 2: 1 would be a regression", () => {
    const files = ["compare", "results.json", "results.json"];
    const { status, stderr } = shell('exec "$0" "$@" > /dev/full', cli, files);
    expect(stderr).toMatch(/cannot write the results to standard output: ENOSPC/);
    expect(status).toBe(2);
  });

  it("makes bench:micro fail", () => {
    const { status, stderr } = shell('exec "$0" "$@" > /dev/full', micro, ["--help"]);
    expect(stderr).toMatch(/bench:micro: cannot write the results to standard output: ENOSPC/);
    expect(status).toBe(1);
  });

  it("is noticed where only a part of the results had room", () => {
    const blocks = 'ulimit -f 2; exec "$0" "$@" > part'; // 1,024 bytes, or 2,048: sh(1)
    const { status, stderr } = shell(blocks, cli, ["list", "--json"]);
    expect(readFileSync(join(folder, "part")).length).toBeGreaterThan(0);
    expect(stderr).toMatch(/cannot write the results to standard output: EFBIG/);
    expect(status).toBe(1);
  });
});

describe.skipIf(process.platform !== "linux")("a file that cannot be written", () => {
  it.each([
    ["report", "results.json", "--out", "/proc/none"],
    ["report", "results.json", "--out", "/proc"],
    ["trend", "history.jsonl", "--add", "results.json", "--page", "/proc/none/trend.html"],
    ["--contenders", "cpp:poll", "--out", "/proc/none"],
  ])("is refused first: %s %s %s %s", (...words) => {
    const { status, stderr } = shell('exec "$0" "$@"', cli, words);
    const [option, path] = words.slice(-2);
    expect(stderr).toContain(`${option}: cannot write to "${path}": ENOENT: no such file`);
    expect(stderr).not.toContain("tmp");
    expect(status).toBe(2);
    expect(existsSync(join(folder, "history.jsonl"))).toBe(false);
  });

  it("makes the command fail if it had no room", () => {
    const files = ["report", "results.json", "--out", "slides"];
    const { status, stderr } = shell('ulimit -f 2; exec "$0" "$@"', cli, files);
    expect(stderr).toMatch(/^bench: cannot write the results to "slides": EFBIG: file too large; /);
    expect(status).toBe(1);
  });
});

describe("a reader that leaves", () => {
  it("is no failure", () => {
    const script = '{ "$0" "$@"; echo "exit $?" >&2; } | head -c 1';
    const { stderr } = shell(script, cli, ["report", "results.json", "--form", "html"]);
    expect(stderr.trim()).toBe("exit 0");
  });
});
