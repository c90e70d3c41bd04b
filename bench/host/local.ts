// This machine as a Host. Its processes cannot outlive this one: killAll() ends the rest.

import { type Paths, packagePaths } from "../paths.ts";
import { makeCpuShare } from "./cpu-share.ts";
import { type CpuPlan, chooseCpus } from "./cpus.ts";
import { within } from "./deadline.ts";
import { gatherEnvironment, type MachineEnvironment } from "./environment.ts";
import {
  type CpuShare,
  type Host,
  type HostProcess,
  type StartOptions,
  supervisor,
} from "./host.ts";
import type { MachineLimits } from "./limits.ts";
import { readMachineLimits } from "./machine-limits.ts";
import { type MemorySample, sampleMemory } from "./memory.ts";
import { ChildProcess, isAlive } from "./processes.ts";
import { type Switches, switchesOf, type Usage, usageOf } from "./usage.ts";

export class LocalHost implements Host {
  readonly platform = process.platform;
  readonly paths: Paths;
  readonly #live = new Set<ChildProcess>();

  constructor(paths: Paths = packagePaths()) {
    this.paths = paths;
  }

  start(argv: readonly string[], { launch, ...options }: StartOptions): HostProcess {
    const supervised = options.supervised === true ? supervisor(this.paths) : [];
    const launched = launch === undefined ? [] : this.#launcher(launch);
    const command = [...launched, ...supervised, ...argv];
    const child = new ChildProcess(command, options);
    this.#live.add(child);
    void child.exited.then(() => this.#live.delete(child));
    return child;
  }

  killAll(): void {
    for (const child of this.#live) child.kill("SIGKILL");
  }

  async allEnded(timeoutMs: number): Promise<void> {
    await within(Promise.all([...this.#live].map(({ exited }) => exited)), { timeoutMs });
  }

  async alive(pid: number): Promise<boolean> {
    return isAlive(pid);
  }

  async cpus(): Promise<CpuPlan> {
    return chooseCpus();
  }

  async limits(): Promise<MachineLimits> {
    return readMachineLimits();
  }

  async environment(): Promise<MachineEnvironment> {
    return gatherEnvironment(this.paths.root);
  }

  async memory(serverPid: number, clientPid: number | null): Promise<MemorySample> {
    return sampleMemory(serverPid, clientPid);
  }

  cpuShare(share: number): CpuShare | null {
    return makeCpuShare(share, this.start.bind(this));
  }

  async switches(pid: number): Promise<Switches | null> {
    return switchesOf(pid);
  }

  async usage(pid: number): Promise<Usage | null> {
    return usageOf(pid);
  }

  /** It becomes the command, under the same pid. */
  #launcher({ cpu, group }: NonNullable<StartOptions["launch"]>): string[] {
    const pin = cpu === null ? [] : ["--cpu", String(cpu)];
    const join = group === undefined ? [] : ["--cgroup", group];
    const parent = ["--parent", String(process.pid)];
    return [this.paths.loadGenerator, "launch", ...pin, ...join, ...parent, "--"];
  }
}
