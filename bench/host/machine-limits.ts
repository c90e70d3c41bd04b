// Reads the limits that limits.ts judges, in one go. proc(5), getrlimit(2), capabilities(7).

import {
  listNames,
  parseLimit,
  type ReadText,
  readCgroup,
  readNumber,
  readResourceLimit,
  readText,
} from "./kernel-files.ts";
import type { MachineLimits } from "./limits.ts";

/** Reads this machine's limits. */
export function readMachineLimits(
  read: ReadText = readText,
  list: (folder: string) => readonly string[] = listNames,
): MachineLimits {
  const status = read("/proc/self/status");
  const sysctlNumber = (path: string) => readNumber(read, `/proc/sys/${path}`);
  return {
    openFiles: readResourceLimit(read, "Max open files"),
    processes: readResourceLimit(read, "Max processes"),
    mayRaise: hasCapability(status, capSysResource),
    processesExempt:
      userIdOf(status) === "0" ||
      hasCapability(status, capSysResource) ||
      hasCapability(status, capSysAdmin),
    portRange: parsePortRange(read("/proc/sys/net/ipv4/ip_local_port_range")),
    openFilesCeiling: sysctlNumber("fs/nr_open"),
    pidMax: sysctlNumber("kernel/pid_max"),
    threadsMax: sysctlNumber("kernel/threads-max"),
    maxMapCount: sysctlNumber("vm/max_map_count"),
    somaxconn: sysctlNumber("net/core/somaxconn"),
    cgroupProcesses: cgroupProcessesOf(read),
    threads: parseLimit(read("/proc/loadavg")?.match(/\/(\d+)/)?.[1]),
    userThreads: countUserThreads(read, list("/proc")),
    machineFiles: machineFilesOf(read),
    trackedConnections: trackedOf(read),
    availableMemoryBytes: availableMemoryOf(read),
  };
}

/** Allocated, free, and the most there may be. proc_sys_fs(5) */
function machineFilesOf(read: ReadText): MachineLimits["machineFiles"] {
  const [used, , limit] = (read("/proc/sys/fs/file-nr") ?? "").split(/\s+/).map(parseLimit);
  return used == null || limit == null ? null : { limit, used };
}

/** The kernel's module has the files; nothing is tracked until a firewall's rule asks for it. */
function trackedOf(read: ReadText): MachineLimits["trackedConnections"] {
  const limit = readNumber(read, "/proc/sys/net/netfilter/nf_conntrack_max");
  const used = readNumber(read, "/proc/sys/net/netfilter/nf_conntrack_count");
  return limit === null || !used ? null : { limit, used };
}

function availableMemoryOf(read: ReadText): number | null {
  const kilobytes = read("/proc/meminfo")?.match(/^MemAvailable:\s+(\d+) kB/m)?.[1];
  if (kilobytes === undefined) return null;
  const files = (v2: string, v1: string) => readCgroup(read, { controller: "memory", v2, v1 });
  const used = files("memory.current", "memory.usage_in_bytes").map(parseLimit);
  const cached = files("memory.stat", "memory.stat").map(cachedIn);
  const left = files("memory.max", "memory.limit_in_bytes").map((text, index) => {
    const limit = parseLimit(text) ?? Number.POSITIVE_INFINITY;
    return limit - Math.max(0, (used[index] ?? 0) - (cached[index] ?? 0));
  });
  return Math.max(0, Math.min(Number(kilobytes) * 1024, ...left));
}

/** Cached files, which the kernel drops before a group is at its limit. In v1 with children. */
function cachedIn(stat: string): number {
  const found = (prefix: string) => [
    ...stat.matchAll(new RegExp(`^${prefix}(?:in)?active_file (\\d+)`, "gm")),
  ];
  const whole = found("total_");
  const lines = whole.length > 0 ? whole : found("");
  return lines.reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}

/** Bits of capabilities(7). Root in a container often lacks both. */
const capSysAdmin = 21n;
const capSysResource = 24n;

function hasCapability(status: string | null, bit: bigint): boolean {
  const effective = status?.match(/^CapEff:\s*([0-9a-f]+)/m)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> bit) & 1n) === 1n;
}

function parsePortRange(text: string | null): MachineLimits["portRange"] {
  const [first, last] = (text ?? "").split(/\s+/).map(parseLimit);
  return first == null || last == null ? null : { first, last };
}

/** Among our group and all above it, the one that has the fewest processes left. */
function cgroupProcessesOf(read: ReadText): MachineLimits["cgroupProcesses"] {
  const files = (name: string) => readCgroup(read, { controller: "pids", v2: name, v1: name });
  const used = files("pids.current").map(parseLimit);
  const groups = files("pids.max").map((text, index) => ({
    limit: parseLimit(text) ?? Number.POSITIVE_INFINITY,
    used: used[index] ?? 0,
  }));
  const [tightest] = groups
    .filter(({ limit }) => Number.isFinite(limit))
    .sort((left, right) => left.limit - left.used - (right.limit - right.used));
  return tightest ?? null;
}

/** Threads of all processes with our real user id: what RLIMIT_NPROC counts. */
function countUserThreads(read: ReadText, names: readonly string[]): number | null {
  const own = userIdOf(read("/proc/self/status"));
  if (own === undefined) return null;
  return names
    .filter((name) => /^\d+$/.test(name))
    .map((id) => read(`/proc/${id}/status`))
    .filter((status) => userIdOf(status) === own)
    .reduce((sum, status) => sum + Number(status?.match(/^Threads:\s*(\d+)/m)?.[1] ?? 0), 0);
}

function userIdOf(status: string | null): string | undefined {
  return status?.match(/^Uid:\s*(\d+)/m)?.[1];
}
