// What a process holds: descriptors, threads, memory; and garbage collection on demand. Enters:
// nothing. Leaves: counts, from /proc where there is one.

import { readdirSync } from "node:fs";

/** Needs --expose-gc. Full, and at once. */
export function collect(): void {
  if (globalThis.gc === undefined) throw new Error("node --expose-gc is needed");
  globalThis.gc();
}

/** Lets finalizers, ticks and closing handles have their turn. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Of this process, the one that reads included. */
export function countDescriptors(): number {
  return readdirSync(process.platform === "linux" ? "/proc/self/fd" : "/dev/fd").length;
}

/** Of this process; 0 where the platform does not tell. */
export function countThreads(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/task").length : 0;
}
