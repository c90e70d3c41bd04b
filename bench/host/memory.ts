// Memory as it is while a round runs: the proportional set size of a process and all its
// descendants (smaps_rollup, proc(5)), and what the kernel holds (meminfo: Slab, KernelStack,
// PageTables; sockstat: buffers). Enters: pids. Leaves: bytes; null where the platform does not
// tell.

import { readdirSync } from "node:fs";
import { type ReadText, readText } from "./kernel-files.ts";

export interface MemorySample {
  /** Of the server's whole tree, and of the load generator's. */
  readonly serverBytes: number | null;
  readonly clientBytes: number | null;
  /** Of the whole machine: only differences mean something. */
  readonly kernelBytes: number | null;
}

/** Takes the kernel's first: it is quick, and changes first when connections close. */
export function sampleMemory(serverPid: number, clientPid: number | null): MemorySample {
  const kernelBytes = kernelMemory(readText);
  return {
    kernelBytes,
    serverBytes: treeMemory(serverPid),
    clientBytes: clientPid === null ? null : treeMemory(clientPid),
  };
}

/** Pure but for the reader. */
export function kernelMemory(read: ReadText): number | null {
  const meminfo = read("/proc/meminfo");
  if (meminfo === null) return null;
  const parts = ["Slab", "KernelStack", "PageTables"].map(
    (name) => kilobytesOf(meminfo, name) ?? 0,
  );
  const pages = [...(read("/proc/net/sockstat")?.matchAll(/ mem (\d+)/g) ?? [])];
  const buffers = pages.reduce((sum, [, count]) => sum + Number(count) * pageBytes, 0);
  return parts.reduce((sum, part) => sum + part, 0) + buffers;
}

/** sockstat counts in pages; every platform that we measure on has this size or tells nothing. */
const pageBytes = 4096;

/** Null where not even the root tells: another platform, another user's process. */
export function treeMemory(root: number, read: ReadText = readText): number | null {
  let total: number | null = null;
  const pids = [root];
  for (const pid of pids) {
    const rollup = read(`/proc/${pid}/smaps_rollup`);
    const bytes = rollup === null ? null : kilobytesOf(rollup, "Pss");
    if (bytes !== null) total = (total ?? 0) + bytes;
    pids.push(...childrenOf(pid, read));
  }
  return total;
}

function childrenOf(pid: number, read: ReadText): number[] {
  return threadsOf(pid).flatMap((thread) =>
    (read(`/proc/${pid}/task/${thread}/children`) ?? "")
      .split(" ")
      .filter((text) => text !== "")
      .map(Number),
  );
}

/** Few of our servers fork from a second thread; ten thousand threads are not all asked. */
const mostThreadsAsked = 64;

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).slice(0, mostThreadsAsked);
  } catch {
    return [];
  }
}

function kilobytesOf(text: string, name: string): number | null {
  const found = text.match(new RegExp(`^${name}:\\s+(\\d+) kB`, "m"))?.[1];
  return found === undefined ? null : Number(found) * 1024;
}
