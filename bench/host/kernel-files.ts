// The small text files in which Linux describes itself: procfs, sysfs, cgroups. proc(5),
// cgroups(7). A file that is missing (another platform, a container that hides it) is null. The
// reader is a parameter, so that tests can invent machines.

import { readdirSync, readFileSync } from "node:fs";

/** A file's text without the white space around it; null if it cannot be read. */
export type ReadText = (path: string) => string | null;

export const readText: ReadText = (path) => {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
};

let knownPageBytes: number | null = null;

/** The kernel's page size, by the entry AT_PAGESZ of proc_pid_auxv(5); 4096 if it is not there. */
export function pageBytes(): number {
  knownPageBytes ??= readPageBytes();
  return knownPageBytes;
}

function readPageBytes(): number {
  const AT_PAGESZ = 6n;
  try {
    const entries = new BigUint64Array(new Uint8Array(readFileSync("/proc/self/auxv")).buffer);
    for (let at = 0; at + 1 < entries.length; at += 2) {
      if (entries[at] === AT_PAGESZ) return Number(entries[at + 1]);
    }
  } catch {
    // Not Linux, or 32-bit entries.
  }
  return 4096;
}

/** The names in a folder; none if it cannot be read. */
export function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A file that holds one number. "max" and "unlimited" are Infinity. */
export function readNumber(read: ReadText, path: string): number | null {
  return parseLimit(read(path));
}

/** A number as the kernel writes it; null for other text. "max" and "unlimited" are Infinity. */
export function parseLimit(text: string | null | undefined): number | null {
  if (text === null || text === undefined) return null;
  if (text === "max" || text === "unlimited") return Number.POSITIVE_INFINITY;
  return /^\d+$/.test(text) ? Number(text) : null;
}

/** A resource limit of this process. getrlimit(2) */
export interface ResourceLimit {
  readonly soft: number | null;
  readonly hard: number | null;
}

/** @param label its name in /proc/self/limits, such as "Max open files". */
export function readResourceLimit(read: ReadText, label: string): ResourceLimit {
  const line = read("/proc/self/limits")
    ?.split("\n")
    .find((candidate) => candidate.startsWith(label));
  const [soft, hard] = line?.slice(label.length).trim().split(/\s+/) ?? [];
  return { soft: parseLimit(soft), hard: parseLimit(hard) };
}

/** One controller's file in the two versions of cgroups: "cpu.max" or "cpu.cfs_quota_us". */
interface CgroupFile {
  readonly controller: string;
  readonly v2: string;
  readonly v1: string;
}

/** What a cgroup file holds in each group from our own up to the root; all of them bind. */
export function readCgroup(read: ReadText, file: CgroupFile): string[] {
  const groups = (read("/proc/self/cgroup") ?? "").split("\n").map((line) => line.split(":"));
  const v1 = groups.find(([, controllers]) => controllers?.split(",").includes(file.controller));
  const v2 = groups.find(([id, controllers]) => id === "0" && controllers === "");
  if (v1 !== undefined) {
    return climb(read, `/sys/fs/cgroup/${file.controller}`, v1.slice(2).join(":"), file.v1);
  }
  return v2 === undefined ? [] : climb(read, "/sys/fs/cgroup", v2.slice(2).join(":"), file.v2);
}

function climb(read: ReadText, root: string, group: string, name: string): string[] {
  const parts = group.split("/").filter((part) => part !== "" && part !== "..");
  return Array.from({ length: parts.length + 1 }, (_, above) => {
    const folder = [root, ...parts.slice(0, parts.length - above)].join("/");
    return read(`${folder}/${name}`);
  }).filter((text) => text !== null);
}
