// What the kernel's accounts say of processes, looked at from outside. Enters: pids. Leaves:
// times in ns; null where the system does not tell. schedstat and stat in proc(5)

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Of all threads of a process until now. */
export interface Accounts {
  readonly cpuNs: number;
  /** Ready to run, while another had the CPU. */
  readonly waitNs: number;
}

export function accountsOf(pid: number): Accounts | null {
  try {
    const tasks = `/proc/${pid}/task`;
    const lines = readdirSync(tasks).map((task) =>
      readFileSync(join(tasks, task, "schedstat"), "utf8")
        .split(" ")
        .map(Number),
    );
    return lines.reduce<Accounts>(
      (sum, [cpuNs = 0, waitNs = 0]) => ({
        cpuNs: sum.cpuNs + cpuNs,
        waitNs: sum.waitNs + waitNs,
      }),
      { cpuNs: 0, waitNs: 0 },
    );
  } catch {
    return null;
  }
}

/** CPU time that the hypervisor gave to others until now, over all CPUs. */
export function stealNs(): number | null {
  try {
    const ticks = readFileSync("/proc/stat", "utf8").split("\n", 1)[0]?.trim().split(/\s+/)[8];
    return ticks === undefined ? null : Number(ticks) * nsPerTick;
  } catch {
    return null;
  }
}

/** USER_HZ is 100. */
const nsPerTick = 1e7;

export function difference(before: number | null | undefined, after: number | null | undefined) {
  return typeof before === "number" && typeof after === "number" ? after - before : null;
}
