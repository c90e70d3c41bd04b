// What this machine allows, in words: each limit with what it is good for, what fits at each scale,
// and the command that lifts what does not. Pure.

import {
  type Demand,
  type MachineLimits,
  mapsPerThread,
  otherMaps,
  type Shortfall,
  shortfalls,
} from "./limits.ts";

/** One limit as it stands. */
interface LimitRow {
  readonly limit: string;
  readonly value: string;
  /** What that allows, such as "at most 19,920 connections in one process". */
  readonly allows: string;
}

/** One scale and one way to serve it; `shortfalls` is empty if it fits. */
export interface FitRow {
  readonly connections: number;
  readonly model: Demand["model"];
  readonly shortfalls: readonly Shortfall[];
}

export const scales = [1_000, 10_000, 100_000, 1_000_000] as const;

/** Every limit that the kernel tells, in the order in which a growing server meets them. */
export function limitRows(machine: MachineLimits): LimitRow[] {
  const rows: (LimitRow | null)[] = [
    openFilesRow(machine),
    portsRow(machine),
    row(
      "net.core.somaxconn",
      machine.somaxconn,
      (n) => `${thousands(n)} connections wait for accept`,
    ),
    row("kernel.pid_max", machine.pidMax, (n) => `at most ${thousands(n)} threads and processes`),
    row("kernel.threads-max", machine.threadsMax, (n) => `at most ${thousands(n)} threads`),
    row("vm.max_map_count", machine.maxMapCount, (n) => {
      const threads = Math.max(0, Math.floor((n - otherMaps) / mapsPerThread));
      return `at most ${thousands(threads)} threads in one process`;
    }),
    cgroupRow(machine),
  ];
  return rows.filter((found) => found !== null);
}

/** What serves connections: one thread, a thread or a process each, or a few processes. */
export const models: readonly Demand["model"][] = ["single", "thread", "process", "prefork"];

/** What fits at each scale, by what serves a connection. */
export function fitRows(machine: MachineLimits): FitRow[] {
  return scales.flatMap((connections) =>
    models.map((model) => ({
      connections,
      model,
      shortfalls: shortfalls(machine, { connections, model }),
    })),
  );
}

/** The largest count of connections that one process and one thread can hold here. */
function mostInOneProcess(machine: MachineLimits): number {
  let [fits, tooMany] = [0, 1 << 26];
  while (tooMany - fits > 1) {
    const connections = Math.floor((fits + tooMany) / 2);
    if (shortfalls(machine, { connections, model: "single" }).length === 0) fits = connections;
    else tooMany = connections;
  }
  return fits;
}

function openFilesRow(machine: MachineLimits): LimitRow {
  const { soft, hard } = machine.openFiles;
  return {
    limit: "RLIMIT_NOFILE",
    value: `${describeLimit(soft)} soft, ${describeLimit(hard)} hard`,
    allows: `at most ${thousands(mostInOneProcess(machine))} connections in one process`,
  };
}

function portsRow({ portRange }: MachineLimits): LimitRow | null {
  if (portRange === null) return null;
  const ports = portRange.last - portRange.first + 1;
  return {
    limit: "net.ipv4.ip_local_port_range",
    value: `${portRange.first} ${portRange.last}`,
    allows:
      `${thousands(ports)} connections from one source address; ` +
      "the generator takes as many of 127.0.0.0/8 as it needs",
  };
}

function cgroupRow({ cgroupProcesses }: MachineLimits): LimitRow | null {
  if (cgroupProcesses === null) return null;
  const { limit, used } = cgroupProcesses;
  return {
    limit: "cgroup pids.max",
    value: thousands(limit),
    allows: `${thousands(Math.max(0, limit - used))} more threads and processes`,
  };
}

function row(limit: string, value: number | null, allows: (n: number) => string): LimitRow | null {
  return value === null ? null : { limit, value: thousands(value), allows: allows(value) };
}

function describeLimit(limit: number | null): string {
  return limit === null || !Number.isFinite(limit) ? "unlimited" : thousands(limit);
}

/** Always with commas, whatever the machine's locale: reports are compared between machines. */
export function thousands(number: number): string {
  return number.toLocaleString("en-US");
}
