// The environment of a run: hardware, kernel, limits, compilers, and the state of the code. A value
// that is not available is null. No host name, user name or path is in it.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { loadavg, totalmem } from "node:os";
import type { Environment } from "../model/results.ts";
import { compiledPath } from "../paths.ts";
import { governorOf, type Hardware, hardwareOf, mitigationsOf } from "./hardware.ts";
import {
  parseLimit,
  type ReadText,
  readCgroup,
  readResourceLimit,
  readText,
} from "./kernel-files.ts";
import { type Code, codeOf, type Software, softwareOf } from "./provenance.ts";

/** The environment block in full. */
export interface MachineEnvironment extends Environment, Hardware, KernelFacts, Software, Code {
  readonly memoryBytes: number;
  /** The first 16 hexadecimal digits of the addon's SHA-256. */
  readonly addonHash: string | null;
  readonly sysctls: Readonly<Record<string, string | null>>;
  /** Over 1, 5 and 15 minutes, when this was asked. */
  readonly loadAverage: readonly number[];
}

/** What the kernel's files say of any machine. */
export interface KernelFacts {
  /** Short names of the kernel's files: "spectre_v2" to what it does about it. */
  readonly mitigations: Readonly<Record<string, string>> | null;
  readonly governor: string | null;
  readonly clockSource: string | null;
  readonly cgroup: CgroupLimits;
  /** RLIMIT_NOFILE. Node raises the soft limit to the hard one as it starts. */
  readonly openFilesSoft: number | null;
  readonly openFilesHard: number | null;
}

/** The tightest limit of all groups above us; null without one. */
interface CgroupLimits {
  /** In CPUs: 1.5 is one and a half. */
  readonly cpus: number | null;
  readonly memoryBytes: number | null;
  readonly processes: number | null;
}

/**
 * Looks at this machine. Takes some tens of milliseconds, most of them for git.
 * @param root the folder of this package, for the addon and git; it does not show in the result.
 */
export function gatherEnvironment(root: string, read: ReadText = readText): MachineEnvironment {
  const hardware = hardwareOf(read);
  return {
    fingerprint: fingerprintOf(hardware, process.versions.node),
    ...hardware,
    memoryBytes: totalmem(),
    ...kernelFacts(read, hardware.logicalCores),
    ...openFilesOf(read),
    ...softwareOf(root, read),
    addonHash: hashOf(compiledPath(root, "io_selectors", ".node")),
    ...codeOf(root),
    loadAverage: loadavg().map((load) => Number(load.toFixed(2))),
  };
}

export function kernelFacts(read: ReadText, cores: number) {
  return {
    mitigations: mitigationsOf(read),
    governor: governorOf(read, cores),
    clockSource: read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
    cgroup: cgroupLimitsOf(read),
    sysctls: sysctlsOf(read),
  };
}

export function openFilesOf(read: ReadText) {
  const { soft, hard } = readResourceLimit(read, "Max open files");
  return { openFilesSoft: finite(soft), openFilesHard: finite(hard) };
}

/** Equal where figures may be compared: same hardware, kernel and Node. 16 hexadecimal digits. */
export function fingerprintOf(hardware: Hardware, node: string): string {
  const { platform, architecture, kernel, cpuModel, logicalCores } = hardware;
  const { availableCores, threadsPerCore, hypervisor } = hardware;
  const machine = [platform, architecture, kernel, cpuModel, logicalCores, availableCores];
  return digest(JSON.stringify([...machine, threadsPerCore, hypervisor, node]));
}

export function cgroupLimitsOf(read: ReadText): CgroupLimits {
  const memory = { controller: "memory", v2: "memory.max", v1: "memory.limit_in_bytes" };
  const pids = { controller: "pids", v2: "pids.max", v1: "pids.max" };
  const bytes = tightest(readCgroup(read, memory).map(parseLimit));
  return {
    cpus: tightest([...cpuQuotas(read)]),
    // Version 1 writes "no limit" as the largest number of pages.
    memoryBytes: bytes !== null && bytes < 2 ** 60 ? bytes : null,
    processes: tightest(readCgroup(read, pids).map(parseLimit)),
  };
}

/** Quota over period: version 2 has both in one file, version 1 in two, with −1 for none. */
function cpuQuotas(read: ReadText): (number | null)[] {
  const quotas = readCgroup(read, { controller: "cpu", v2: "cpu.max", v1: "cpu.cfs_quota_us" });
  const periods = readCgroup(read, { controller: "cpu", v2: "", v1: "cpu.cfs_period_us" });
  return quotas.map((text, index) => {
    const [quota, period = periods[index]] = text.split(" ");
    const [used, of] = [parseLimit(quota), parseLimit(period)];
    return used === null || of === null || of === 0 ? null : used / of;
  });
}

function tightest(limits: readonly (number | null)[]): number | null {
  return finite(Math.min(...limits.map((limit) => limit ?? Number.POSITIVE_INFINITY)));
}

/** JSON has no Infinity: no limit is null. */
function finite(limit: number | null): number | null {
  return limit !== null && Number.isFinite(limit) ? limit : null;
}

const sysctls = [
  "net.core.somaxconn",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_max_syn_backlog",
  "net.ipv4.tcp_tw_reuse",
  "kernel.pid_max",
  "kernel.threads-max",
  "kernel.io_uring_disabled",
  "vm.max_map_count",
  "fs.nr_open",
];

function sysctlsOf(read: ReadText): Record<string, string | null> {
  return Object.fromEntries(
    sysctls.map((name) => {
      const value = read(`/proc/sys/${name.replaceAll(".", "/")}`);
      return [name, value?.replace(/\s+/g, " ") ?? null];
    }),
  );
}

function hashOf(path: string): string | null {
  try {
    return digest(readFileSync(path));
  } catch {
    // Not built: the run then measures only servers from outside this repository.
    return null;
  }
}

function digest(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex").slice(0, 16);
}
