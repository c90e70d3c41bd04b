// The processor, and the hypervisor or container over it. proc_cpuinfo(5); cputopology, hw-vuln.

import { arch, availableParallelism, cpus, release } from "node:os";
import { parseCpuList } from "./cpus.ts";
import type { ReadText } from "./kernel-files.ts";

/** What the fingerprint covers, with Node's version. */
export interface Hardware {
  readonly platform: string;
  readonly architecture: string;
  readonly kernel: string;
  readonly cpuModel: string | null;
  readonly logicalCores: number;
  /** Those that this process may use. */
  readonly availableCores: number;
  readonly threadsPerCore: number | null;
  /** "none" on bare metal, "virtual machine" if it has no name; null if nothing tells. */
  readonly hypervisor: string | null;
}

/** The processor, and the hypervisor or container between it and this process. */
export function hardwareOf(read: ReadText): Hardware {
  const siblings = read("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list");
  return {
    platform: process.platform,
    architecture: arch(),
    kernel: release(),
    cpuModel: cpus()[0]?.model.trim() || null,
    logicalCores: cpus().length,
    availableCores: availableParallelism(),
    threadsPerCore: siblings === null ? null : parseCpuList(siblings).length,
    hypervisor: hypervisorOf(read),
  };
}

/** What DMI calls the machines of known hypervisors. */
const vendors: readonly (readonly [RegExp, string])[] = [
  [/amazon ec2/i, "Amazon EC2"],
  [/google/i, "Google Compute Engine"],
  [/microsoft/i, "Microsoft Hyper-V"],
  [/vmware/i, "VMware"],
  [/virtualbox|innotek/i, "VirtualBox"],
  [/parallels/i, "Parallels"],
  [/xen/i, "Xen"],
  [/qemu|kvm|red hat|openstack/i, "KVM"],
];

/** x86 kernels show a CPU flag, and DMI says whose; elsewhere DMI alone. Null: none known. */
export function hypervisorOf(read: ReadText): string | null {
  const info = read("/proc/cpuinfo");
  if (info === null) return null;
  const flags = info.match(/^flags\s*:(.*)$/m)?.[1];
  if (flags !== undefined && !/\bhypervisor\b/.test(flags)) return "none";
  const dmi = ["sys_vendor", "product_name", "bios_vendor"]
    .map((name) => read(`/sys/class/dmi/id/${name}`) ?? "")
    .concat(read("/sys/hypervisor/type") ?? "")
    .join(" ");
  const vendor = vendors.find(([pattern]) => pattern.test(dmi))?.[1];
  return vendor ?? (flags === undefined ? null : "virtual machine");
}

/** The files below vulnerabilities/ that are known; kernels add new ones. */
const vulnerabilities = [
  "gather_data_sampling",
  "ghostwrite",
  "indirect_target_selection",
  "itlb_multihit",
  "l1tf",
  "mds",
  "meltdown",
  "mmio_stale_data",
  "old_microcode",
  "reg_file_data_sampling",
  "retbleed",
  "spec_rstack_overflow",
  "spec_store_bypass",
  "spectre_v1",
  "spectre_v2",
  "srbds",
  "tsa",
  "tsx_async_abort",
  "vmscape",
];

/** What the kernel does about each flaw that this CPU has: it costs system calls their speed. */
export function mitigationsOf(read: ReadText): Record<string, string> | null {
  const states = vulnerabilities.flatMap((name): [string, string][] => {
    const state = read(`/sys/devices/system/cpu/vulnerabilities/${name}`);
    return state === null ? [] : [[name, state]];
  });
  if (states.length === 0) return null;
  const concerned = states.filter(([, state]) => state !== "Not affected");
  return Object.fromEntries(concerned.map(([name, state]) => [name, summarized(state)]));
}

/** "Mitigation: Retpolines; STIBP: disabled; …" is "Retpolines". */
function summarized(state: string): string {
  return (state.split(";")[0] ?? state).replace(/^Mitigation: /, "").trim();
}

/** Null if the CPU's frequency is not ours to see, as in most virtual machines. */
export function governorOf(read: ReadText, cores: number): string | null {
  const governors = Array.from({ length: cores }, (_, cpu) =>
    read(`/sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_governor`),
  ).filter((governor) => governor !== null);
  return governors.length === 0 ? null : [...new Set(governors)].join(", ");
}
