// The environment block of another machine, which has no Node, from its kernel's files. No host
// name, user name or path is in it.

import { parseCpuList } from "./cpus.ts";
import { fingerprintOf, type KernelFacts, kernelFacts, openFilesOf } from "./environment.ts";
import { type Hardware, hypervisorOf } from "./hardware.ts";
import type { ReadText } from "./kernel-files.ts";

/** What a machine says of itself without a file: uname(2), and CPUs that are online. */
interface MachineName {
  readonly system: string;
  readonly machine: string;
  readonly kernel: string;
  readonly cpus: number;
}

/** A host of several, apart from what the suite itself was made from. */
export interface HostEnvironment extends Hardware, KernelFacts {
  readonly fingerprint: string;
  readonly memoryBytes: number;
  readonly portRange: string | null;
  readonly loadAverage: readonly number[];
}

export function hostEnvironment(name: MachineName, read: ReadText): HostEnvironment {
  const info = read("/proc/cpuinfo");
  const siblings = read("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list");
  const allowed = read("/proc/self/status")?.match(/^Cpus_allowed_list:\s*(\S+)/m)?.[1];
  const hardware: Hardware = {
    platform: name.system.toLowerCase(),
    architecture: name.machine,
    kernel: name.kernel,
    cpuModel: info?.match(/^model\sname\s*:\s*(.*)$/m)?.[1]?.trim() ?? null,
    logicalCores: name.cpus,
    availableCores: allowed === undefined ? name.cpus : parseCpuList(allowed).length,
    threadsPerCore: siblings === null ? null : parseCpuList(siblings).length,
    hypervisor: hypervisorOf(read),
  };
  const memory = read("/proc/meminfo")?.match(/^MemTotal:\s+(\d+) kB/m)?.[1];
  return {
    fingerprint: fingerprintOf(hardware, "none"),
    ...hardware,
    memoryBytes: Number(memory ?? 0) * 1024,
    ...kernelFacts(read, hardware.logicalCores),
    ...openFilesOf(read),
    portRange: read("/proc/sys/net/ipv4/ip_local_port_range")?.replace(/\s+/g, " ") ?? null,
    loadAverage: (read("/proc/loadavg") ?? "").split(" ").slice(0, 3).map(Number),
  };
}

/** The same for every process on one kernel, whatever its namespaces; null elsewhere. random(4) */
export function bootId(read: ReadText): string | null {
  return read("/proc/sys/kernel/random/boot_id");
}
