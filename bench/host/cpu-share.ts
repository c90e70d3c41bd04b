// A part of one CPU for the servers of a run: a group of cgroups(7) with a bandwidth limit. A
// server that is confined to it is saturated while the load generator is not.

import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CpuShare } from "./host.ts";
import { isAlive } from "./processes.ts";

/** The kernel accepts no quota below a millisecond: the shortest period there is follows. */
const quotaUs = 1_000;
const prefix = "io-selectors-";

/** A place for groups, and how a limit is written there. */
interface Hierarchy {
  readonly means: CpuShare["means"];
  readonly folder: string;
  readonly limit: (group: string, periodUs: number) => void;
}

/** @returns null if no group with a limit can be made here: no cgroups, or no permission. */
export function makeCpuShare(share: number): CpuShare | null {
  for (const hierarchy of hierarchies()) {
    removeLeftovers(hierarchy.folder);
    const made = makeGroup(hierarchy, share);
    if (made !== null) return made;
  }
  return null;
}

let made = 0;

function makeGroup({ means, folder, limit }: Hierarchy, share: number): CpuShare | null {
  const path = join(folder, `${prefix}${process.pid}-${made++}`);
  try {
    mkdirSync(path);
    limit(path, Math.round(quotaUs / share));
  } catch {
    removeGroup(path);
    return null;
  }
  return { share, path, means, remove: () => removeGroup(path) };
}

function removeGroup(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // It has processes, or is gone.
  }
}

/** Groups of runs that were killed: their processes ended with them. */
function removeLeftovers(folder: string): void {
  for (const name of namesIn(folder)) {
    const pid = Number(name.slice(prefix.length).split("-")[0]);
    if (name.startsWith(prefix) && !isAlive(pid)) removeGroup(join(folder, name));
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Where this process may have groups below it: its own group, then the root of the hierarchy. */
function hierarchies(): Hierarchy[] {
  const [mounts, groups] = ["/proc/self/mounts", "/proc/self/cgroup"].map(linesOf);
  return (mounts ?? []).flatMap((line): Hierarchy[] => {
    const [, mount = "", type, options = ""] = line.split(" ");
    const isFirst = type === "cgroup" && options.split(",").includes("cpu");
    if (!isFirst && type !== "cgroup2") return [];
    const limit = isFirst ? limitFirst : limitSecond;
    const means = isFirst ? "cgroup v1" : "cgroup v2";
    const own = ownGroup(groups ?? [], isFirst ? "cpu" : "");
    return [...new Set([join(mount, own), mount])].map((folder) => ({ means, folder, limit }));
  });
}

/** "4:cpu,cpuacct:/user.slice" is "/user.slice"; version 2 has a line without a controller. */
function ownGroup(lines: readonly string[], controller: string): string {
  for (const line of lines) {
    const [, controllers = "", ...path] = line.split(":");
    if (controllers.split(",").includes(controller)) return path.join(":");
  }
  return "/";
}

/** Documentation/scheduler/sched-bwc.rst of the kernel. */
function limitFirst(group: string, periodUs: number): void {
  writeFileSync(join(group, "cpu.cfs_period_us"), String(periodUs));
  writeFileSync(join(group, "cpu.cfs_quota_us"), String(quotaUs));
}

/** Documentation/admin-guide/cgroup-v2.rst; there is no such file unless the parent allows it. */
function limitSecond(group: string, periodUs: number): void {
  writeFileSync(join(group, "cpu.max"), `${quotaUs} ${periodUs}`, { flag: "r+" });
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return [];
  }
}
