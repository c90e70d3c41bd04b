// A part of one CPU for the servers of a run: a group of cgroups(7), beside another one in which a
// program uses up the rest. A server in it is saturated while the load generator is not. Weights
// and no bandwidth limit: a limit suspends each thread of a server at the end of every period.

import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CpuShare, HostProcess, StartOptions } from "./host.ts";
import { listNames, readText } from "./kernel-files.ts";
import { isAlive } from "./processes.ts";

type StartProcess = (argv: readonly string[], options: StartOptions) => HostProcess;

const prefix = "io-selectors-";
/** Never waits. It ends with the run, at the latest. */
const burner = ["sh", "-c", "while :; do :; done"];

/** A place for groups, and the file and the default of their weights. */
interface GroupHierarchy {
  readonly means: CpuShare["means"];
  readonly folder: string;
  readonly file: string;
  readonly weight: number;
}

/** @returns null if no group with a weight can be made here: no cgroups, or no permission. */
export function makeCpuShare(share: number, start: StartProcess): CpuShare | null {
  for (const hierarchy of hierarchies()) {
    removeLeftovers(hierarchy.folder);
    const groups = makeGroups(hierarchy, share);
    if (groups !== null) return new SharedCpu(share, hierarchy.means, groups, start);
  }
  return null;
}

interface SharedGroups {
  readonly servers: string;
  readonly rest: string;
}

class SharedCpu implements CpuShare {
  readonly share: number;
  readonly means: CpuShare["means"];
  readonly #groups: SharedGroups;
  readonly #start: StartProcess;
  #holders = 0;
  #burner: HostProcess | null = null;

  constructor(share: number, means: CpuShare["means"], groups: SharedGroups, start: StartProcess) {
    this.share = share;
    this.means = means;
    this.#groups = groups;
    this.#start = start;
  }

  get path(): string {
    return this.#groups.servers;
  }

  hold(cpu: number | null): void {
    if (this.#holders++ > 0) return;
    const launch = { cpu, group: this.#groups.rest };
    this.#burner = this.#start(burner, { launch, onLine: () => {} });
  }

  release(): void {
    if (--this.#holders > 0) return;
    this.#burner?.kill("SIGKILL");
    this.#burner = null;
  }

  remove(): void {
    removeGroup(this.#groups.servers);
    removeGroup(this.#groups.rest);
  }
}

let made = 0;

function makeGroups({ folder, file, weight }: GroupHierarchy, share: number): SharedGroups | null {
  const servers = join(folder, `${prefix}${process.pid}-${made++}`);
  const rest = `${servers}-rest`;
  try {
    for (const [path, own] of [
      [servers, weight],
      [rest, Math.round((weight * (1 - share)) / share)],
    ] as const) {
      mkdirSync(path);
      // Version 2 has no such file unless the parent allows it.
      writeFileSync(join(path, file), String(own), { flag: "r+" });
    }
  } catch {
    removeGroup(servers);
    removeGroup(rest);
    return null;
  }
  return { servers, rest };
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
  for (const name of listNames(folder)) {
    const pid = Number(name.slice(prefix.length).split("-")[0]);
    if (name.startsWith(prefix) && !isAlive(pid)) removeGroup(join(folder, name));
  }
}

/** Their default weights: Documentation/scheduler/sched-design-CFS.rst and cgroup-v2.rst. */
const firstVersion = { means: "cgroup v1", file: "cpu.shares", weight: 1024 } as const;
const secondVersion = { means: "cgroup v2", file: "cpu.weight", weight: 100 } as const;

/** Where this process may have groups below it: its own group, then the root of the hierarchy. */
function hierarchies(): GroupHierarchy[] {
  const [mounts, groups] = ["/proc/self/mounts", "/proc/self/cgroup"].map((path) =>
    readText(path)?.split("\n"),
  );
  return (mounts ?? []).flatMap((line): GroupHierarchy[] => {
    const [, mount = "", type, options = ""] = line.split(" ");
    const isFirst = type === "cgroup" && options.split(",").includes("cpu");
    if (!isFirst && type !== "cgroup2") return [];
    const own = ownGroup(groups ?? [], isFirst ? "cpu" : "");
    const weights = isFirst ? firstVersion : secondVersion;
    return [...new Set([join(mount, own), mount])].map((folder) => ({ folder, ...weights }));
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
