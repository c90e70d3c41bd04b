// The group that limits servers to a part of one CPU: what runs in it gets no more than that, and
// nothing is left of it afterwards.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeCpuShare } from "../bench/host/cpu-share.ts";
import { packagePaths } from "../bench/paths.ts";

const { loadGenerator } = packagePaths();
const probe = makeCpuShare(0.5);
probe?.remove();

describe.skipIf(probe === null)("a part of a CPU", () => {
  it("is all that a process and its children get", () => {
    const group = makeCpuShare(0.25);
    if (group === null) throw new Error("no group");
    try {
      // Two processes that never wait, for a second of wall-clock time.
      const burn = "timeout 1 sh -c 'while :; do :; done'";
      const argv = [
        "launch",
        "--cgroup",
        group.path,
        "--",
        "sh",
        "-c",
        `${burn} & ${burn}; wait; times`,
      ];
      const { stdout, status } = spawnSync(loadGenerator, argv, { encoding: "utf8" });
      expect(status).toBe(0);
      // The second line has the children's user and system time: "0m0.210s 0m0.010s".
      const [user = 0, system = 0] = [
        ...(stdout.split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/g),
      ].map(([, minutes, seconds]) => 60 * Number(minutes) + Number(seconds));
      expect(user + system).toBeGreaterThan(0);
      expect(user + system).toBeLessThan(0.5);
    } finally {
      group.remove();
    }
    expect(existsSync(group.path)).toBe(false);
  });

  it("names its limit in the files of its hierarchy", () => {
    const group = makeCpuShare(0.4);
    if (group === null) throw new Error("no group");
    const read = (name: string) => readFileSync(join(group.path, name), "utf8").trim();
    const limit =
      group.means === "cgroup v1"
        ? [read("cpu.cfs_quota_us"), read("cpu.cfs_period_us")]
        : read("cpu.max").split(" ");
    expect(limit).toEqual(["1000", "2500"]);
    group.remove();
    group.remove();
  });

  it("is removed by a later run if its own was killed", () => {
    const folder = dirname(probe?.path ?? "");
    // The id of a process that has ended.
    const { pid } = spawnSync("true");
    const leftover = join(folder, `io-selectors-${pid}-0`);
    mkdirSync(leftover);
    makeCpuShare(0.5)?.remove();
    expect(existsSync(leftover)).toBe(false);
  });
});
