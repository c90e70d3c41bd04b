// What a process holds: descriptors, threads, memory (null without /proc); and garbage collection
// on demand.

import { readdirSync, readFileSync } from "node:fs";

/** Needs --expose-gc. Full, and at once. */
export function collect(): void {
  if (globalThis.gc === undefined) throw new Error("node --expose-gc is needed");
  globalThis.gc();
}

/** Lets finalizers, ticks and closing handles have their turn. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Of this process, the one that reads is among them. */
export function countDescriptors(pid: number | "self" = "self"): number | null {
  if (process.platform === "linux") return readdirSync(`/proc/${pid}/fd`).length;
  return pid === "self" ? readdirSync("/dev/fd").length : null;
}

export function countThreads(pid: number | "self" = "self"): number | null {
  return process.platform === "linux" ? readdirSync(`/proc/${pid}/task`).length : null;
}

/** What a process alone takes, and its share of what it shares: Pss. proc_pid_smaps(5) */
export function memoryKiB(pid: number | "self" = "self"): number | null {
  try {
    const [, kib] =
      /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")) ?? [];
    return kib === undefined ? null : Number(kib);
  } catch {
    return pid === "self" ? process.memoryUsage.rss() / 1024 : null;
  }
}

/** JavaScript's own, of this process, after a collection. */
export function heapKiB(): number {
  collect();
  collect(); // the first may leave what it has just freed
  return process.memoryUsage().heapUsed / 1024;
}
