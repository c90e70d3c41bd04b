// A machine as a value: what the suite asks of the one that it measures on. Everything that starts
// a program or reads the kernel's files goes through it, so that a second machine is a second
// value. Programs speak in lines on their standard streams, which any channel can carry.

import type { Paths } from "../paths.ts";
import type { CpuPlan } from "./cpus.ts";
import type { MachineEnvironment } from "./environment.ts";
import type { MachineLimits, Shortfall } from "./limits.ts";
import type { MemorySample } from "./memory.ts";
import type { Switches, Usage } from "./usage.ts";

/** How a process ended: one of the three is set. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not be started. */
  readonly error: string | null;
  /** Why its end was not seen: the connection to its host was lost. */
  readonly lost?: string;
}

/** A program that runs on a host. */
export interface HostProcess {
  /** On its host; 0 if it could not be started. */
  readonly pid: number;
  /** Resolves once the process has ended and its output has been read. Never rejects. */
  readonly exited: Promise<Exit>;
  /** True as soon as the end is known, which may be before `exited` resolves. */
  readonly ended: boolean;
  /** The last 4 KiB that it wrote to standard error, on one line; "" if it wrote nothing. */
  readonly stderrTail: string;
  /** Writes one line to its standard input; needs `input`. Lost if the process has ended. */
  send(line: string): void;
  /** Does nothing to a process that has ended, even if its number belongs to another one now. */
  kill(signal: NodeJS.Signals): void;
}

/** Where a measurement runs, and what ends it. */
export interface Workbench {
  readonly host: Host;
  readonly signal: AbortSignal;
  readonly cpus: CpuPlan;
}

/** The words before a supervised command; the end of standard input kills all its processes. */
export function supervisor({ loadGenerator }: Pick<Paths, "loadGenerator">): string[] {
  return [loadGenerator, "supervise", "--kill-rest", "--"];
}

/** A group of processes that gets a part of one CPU: another group uses up the rest. */
export interface CpuShare {
  /** Of one CPU: 0.4 is 40 %. */
  readonly share: number;
  /** The folder of the group, for the launcher. */
  readonly path: string;
  readonly means: "cgroup v1" | "cgroup v2";
  /** Uses up the rest of the CPU until as many calls of release() as of this one. */
  hold(cpu: number | null): void;
  release(): void;
  /** Removes the groups; does nothing while they have processes, or if they are gone. */
  remove(): void;
}

export interface StartOptions {
  /** Called for each line of standard output; with "" for one that is too long. */
  readonly onLine: (line: string) => void;
  /** In UTF-16 units; default: 4 Mi. */
  readonly longestLine?: number;
  /**
   * Starts it through the launcher, which raises its descriptor limit, ends it when this process
   * ends, and pins it to the CPU unless that is null. Without it the program starts as it is.
   */
  readonly launch?: { readonly cpu: number | null; readonly group?: string | undefined };
  /** Whether `send()` is used; else standard input is closed. */
  readonly input?: boolean;
  /**
   * Processes that it leaves running are killed when it ends. SIGKILL, or the end of this process,
   * kills all of them. Excludes `input`.
   */
  readonly supervised?: boolean;
}

/** How long killed processes may take to be gone, for allEnded(). */
export const endedWithinMs = 2_000;

/** Kills everything that was started on the host, and waits until it is gone. */
export async function endEverything(host: Host): Promise<void> {
  host.killAll();
  await host.allEnded(endedWithinMs);
}

export interface Host {
  readonly platform: NodeJS.Platform;
  /** Where the programs of this package are on that machine. */
  readonly paths: Paths;
  /** A failure to start shows as the exit of the process. */
  start(argv: readonly string[], options: StartOptions): HostProcess;
  /**
   * Windows of interleaved contenders are at least as long as this; missing: as long as planned.
   * Agents announce each window, and a window should be no shorter than its announcement.
   */
  readonly shortestWindowMs?: number;
  /** SIGKILL to every process that was started and lives. Synchronous: for "exit" handlers. */
  killAll(): void;
  /** Resolves when none is left, or after the time. Call killAll() first. */
  allEnded(timeoutMs: number): Promise<void>;
  /** Whether there is such a process, of whatever user; null if its machine does not answer. */
  alive(pid: number): Promise<boolean | null>;
  /** CPUs for the server and the load generator. */
  cpus(): Promise<CpuPlan>;
  limits(): Promise<MachineLimits>;
  /** Hardware, kernel, compilers and code: the environment block of results.json. */
  environment(): Promise<MachineEnvironment>;
  /** Memory of both process trees and of the kernel, at this moment. */
  memory(serverPid: number, clientPid: number | null): Promise<MemorySample>;
  /** Why it cannot run such a command; null if it can, as where this is missing. */
  refuses?(argv: readonly string[]): string | null;
  /** What another of its machines lacks for so many connections; null if nothing. */
  shortfall?(connections: number): Shortfall | null;
  /** A group that gives servers a part of one CPU; null if this host has no means to. */
  cpuShare?(share: number): CpuShare | null;
  /** Of all threads of a process and of its children that live; null without /proc. */
  switches?(pid: number): Promise<Switches | null>;
  /** CPU time and memory of a process and its children; null if it has ended. */
  usage(pid: number): Promise<Usage | null>;
}

/** What something that runs on a host needs. */
export interface OnHost {
  readonly host: Host;
  readonly signal?: AbortSignal;
}

/** "exited with code 3", "was killed by SIGSEGV". */
export function describeExit({ code, signal, error, lost }: Exit): string {
  if (lost !== undefined) return `was lost: ${lost}`;
  if (error !== null) return `could not be started: ${error}`;
  return signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
}

/** The end of a process with what it wrote last, for a reason. */
export function describeEnd({ stderrTail }: HostProcess, end: string): string {
  return stderrTail === "" ? end : `${end}; stderr: ${stderrTail}`;
}
