// What another machine is: the environment block of a host that has no Node, from its kernel's
// files. No host name, user name or path is in it.

import { parseCpuList } from "../host/cpus.ts";
import { type CgroupLimits, cgroupLimitsOf, fingerprintOf } from "../host/environment.ts";
import { governorOf, type Hardware, hypervisorOf, mitigationsOf } from "../host/hardware.ts";
import { type ReadText, readResourceLimit } from "../host/kernel-files.ts";
import type { Hello } from "./agent.ts";

/** A host of several, beside what the suite itself was made from. */
export interface HostEnvironment extends Hardware {
  readonly fingerprint: string;
  readonly memoryBytes: number;
  readonly mitigations: Readonly<Record<string, string>> | null;
  readonly governor: string | null;
  readonly clockSource: string | null;
  readonly cgroup: CgroupLimits;
  readonly openFilesSoft: number | null;
  readonly openFilesHard: number | null;
  readonly portRange: string | null;
  readonly loadAverage: readonly number[];
}

export function remoteEnvironment(hello: Hello, read: ReadText): HostEnvironment {
  const info = read("/proc/cpuinfo");
  const siblings = read("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list");
  const allowed = read("/proc/self/status")?.match(/^Cpus_allowed_list:\s*(\S+)/m)?.[1];
  const hardware: Hardware = {
    platform: hello.system.toLowerCase(),
    architecture: hello.machine,
    kernel: hello.kernel,
    cpuModel: info?.match(/^model name\s*:\s*(.*)$/m)?.[1]?.trim() ?? null,
    logicalCores: hello.cpus,
    availableCores: allowed === undefined ? hello.cpus : parseCpuList(allowed).length,
    threadsPerCore: siblings === null ? null : parseCpuList(siblings).length,
    hypervisor: hypervisorOf(read),
  };
  const memory = read("/proc/meminfo")?.match(/^MemTotal:\s+(\d+) kB/m)?.[1];
  const openFiles = readResourceLimit(read, "Max open files");
  const finite = (limit: number | null) => (Number.isFinite(limit) ? limit : null);
  return {
    fingerprint: fingerprintOf(hardware, "none"),
    ...hardware,
    memoryBytes: Number(memory ?? 0) * 1024,
    mitigations: mitigationsOf(read),
    governor: governorOf(read, hardware.logicalCores),
    clockSource: read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
    cgroup: cgroupLimitsOf(read),
    openFilesSoft: finite(openFiles.soft),
    openFilesHard: finite(openFiles.hard),
    portRange: read("/proc/sys/net/ipv4/ip_local_port_range")?.replace(/\s+/g, " ") ?? null,
    loadAverage: (read("/proc/loadavg") ?? "").split(" ").slice(0, 3).map(Number),
  };
}
