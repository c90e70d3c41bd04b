// Whether this machine lets a cell run at its full size, asked before it runs: descriptors, ports,
// threads, memory maps. What does not fit is a row with the figure needed and the command that
// lifts it, never a smaller run. getrlimit(2), sysctl(8), cgroups(7), ip(7).

import type { ResourceLimit } from "./kernel-files.ts";

/** The limits of a machine and what is used of them; null if not available on this platform. */
export interface MachineLimits {
  /** RLIMIT_NOFILE. */
  readonly openFiles: ResourceLimit;
  /** RLIMIT_NPROC, which counts the user's threads. */
  readonly processes: ResourceLimit;
  /** Whether this process may raise its own hard limits. */
  readonly mayRaise: boolean;
  /** Whether the kernel does not hold this user to RLIMIT_NPROC. */
  readonly processesExempt: boolean;
  readonly portRange: { readonly first: number; readonly last: number } | null;
  readonly openFilesCeiling: number | null;
  readonly pidMax: number | null;
  readonly threadsMax: number | null;
  readonly maxMapCount: number | null;
  readonly somaxconn: number | null;
  /** Processes and threads of the cgroup that has the fewest left; null if none is limited. */
  readonly cgroupProcesses: { readonly limit: number; readonly used: number } | null;
  /** Threads that run now: on the machine, and of this user. */
  readonly threads: number | null;
  readonly userThreads: number | null;
  /** Open files of the whole machine (fs.file-max), and how many there are. */
  readonly machineFiles: { readonly limit: number; readonly used: number } | null;
  /** Connections that the firewall tracks; null if it tracks none. */
  readonly trackedConnections: { readonly limit: number; readonly used: number } | null;
  /** What may still be taken without swapping: of the machine, or of a cgroup that allows less. */
  readonly availableMemoryBytes: number | null;
}

/** What a cell asks of the machine. */
export interface Demand {
  readonly connections: number;
  /** What the server spends on a connection: a thread, a process, or a slot of one or of a few. */
  readonly model: "thread" | "process" | "single" | "prefork";
  /** Whether one load generator on this machine keeps all connections. */
  readonly held?: boolean;
  /** Whether there is no load generator: both ends are in one process. */
  readonly alone?: boolean;
  /** What other servers take that are open at the same time; default: nothing. */
  readonly beside?: Taken;
}

/** What servers take of the whole machine. */
export interface Taken {
  readonly connections: number;
  /** Threads and processes. */
  readonly tasks: number;
  readonly memoryBytes: number;
}

const nothingTaken: Taken = { connections: 0, tasks: 0, memoryBytes: 0 };

/** A limit that is too low. */
export interface Shortfall {
  /** Its usual name, such as RLIMIT_NOFILE or kernel.pid_max. */
  readonly limit: string;
  readonly needed: number;
  readonly allowed: number;
  /** "RLIMIT_NOFILE 1024 < 10080 needed". */
  readonly reason: string;
  /** What to type to lift it, as it stands. */
  readonly command: string;
  /** Where to lift it permanently, or what else to know; null if the command is all. */
  readonly hint: string | null;
}

/** Descriptors other than connections, of a server or the load generator: streams, epoll, /proc. */
const otherDescriptors = 80;
/** Threads and processes other than those of connections: the suite's own, and some to spare. */
const otherThreads = 64;
/** A worker that gets more than its share must still be under its limit. */
const unevenness = 1.15;
/** Fewer would be no prefork server. */
const fewestWorkers = 2;
/** A greeting and an echo: two sockets, their buffers' remains, a slot at either end. */
const bytesPerConnection = 12_000;
/** A thread or process that does nothing but wait: its stack, its tables in the kernel. */
const bytesPerThread = 24_000;
const bytesPerProcess = 150_000;
/** Maps of a process in addition to its threads' stacks: code, libraries, an allocator's arenas. */
export const otherMaps = 256;
/** A thread's stack and the guard page below it are a map each. pthread_attr_setguardsize(3) */
export const mapsPerThread = 2;

/** The first limit that stops the demand, with the command that lifts it; null if it fits. */
export function preflight(machine: MachineLimits, demand: Demand): Shortfall | null {
  return shortfalls(machine, demand)[0] ?? null;
}

/** Every limit that stops the demand. Pure. */
export function shortfalls(machine: MachineLimits, demand: Demand): Shortfall[] {
  return checks.map((check) => check(machine, demand)).filter((found) => found !== null);
}

/** What does not stop a run and may still show in its figures, one sentence each. */
export function warnings(machine: MachineLimits, backlog = 4096): string[] {
  const { somaxconn } = machine;
  if (somaxconn === null || somaxconn >= backlog) return [];
  return [
    `net.core.somaxconn ${somaxconn} < ${backlog}: connecting may stall on repeated SYNs; ` +
      `sysctl -w net.core.somaxconn=${backlog}`,
  ];
}

type LimitCheck = (machine: MachineLimits, demand: Demand) => Shortfall | null;

const checks: readonly LimitCheck[] = [
  checkOpenFiles,
  (machine, demand) => checkThreadTotal(machine, demand, ["kernel.pid_max", machine.pidMax]),
  (machine, demand) =>
    checkThreadTotal(machine, demand, ["kernel.threads-max", machine.threadsMax]),
  checkMaps,
  checkProcesses,
  checkCgroup,
  checkMachineFiles,
  checkTracked,
  checkMemory,
];

/** What several servers take together. */
export function takenBy(demands: readonly Demand[]): Taken {
  return demands.reduce(
    (sum, { connections, model }) => ({
      connections: sum.connections + connections,
      tasks: sum.tasks + (isPerConnection(model) ? connections : 0),
      memoryBytes: sum.memoryBytes + connections * bytesEach(model),
    }),
    nothingTaken,
  );
}

/** How many processes a prefork server needs so that each is under its descriptor limit. */
export function workersFor({ openFiles }: MachineLimits, connections: number): number {
  const most = openFiles.hard ?? openFiles.soft ?? Number.POSITIVE_INFINITY;
  const each = Math.max(1, most - otherDescriptors);
  return Math.max(fewestWorkers, Math.ceil((connections * unevenness) / each));
}

/** Against the hard limit, to which programs raise the soft one; several processes split. */
function checkOpenFiles(machine: MachineLimits, demand: Demand): Shortfall | null {
  const { connections, model, held = false } = demand;
  if (!held && (model === "process" || model === "prefork")) return null;
  const { openFiles, openFilesCeiling, mayRaise } = machine;
  const needed = connections + otherDescriptors;
  const lift = mayRaise
    ? `ulimit -n ${needed}`
    : `sudo prlimit --pid $$ --nofile=:${needed} && ulimit -n ${needed}`;
  const above = openFilesCeiling !== null && needed > openFilesCeiling;
  return judge({
    limit: "RLIMIT_NOFILE",
    needed,
    allowed: openFiles.hard ?? openFiles.soft,
    command: above ? `${sysctl(mayRaise, "fs.nr_open", needed)} && ${lift}` : lift,
    hint:
      "permanently: nofile in /etc/security/limits.conf, LimitNOFILE= of a systemd unit, " +
      "--ulimit nofile= of docker run",
  });
}

/** Process ids and threads are one space for the whole machine: those in use count. */
function checkThreadTotal(
  machine: MachineLimits,
  { connections, model, beside = nothingTaken }: Demand,
  [limit, allowed]: readonly [string, number | null],
): Shortfall | null {
  if (!isPerConnection(model)) return null;
  const needed = connections + beside.tasks + otherThreads + (machine.threads ?? 0);
  return judgeSysctl(machine, { limit, needed, allowed });
}

function checkMaps(machine: MachineLimits, { connections, model }: Demand): Shortfall | null {
  if (model !== "thread") return null;
  const needed = connections * mapsPerThread + otherMaps;
  return judgeSysctl(machine, { limit: "vm.max_map_count", needed, allowed: machine.maxMapCount });
}

function checkProcesses(machine: MachineLimits, demand: Demand): Shortfall | null {
  const { connections, model, beside = nothingTaken } = demand;
  if (!isPerConnection(model) || machine.processesExempt) return null;
  const needed = connections + beside.tasks + otherThreads + (machine.userThreads ?? 0);
  const { soft, hard } = machine.processes;
  const within = hard !== null && needed <= hard;
  return judge({
    limit: "RLIMIT_NPROC",
    needed,
    allowed: soft,
    command: within
      ? `ulimit -Su ${needed}`
      : `sudo prlimit --pid $$ --nproc=:${needed} && ulimit -u ${needed}`,
    hint: "permanently: nproc in /etc/security/limits.conf, LimitNPROC= of a systemd unit",
  });
}

function checkCgroup(machine: MachineLimits, demand: Demand): Shortfall | null {
  const { connections, model, beside = nothingTaken } = demand;
  if (!isPerConnection(model) || machine.cgroupProcesses === null) return null;
  const { limit, used } = machine.cgroupProcesses;
  const needed = connections + beside.tasks + otherThreads + used;
  return judge({
    limit: "cgroup pids.max",
    needed,
    allowed: limit,
    command: `sudo systemctl set-property user-$(id -u).slice TasksMax=${needed}`,
    hint: `TasksMax= of a systemd unit; in a container: docker run --pids-limit ${needed}`,
  });
}

function isPerConnection(model: Demand["model"]): boolean {
  return model === "thread" || model === "process";
}

/** Both ends are on this machine. */
function checkMachineFiles(machine: MachineLimits, demand: Demand): Shortfall | null {
  if (machine.machineFiles === null) return null;
  const { connections, beside = nothingTaken } = demand;
  const { limit: allowed, used } = machine.machineFiles;
  const needed = 2 * (connections + beside.connections) + otherDescriptors + used;
  return judgeSysctl(machine, { limit: "fs.file-max", needed, allowed });
}

function checkTracked(machine: MachineLimits, demand: Demand): Shortfall | null {
  if (machine.trackedConnections === null || demand.alone) return null;
  const { limit: allowed, used } = machine.trackedConnections;
  const { connections, beside = nothingTaken } = demand;
  const needed = connections + beside.connections + used;
  const hint = "or leave the loopback interface out of connection tracking";
  return judgeSysctl(machine, { limit: "net.netfilter.nf_conntrack_max", needed, allowed }, hint);
}

function checkMemory(machine: MachineLimits, demand: Demand): Shortfall | null {
  const { connections, model, beside = nothingTaken } = demand;
  const left = Math.max(0, (machine.availableMemoryBytes ?? 0) - beside.memoryBytes);
  const held = Math.floor(left / bytesEach(model));
  return judge({
    limit: "available memory (bytes)",
    needed: connections * bytesEach(model) + beside.memoryBytes,
    allowed: machine.availableMemoryBytes,
    command: `--connections ${held}`,
    hint: `it holds about ${held} connections of this kind`,
  });
}

/** Bytes per connection, with what its server spends on it. */
function bytesEach(model: Demand["model"]): number {
  const own = { thread: bytesPerThread, process: bytesPerProcess, single: 0, prefork: 0 }[model];
  return bytesPerConnection + own;
}

type MaybeShort = Omit<Shortfall, "reason" | "allowed"> & { readonly allowed: number | null };

function judge({ allowed, ...rest }: MaybeShort): Shortfall | null {
  if (allowed === null || allowed >= rest.needed) return null;
  return { ...rest, allowed, reason: `${rest.limit} ${allowed} < ${rest.needed} needed` };
}

function judgeSysctl(
  { mayRaise }: MachineLimits,
  found: Pick<MaybeShort, "limit" | "needed" | "allowed">,
  hint: string | null = null,
): Shortfall | null {
  return judge({ ...found, command: sysctl(mayRaise, found.limit, found.needed), hint });
}

function sysctl(mayRaise: boolean, name: string, value: number | string): string {
  return `${mayRaise ? "" : "sudo "}sysctl -w ${name}=${value}`;
}
