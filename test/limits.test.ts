// The preflight: invented machines against demands, and this machine's limits read once.

import { describe, expect, it } from "vitest";
import {
  type Demand,
  type MachineLimits,
  preflight,
  shortfalls,
  warnings,
  workersFor,
} from "../bench/host/limits.ts";
import { LocalHost } from "../bench/host/local.ts";
import { readMachineLimits } from "../bench/host/machine-limits.ts";
import { makePlan } from "../bench/run/plan.ts";
import { fitTogether, refusalsOf } from "../bench/run/preflight.ts";
import type { RoundRequest } from "../bench/run/round.ts";

/** Ten thousand of anything fit here. */
const roomy: MachineLimits = {
  openFiles: { soft: 1_048_576, hard: 1_048_576 },
  processes: { soft: 100_000, hard: 100_000 },
  mayRaise: false,
  processesExempt: false,
  portRange: { first: 32_768, last: 60_999 },
  openFilesCeiling: 1_048_576,
  pidMax: 4_194_304,
  threadsMax: 190_000,
  maxMapCount: 65_530,
  somaxconn: 4096,
  cgroupProcesses: null,
  threads: 200,
  userThreads: 40,
  machineFiles: { limit: 9e18, used: 1000 },
  trackedConnections: null,
  availableMemoryBytes: 16e9,
};

/** macOS: nothing is told. */
const silent: MachineLimits = {
  openFiles: { soft: null, hard: null },
  processes: { soft: null, hard: null },
  mayRaise: false,
  processesExempt: false,
  portRange: null,
  openFilesCeiling: null,
  pidMax: null,
  threadsMax: null,
  maxMapCount: null,
  somaxconn: null,
  cgroupProcesses: null,
  threads: null,
  userThreads: null,
  machineFiles: null,
  trackedConnections: null,
  availableMemoryBytes: null,
};

const nothingAsked = {
  ...{ profile: null, workloads: null, contenders: null, connections: null, rate: null },
  ...{ payload: null, duration: null, steady: null, blocks: null, budget: null, seed: null },
  out: null,
};

const single: Demand = { connections: 10_000, model: "single" };
const threads: Demand = { connections: 10_000, model: "thread" };
const processes: Demand = { connections: 10_000, model: "process" };

describe("preflight", () => {
  it("lets pass what fits, and what is not told", () => {
    for (const demand of [single, threads, processes]) {
      expect(preflight(roomy, demand)).toBeNull();
      expect(preflight(silent, demand)).toBeNull();
    }
  });

  it("names the descriptors needed and the commands that lift their limit", () => {
    const poor = { ...roomy, openFiles: { soft: 1024, hard: 1024 } };
    expect(preflight(poor, single)).toMatchObject({
      limit: "RLIMIT_NOFILE",
      needed: 10_080,
      allowed: 1024,
      reason: "RLIMIT_NOFILE 1024 < 10080 needed",
      command: "sudo prlimit --pid $$ --nofile=:10080 && ulimit -n 10080",
    });
    expect(preflight(poor, single)?.hint).toContain("LimitNOFILE=");
    expect(preflight({ ...poor, mayRaise: true }, single)?.command).toBe("ulimit -n 10080");
  });

  it("goes by the hard limit: our programs raise the soft one themselves", () => {
    const soft = { ...roomy, openFiles: { soft: 1024, hard: 20_000 } };
    expect(preflight(soft, single)).toBeNull();
    const unlimited = { ...roomy, openFiles: { soft: 1024, hard: Number.POSITIVE_INFINITY } };
    expect(preflight(unlimited, single)).toBeNull();
  });

  it("stands exactly at the limit", () => {
    const at = (hard: number) => ({ ...roomy, openFiles: { soft: hard, hard } });
    expect(preflight(at(10_080), single)).toBeNull();
    expect(preflight(at(10_079), single)).not.toBeNull();
  });

  it("raises the ceiling first where the limit would pass it", () => {
    const low = { ...roomy, openFiles: { soft: 1024, hard: 1024 }, openFilesCeiling: 5000 };
    expect(preflight(low, single)?.command).toMatch(
      /^sudo sysctl -w fs\.nr_open=10080 && sudo prlimit /,
    );
  });

  it("counts the threads that are there already", () => {
    const small = { ...roomy, pidMax: 10_263 };
    expect(preflight(small, threads)).toMatchObject({
      reason: "kernel.pid_max 10263 < 10264 needed",
      command: "sudo sysctl -w kernel.pid_max=10264",
    });
    expect(preflight({ ...roomy, pidMax: 10_264 }, threads)).toBeNull();
    expect(preflight(small, processes)?.limit).toBe("kernel.pid_max");
    expect(preflight(small, single)).toBeNull();
    expect(preflight({ ...roomy, threadsMax: 5000 }, threads)?.limit).toBe("kernel.threads-max");
  });

  it("takes two memory maps a thread, none a process", () => {
    const small = { ...roomy, maxMapCount: 20_255 };
    expect(preflight(small, threads)).toMatchObject({
      reason: "vm.max_map_count 20255 < 20256 needed",
      command: "sudo sysctl -w vm.max_map_count=20256",
    });
    expect(preflight(small, processes)).toBeNull();
    expect(preflight(roomy, { ...threads, connections: 40_000 })?.limit).toBe("vm.max_map_count");
  });

  it("holds a user to RLIMIT_NPROC unless the kernel does not", () => {
    const low = { ...roomy, processes: { soft: 4096, hard: 20_000 } };
    expect(preflight(low, threads)).toMatchObject({
      reason: "RLIMIT_NPROC 4096 < 10104 needed",
      command: "ulimit -Su 10104",
    });
    const lower = { ...roomy, processes: { soft: 4096, hard: 4096 } };
    expect(preflight(lower, threads)?.command).toContain("--nproc=:10104 && ulimit -u 10104");
    expect(preflight({ ...lower, processesExempt: true }, threads)).toBeNull();
    expect(preflight(lower, single)).toBeNull();
  });

  it("counts what runs in the cgroup", () => {
    const contained = { ...roomy, cgroupProcesses: { limit: 10_100, used: 50 } };
    expect(preflight(contained, threads)).toMatchObject({
      reason: "cgroup pids.max 10100 < 10114 needed",
      command: "sudo systemctl set-property user-$(id -u).slice TasksMax=10114",
    });
    expect(preflight(contained, single)).toBeNull();
  });

  it("lists every limit that stops a demand, the first one first", () => {
    const bad = { ...roomy, openFiles: { soft: 1, hard: 1 }, pidMax: 1, maxMapCount: 1 };
    const limits = shortfalls(bad, threads).map(({ limit }) => limit);
    expect(limits).toEqual(["RLIMIT_NOFILE", "kernel.pid_max", "vm.max_map_count"]);
    expect(preflight(bad, threads)?.limit).toBe("RLIMIT_NOFILE");
  });
});

describe("servers that are open at the same time", () => {
  const together = (machine: MachineLimits, ...models: readonly Demand["model"][]) =>
    fitTogether(
      models.map((concurrency) => {
        const load = { connections: 10_000 };
        return { contender: { concurrency }, scenario: { load } } as unknown as RoundRequest;
      }),
      machine,
    );

  it("share the ids, the descriptors and the memory of the machine", () => {
    const ids = { ...roomy, pidMax: 16_000 };
    expect(together(ids, "thread")).toBe(true);
    expect(together(ids, "thread", "single", "single")).toBe(true);
    expect(together(ids, "thread", "process")).toBe(false);
    expect(together(roomy, "thread", "process")).toBe(true);
    const memory = { ...roomy, availableMemoryBytes: 300e6 };
    expect(together(memory, "single", "single")).toBe(true);
    expect(together(memory, "single", "single", "single")).toBe(false);
    const files = { ...roomy, machineFiles: { limit: 30_000, used: 1_000 } };
    expect(together(files, "single")).toBe(true);
    expect(together(files, "single", "single")).toBe(false);
    expect(together(silent, "thread", "process", "single")).toBe(true);
  });
});

describe("a million connections", () => {
  const million: Demand = { connections: 1_000_000, model: "prefork" };
  const poor = { ...roomy, openFiles: { soft: 20_000, hard: 20_000 } };

  it("fit where descriptors are few: there are processes enough for them", () => {
    expect(preflight(poor, million)).toBeNull();
    const workers = workersFor(poor, 1_000_000);
    expect(workers * (20_000 - 80)).toBeGreaterThan(1_000_000);
    expect(workersFor(poor, 100)).toBe(2);
    expect(workersFor(silent, 1_000_000)).toBe(2);
  });

  it("are refused where one load generator keeps all of them, in windows that take turns", () => {
    const refused = (profile: string, machine: MachineLimits) => {
      const { parts } = makePlan({ ...nothingAsked, profile, contenders: ["cpp:prefork"] });
      return parts.flatMap((part) =>
        part.scenarios.flatMap((scenario) => {
          const found = refusalsOf(part, scenario, {
            ...{ host: new LocalHost(), machine, reference: "cpp:reactor-epoll" },
          });
          const cause = found.get("cpp:prefork")?.cause;
          return cause?.code === "limit" ? [`${scenario.workload.name} ${cause.limit}`] : [];
        }),
      );
    };
    expect(refused("c1m", { ...poor, availableMemoryBytes: null })).toEqual([]);
    const few = { ...roomy, openFiles: { soft: 4096, hard: 4096 } };
    expect(refused("quick", few)).toEqual(["echo-rate RLIMIT_NOFILE"]);
  });

  it("need memory for both ends, files of the machine, and a firewall that can track them", () => {
    const small = { ...roomy, availableMemoryBytes: 4e9 };
    expect(preflight(small, million)).toMatchObject({
      reason: "available memory (bytes) 4000000000 < 12000000000 needed",
      hint: "it holds about 333333 connections of this kind",
    });
    const files = { ...roomy, machineFiles: { limit: 500_000, used: 1000 } };
    expect(preflight(files, million)?.command).toBe("sudo sysctl -w fs.file-max=2001080");
    const tracked = { ...roomy, trackedConnections: { limit: 262_144, used: 3 } };
    expect(preflight(tracked, million)?.limit).toBe("net.netfilter.nf_conntrack_max");
    expect(preflight(tracked, { ...million, alone: true })).toBeNull();
  });
});

describe("warnings", () => {
  it("are of a backlog that the kernel cuts, with the command", () => {
    expect(warnings(roomy)).toEqual([]);
    expect(warnings(silent)).toEqual([]);
    expect(warnings({ ...roomy, somaxconn: 128 })).toEqual([
      "net.core.somaxconn 128 < 4096: connecting may stall on repeated SYNs; " +
        "sysctl -w net.core.somaxconn=4096",
    ]);
  });
});

describe("reading a machine", () => {
  const files = new Map([
    [
      "/proc/self/limits",
      "Limit                     Soft Limit           Hard Limit           Units     \n" +
        "Max processes             4096                 unlimited            processes \n" +
        "Max open files            1024                 524288               files     ",
    ],
    ["/proc/self/status", "Name:\tnode\nUid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000001000000"],
    ["/proc/self/cgroup", "0::/user.slice/job"],
    ["/sys/fs/cgroup/user.slice/job/pids.max", "max"],
    ["/sys/fs/cgroup/user.slice/job/pids.current", "7"],
    ["/sys/fs/cgroup/user.slice/pids.max", "9000"],
    ["/sys/fs/cgroup/user.slice/pids.current", "300"],
    ["/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999"],
    ["/proc/sys/kernel/pid_max", "32768"],
    ["/proc/sys/fs/file-nr", "1056\t0\t9223372036854775807"],
    ["/proc/sys/net/netfilter/nf_conntrack_max", "65536"],
    ["/proc/sys/net/netfilter/nf_conntrack_count", "12"],
    ["/proc/meminfo", "MemTotal: 2000 kB\nMemAvailable:    1000 kB"],
    ["/sys/fs/cgroup/user.slice/job/memory.max", "max"],
    ["/sys/fs/cgroup/user.slice/memory.max", "500000"],
    ["/sys/fs/cgroup/user.slice/job/memory.current", "90000"],
    ["/sys/fs/cgroup/user.slice/memory.current", "100000"],
    ["/sys/fs/cgroup/user.slice/job/memory.stat", "inactive_file 10\nactive_file 10"],
    [
      "/sys/fs/cgroup/user.slice/memory.stat",
      "file 60000\ninactive_file 40000\nactive_file 10000\nunevictable 3",
    ],
    ["/proc/loadavg", "0.10 0.20 0.30 2/345 6789"],
  ]);

  it("does not treat unused connection tracking as a limit", () => {
    const idle = new Map([...files, ["/proc/sys/net/netfilter/nf_conntrack_count", "0"]]);
    const machine = readMachineLimits((path) => idle.get(path) ?? null);
    expect(machine.trackedConnections).toBeNull();
  });

  it("counts what a group of cgroups version 1 uses with its children, less their cache", () => {
    const folder = "/sys/fs/cgroup/memory/job";
    const old = new Map([
      ...files,
      ["/proc/self/cgroup", "9:memory:/job\n0::/"],
      [`${folder}/memory.limit_in_bytes`, "800000"],
      [`${folder}/memory.usage_in_bytes`, "300000"],
      [
        `${folder}/memory.stat`,
        "inactive_file 1\nactive_file 1\ntotal_inactive_file 50000\ntotal_active_file 50000",
      ],
    ]);
    const machine = readMachineLimits((path) => old.get(path) ?? null);
    expect(machine.availableMemoryBytes).toBe(600_000);
  });

  it("gives plain data, null if a file is missing", () => {
    const machine = readMachineLimits((path) => files.get(path) ?? null);
    expect(machine).toMatchObject({
      openFiles: { soft: 1024, hard: 524_288 },
      processes: { soft: 4096, hard: Number.POSITIVE_INFINITY },
      mayRaise: true,
      processesExempt: true,
      portRange: { first: 32_768, last: 60_999 },
      pidMax: 32_768,
      threadsMax: null,
      maxMapCount: null,
      cgroupProcesses: { limit: 9000, used: 300 },
      threads: 345,
      machineFiles: { used: 1056 },
      trackedConnections: { limit: 65_536, used: 12 },
      availableMemoryBytes: 450_000,
    });
  });

  it("knows who may raise limits", () => {
    const as = (status: string) =>
      readMachineLimits((path) => (path === "/proc/self/status" ? status : null));
    expect(as("Uid:\t0\t0\t0\t0\nCapEff:\t0000000000000000")).toMatchObject({
      mayRaise: false,
      processesExempt: true,
    });
    expect(as("Uid:\t1000\t0\t0\t0\nCapEff:\t0000000000200000")).toMatchObject({
      mayRaise: false,
      processesExempt: true,
    });
    expect(as("Uid:\t1000\t0\t0\t0\nCapEff:\t0000000000000000")).toMatchObject({
      mayRaise: false,
      processesExempt: false,
    });
  });

  it("knows nothing if there is no procfs, and throws nothing", () => {
    expect(readMachineLimits(() => null)).toEqual(silent);
  });

  it.runIf(process.platform === "linux")("reads this one", () => {
    const machine = readMachineLimits();
    expect(machine.openFiles.hard).toBeGreaterThan(0);
    expect(machine.pidMax).toBeGreaterThan(0);
    expect(machine.userThreads).toBeGreaterThan(0);
    expect(preflight(machine, { connections: 1, model: "single" })).toBeNull();
  });
});
