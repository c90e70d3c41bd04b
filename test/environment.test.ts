// The environment block: invented procfs trees, and this machine's own, which must contain no name
// and nothing else that is private.

import { hostname, tmpdir, userInfo } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { cgroupLimitsOf, fingerprintOf, gatherEnvironment } from "../bench/host/environment.ts";
import { type Hardware, hardwareOf, hypervisorOf, mitigationsOf } from "../bench/host/hardware.ts";
import { hostEnvironment } from "../bench/host/host-environment.ts";
import type { ReadText } from "../bench/host/kernel-files.ts";
import { codeOf, compilerOf } from "../bench/host/provenance.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** A machine that has these files and no others. */
function machine(files: Readonly<Record<string, string>>): ReadText {
  return (path) => files[path] ?? null;
}

describe("cgroup limits", () => {
  it("are the tightest on the way up, in version 2", () => {
    const limits = cgroupLimitsOf(
      machine({
        "/proc/self/cgroup": "0::/a/b",
        "/sys/fs/cgroup/a/b/cpu.max": "max 100000",
        "/sys/fs/cgroup/a/cpu.max": "150000 100000",
        "/sys/fs/cgroup/a/b/memory.max": "4294967296",
        "/sys/fs/cgroup/a/memory.max": "max",
        "/sys/fs/cgroup/a/b/pids.max": "512",
      }),
    );
    expect(limits).toEqual({ cpus: 1.5, memoryBytes: 4_294_967_296, processes: 512 });
  });

  it("are found at the root where the path is the host's, in version 1", () => {
    const limits = cgroupLimitsOf(
      machine({
        "/proc/self/cgroup": "5:cpu,cpuacct:/docker/0123\n4:memory:/docker/0123\n0::/docker/0123",
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824",
      }),
    );
    expect(limits).toEqual({ cpus: 0.5, memoryBytes: 1_073_741_824, processes: null });
  });

  it("are null if there are none", () => {
    const none = { cpus: null, memoryBytes: null, processes: null };
    const unlimited = machine({
      "/proc/self/cgroup": "2:cpu:/\n1:memory:/",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
    });
    expect(cgroupLimitsOf(unlimited)).toEqual(none);
    expect(cgroupLimitsOf(machine({}))).toEqual(none);
  });
});

describe("hypervisor", () => {
  const flags = (text: string) => `processor\t: 0\nflags\t\t: fpu ${text} sse\n`;

  it("is none without the CPU's flag, on any machine", () => {
    const bare = { "/proc/cpuinfo": flags("vme"), "/sys/class/dmi/id/sys_vendor": "Google" };
    expect(hypervisorOf(machine(bare))).toBe("none");
  });

  it("has the name that DMI or Xen gives it", () => {
    const cpuinfo = { "/proc/cpuinfo": flags("hypervisor") };
    const dmi = (vendor: string) =>
      hypervisorOf(machine({ ...cpuinfo, "/sys/class/dmi/id/sys_vendor": vendor }));
    expect(dmi("QEMU")).toBe("KVM");
    expect(dmi("Amazon EC2")).toBe("Amazon EC2");
    expect(dmi("Microsoft Corporation")).toBe("Microsoft Hyper-V");
    expect(hypervisorOf(machine({ ...cpuinfo, "/sys/hypervisor/type": "xen" }))).toBe("Xen");
    expect(hypervisorOf(machine(cpuinfo))).toBe("virtual machine");
  });

  it("is not known if nothing tells", () => {
    expect(hypervisorOf(machine({}))).toBeNull();
    expect(hypervisorOf(machine({ "/proc/cpuinfo": "processor : 0\nFeatures : fp" }))).toBeNull();
  });
});

describe("mitigations", () => {
  it("are those of the flaws that the CPU has, in short", () => {
    const folder = "/sys/devices/system/cpu/vulnerabilities";
    const found = mitigationsOf(
      machine({
        [`${folder}/meltdown`]: "Mitigation: PTI",
        [`${folder}/spectre_v2`]: "Mitigation: Retpolines; STIBP: disabled; RSB filling",
        [`${folder}/mds`]: "Not affected",
        [`${folder}/retbleed`]: "Vulnerable",
      }),
    );
    expect(found).toEqual({ meltdown: "PTI", spectre_v2: "Retpolines", retbleed: "Vulnerable" });
    expect(mitigationsOf(machine({}))).toBeNull();
  });
});

describe("hardware", () => {
  it("counts the threads of a core", () => {
    const path = "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list";
    const threads = (list: string) => hardwareOf(machine({ [path]: list })).threadsPerCore;
    expect(["0", "0-1", "0,8", "0-1,8-9"].map(threads)).toEqual([1, 2, 2, 4]);
    expect(hardwareOf(machine({})).threadsPerCore).toBeNull();
  });
});

describe("the compiler and its flags", () => {
  it("are those of the release build, each flag once, without folders", () => {
    const makefile = [
      "CFLAGS_Debug := \\",
      "\t-g",
      "",
      "CFLAGS_Release := \\",
      "\t-Wall \\",
      "\t-Wall \\",
      "\t-isystem \\",
      "\t/home/user/include \\",
      "\t-I/home/user \\",
      "\t-O3",
      "",
      "CFLAGS_C_Release :=",
      "CFLAGS_CC_Release := \\",
      "\t-std=c++17",
      "INCS_Release := \\",
      "\t-Inothing",
    ].join("\n");
    const record = (flags: string) => JSON.stringify({ version: "/opt/bin/g++ 12.2", flags });
    expect(compilerOf(record(" "), makefile)).toEqual({
      compiler: "12.2",
      compilerFlags: "-Wall -O3 -std=c++17",
    });
    expect(compilerOf(record("-DX=1 -O0 -I/home/user -O3"), makefile).compilerFlags).toBe(
      "-Wall -std=c++17 -DX=1 -O0 -O3",
    );
  });

  it("are null unless build.mjs compiled here", () => {
    const nothing = { compiler: null, compilerFlags: null };
    expect(compilerOf(null, "CFLAGS_Release := -O3")).toEqual(nothing);
    expect(compilerOf('{"version":"g++","flags":""}', null)).toEqual(nothing);
  });
});

describe("fingerprint", () => {
  const hardware: Hardware = {
    platform: "linux",
    architecture: "x64",
    kernel: "6.1.0",
    cpuModel: "Invented",
    logicalCores: 2,
    availableCores: 2,
    threadsPerCore: 1,
    hypervisor: "none",
  };

  it("is the same for the same and differs with hardware, kernel and Node", () => {
    const same = fingerprintOf(hardware, "20.0.0");
    expect(same).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprintOf({ ...hardware }, "20.0.0")).toBe(same);
    const others = [
      fingerprintOf({ ...hardware, cpuModel: "Other" }, "20.0.0"),
      fingerprintOf({ ...hardware, kernel: "6.2.0" }, "20.0.0"),
      fingerprintOf({ ...hardware, logicalCores: 4 }, "20.0.0"),
      fingerprintOf(hardware, "22.0.0"),
    ];
    expect(new Set([same, ...others]).size).toBe(5);
  });
});

describe("this machine", () => {
  const environment = gatherEnvironment(root);
  const text = JSON.stringify(environment);

  it("is described, and the same twice", () => {
    expect(environment.fingerprint).toMatch(/^[0-9a-f]{16}$/);
    expect(environment.node).toBe(process.versions.node);
    expect(environment.logicalCores).toBeGreaterThan(0);
    expect(environment.loadAverage).toHaveLength(3);
    expect(gatherEnvironment(root).fingerprint).toBe(environment.fingerprint);
  });

  it("survives JSON", () => {
    expect(JSON.parse(text)).toEqual(environment);
  });

  it("is not given away: no host, user or folder", () => {
    // Very short names would be found in ordinary words.
    const names = [hostname(), userInfo().username, root, tmpdir(), userInfo().homedir];
    for (const name of names.filter((name) => name.length > 4)) expect(text).not.toContain(name);
    expect(text).not.toMatch(/"[^"]*\/(home|root|work|tmp|Users|usr|var)\/[^"]*"/);
  });

  it("is described without procfs, without a build and without git, too", () => {
    const elsewhere = gatherEnvironment(tmpdir(), () => null);
    expect(elsewhere).toMatchObject({
      mitigations: null,
      governor: null,
      clockSource: null,
      openFilesSoft: null,
      compilerFlags: null,
      addonHash: null,
      commit: null,
      clean: null,
    });
    expect(codeOf(tmpdir())).toEqual({ commit: null, clean: null });
  });

  it("has the sysctls of another machine from that machine", () => {
    const read = (path: string) => (path === "/proc/sys/net/core/somaxconn" ? "128" : null);
    const there = { system: "Linux", machine: "x86_64", kernel: "6", cpus: 1 };
    expect(hostEnvironment(there, read)).toMatchObject({
      sysctls: { "net.core.somaxconn": "128" },
    });
  });

  it("does not take a folder inside another repository for the repository", () => {
    expect(codeOf(`${root}/test`)).toEqual({ commit: null, clean: null });
  });
});
