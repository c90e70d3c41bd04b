// Which CPUs the server and the load generator get: on cores of their own if there are enough.

import { type ReadText, readText } from "./kernel-files.ts";

export interface CpuPlan {
  /** A CPU's number, or null if this platform cannot pin. */
  readonly server: number | null;
  readonly client: number | null;
  /** Whether the load generator has a core without the server: it spins there if it may. */
  readonly clientAlone: boolean;
  /** What the reader of the report must know; null if all is as it should be. */
  readonly note: string | null;
}

/** Each core as the CPUs of it that we may use. */
type Cores = readonly (readonly number[])[];

/** Not on a machine that other programs share: IO_SELECTORS_SPIN=0 says so. */
export function maySpin(): boolean {
  return process.env["IO_SELECTORS_SPIN"] !== "0";
}

/** The plan for this machine. */
export function chooseCpus(read: ReadText = readText): CpuPlan {
  const allowed = allowedCpus(read);
  if (allowed === null) {
    const note = "this platform cannot pin processes to CPUs";
    return { server: null, client: null, clientAlone: false, note };
  }
  return planCpus(groupByCore(allowed, (cpu) => siblingsOf(cpu, read)));
}

/** Pure. Takes the last cores: the first one serves most interrupts and the calling program. */
export function planCpus(cores: Cores): CpuPlan {
  const [server, client] = [cores.at(-1)?.[0], cores.at(-2)?.[0]];
  if (server !== undefined && client !== undefined) {
    return { server, client, clientAlone: true, note: null };
  }
  const [first, second] = cores[0] ?? [];
  if (first !== undefined && second !== undefined) {
    const note = "server and load generator share one core: compare with care";
    return { server: second, client: first, clientAlone: false, note };
  }
  const note = "server and load generator share one CPU: nothing can be ranked";
  return { server: first ?? null, client: first ?? null, clientAlone: false, note };
}

/** @param siblings the CPUs of a core, itself included; null if the machine does not say. */
export function groupByCore(
  allowed: readonly number[],
  siblings: (cpu: number) => readonly number[] | null,
): Cores {
  const cores = new Map<number, number[]>();
  for (const cpu of allowed) {
    const core = Math.min(...(siblings(cpu) ?? [cpu]));
    cores.set(core, [...(cores.get(core) ?? []), cpu]);
  }
  return [...cores.values()];
}

/** Pure. A kernel's list of CPUs, such as "0-3,8,10-11". */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(",")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [first = 0, last = first] = part.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** cgroups and taskset both show here: proc_pid_status(5). */
function allowedCpus(read: ReadText): number[] | null {
  const list = read("/proc/self/status")?.match(/^Cpus_allowed_list:\s*(\S+)/m)?.[1];
  return list === undefined ? null : parseCpuList(list);
}

function siblingsOf(cpu: number, read: ReadText): number[] | null {
  const text = read(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`);
  return text === null ? null : parseCpuList(text);
}
