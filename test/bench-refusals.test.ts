// A machine that refuses what a contender needs makes the contender "unavailable", in whatever
// language it is written; "failed" is for faults of its own.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagePaths } from "../bench/paths.ts";
import { parseResults } from "../bench/report/json.ts";

const { root } = packagePaths();
const cli = join(root, "dist", "bench", "cli.js");
const withoutIoUring = join(root, "test", "programs", "without-io-uring.py");
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Whether seccomp filters can be installed here. */
function canRefuse(): boolean {
  if (process.platform !== "linux") return false;
  return spawnSync("python3", [withoutIoUring, "true"]).status === 0;
}

describe.skipIf(!canRefuse())("a machine that refuses io_uring", () => {
  it("makes every contender that needs it unavailable, and no other", () => {
    const load = "--connections 5 --rate 5000 --duration 0.2 --blocks 1 --budget 1".split(" ");
    const names = "cpp:io_uring,ts:reactor-io_uring,cpp:poll";
    const command = [process.execPath, cli, "--contenders", names, ...load, "--out", folder];
    const { stdout } = spawnSync("python3", [withoutIoUring, ...command, "--json"], {
      encoding: "utf8",
    });
    const { cells } = parseResults(stdout, "stdout");
    const byName = new Map(cells.map((cell) => [cell.contender, cell]));
    for (const name of ["cpp:io_uring", "ts:reactor-io_uring"]) {
      expect(byName.get(name)?.status, name).toBe("unavailable");
      expect(byName.get(name)?.reason, name).toMatch(/io_uring_setup/);
    }
    expect(byName.get("cpp:poll")?.status).not.toMatch(/unavailable|failed/);
  });
});
