// Memory as it is while a round runs: the proportional set size of a process and all its
// descendants (smaps_rollup, proc(5)), and what the kernel holds (meminfo: Slab, KernelStack,
// PageTables). Null if the platform does not have it.

import { type ReadText, readText } from "./kernel-files.ts";
import { childrenOf, threadsOf } from "./usage.ts";

export interface MemorySample {
  /** Each with its whole process tree. */
  readonly serverBytes: number | null;
  readonly clientBytes: number | null;
  /** The kernel memory of the whole machine: only differences have a meaning. */
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

/** Pure, except for the reader. */
export function kernelMemory(read: ReadText): number | null {
  const meminfo = read("/proc/meminfo");
  if (meminfo === null) return null;
  const parts = ["Slab", "KernelStack", "PageTables"].map(
    (name) => kilobytesOf(meminfo, name) ?? 0,
  );
  return parts.reduce((sum, part) => sum + part, 0);
}

/** Few of our servers fork from a second thread; ten thousand threads are not all asked. */
const mostThreadsAsked = 64;
/** Null if not even the root tells: another platform, another user's process. */
function treeMemory(root: number, read: ReadText = readText): number | null {
  let total: number | null = null;
  const pids = [root];
  for (const pid of pids) {
    const rollup = read(`/proc/${pid}/smaps_rollup`);
    const bytes = rollup === null ? null : kilobytesOf(rollup, "Pss");
    if (bytes !== null) total = (total ?? 0) + bytes;
    const threads = threadsOf(pid).slice(0, mostThreadsAsked);
    pids.push(...threads.flatMap((thread) => childrenOf(pid, thread, read)));
  }
  return total;
}

function kilobytesOf(text: string, name: string): number | null {
  const found = text.match(new RegExp(`^${name}:\\s+(\\d+) kB`, "m"))?.[1];
  return found === undefined ? null : Number(found) * 1024;
}
