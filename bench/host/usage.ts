// CPU time, memory and context switches of processes, read from outside from the kernel's accounts.
// proc_pid_stat(5), proc_pid_schedstat, proc_stat(5); "Scheduler Statistics" of the kernel's
// documentation.

import { listNames, pageBytes, type ReadText, readText } from "./kernel-files.ts";

/** What a process and its children have used until now. */
export interface Usage {
  /** Null if it has too many children to look at without disturbing them. */
  readonly cpuNs: number | null;
  /** Resident, shared pages included. */
  readonly memoryBytes: number | null;
}

/** sched(7): a thread that waited, and one that had to leave its CPU. */
export interface Switches {
  readonly voluntary: number;
  readonly involuntary: number;
}

/** What all threads of a process have used until now. */
interface ThreadAccounts {
  readonly cpuNs: number;
  /** Ready to run, while another had the CPU. */
  readonly waitNs: number;
}

/** One process per connection is too many to look at. */
const mostChildren = 16;
const mostForkingThreads = 64;
/** USER_HZ is 100 on every architecture that Node has. */
const tickNs = 1e7;

/** Null if the process has ended, or the platform has no procfs. */
export function usageOf(pid: number, read: ReadText = readText): Usage | null {
  const own = processUsage(pid, read);
  if (own === null) return null;
  const children = childrenOf(pid, String(pid), read);
  if (children.length > mostChildren) return { cpuNs: null, memoryBytes: null };
  const all = [own, ...children.map((child) => processUsage(child, read))];
  const known = all.filter((usage) => usage !== null);
  return {
    cpuNs: known.reduce((sum, usage) => sum + usage.cpuNs, 0),
    memoryBytes: known.reduce((sum, usage) => sum + usage.memoryBytes, 0),
  };
}

/** The processes that one thread of a process has started. */
export function childrenOf(pid: number, thread: string, read: ReadText): number[] {
  const text = read(`/proc/${pid}/task/${thread}/children`) ?? "";
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map(Number);
}

/** Null if the process has ended, or the kernel keeps no such accounts. */
export function accountsOf(pid: number, read: ReadText = readText): ThreadAccounts | null {
  const lines = threadsOf(pid).map((thread) => read(`/proc/${pid}/task/${thread}/schedstat`));
  if (lines.length === 0 || lines.includes(null)) return null;
  const accounts = lines.map((line) => line?.split(" ").map(Number) ?? []);
  return accounts.reduce<ThreadAccounts>(
    (sum, [cpuNs = 0, waitNs = 0]) => ({
      cpuNs: sum.cpuNs + cpuNs,
      waitNs: sum.waitNs + waitNs,
    }),
    { cpuNs: 0, waitNs: 0 },
  );
}

/** For all threads of a process and its children; null if it has ended. 20 µs per thread. */
export function switchesOf(pid: number, read: ReadText = readText): Switches | null {
  let voluntary = 0;
  let involuntary = 0;
  let seen = 0;
  for (const process of processTree(pid, read)) {
    for (const thread of threadsOf(process)) {
      const status = read(`/proc/${process}/task/${thread}/status`) ?? "";
      const counts = /^voluntary_ctxt_switches:\s*(\d+)\nnonvoluntary_ctxt_switches:\s*(\d+)/m.exec(
        status,
      );
      if (counts === null) continue; // it has ended meanwhile
      voluntary += Number(counts[1]);
      involuntary += Number(counts[2]);
      seen++;
    }
  }
  return seen === 0 ? null : { voluntary, involuntary };
}

/** A process and the children of every thread's children, too. */
export function processTree(pid: number, read: ReadText = readText): number[] {
  const found = [pid];
  for (let at = 0; at < found.length; at++) {
    const process = found[at] as number;
    const threads = threadsOf(process);
    // A server with thousands of threads forks in its first one, if at all.
    const asked = threads.length > mostForkingThreads ? threads.slice(0, 1) : threads;
    for (const thread of asked) found.push(...childrenOf(process, thread, read));
  }
  return found;
}

/** Nanoseconds that this thread was ready and another had its CPU; null if not accounted. */
export function ownWaitNs(read: ReadText = readText): number | null {
  const field = read("/proc/self/schedstat")?.split(" ")[1];
  return field === undefined ? null : Number(field);
}

export function threadsOf(pid: number): string[] {
  return listNames(`/proc/${pid}/task`);
}

/** CPU time that the hypervisor gave to others until now, over all CPUs. */
export function stealNs(read: ReadText = readText): number | null {
  const ticks = read("/proc/stat")?.split("\n", 1)[0]?.trim().split(/\s+/)[8];
  return ticks === undefined ? null : Number(ticks) * tickNs;
}

function processUsage(pid: number, read: ReadText) {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The name before the last parenthesis may hold anything; the state follows it, field 3.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3]);
  const ticksNs = (field(14) + field(15)) * tickNs;
  // Nanoseconds are of the first thread only; ticks are of all, those that have ended included.
  const exactNs = Number(read(`/proc/${pid}/schedstat`)?.split(" ")[0] ?? 0);
  return {
    cpuNs: Math.max(exactNs, ticksNs),
    memoryBytes: field(24) * pageBytes(),
  };
}
