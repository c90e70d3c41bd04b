// A contender's process through its life: started, ready, stopped.

import { deferred, within } from "../host/deadline.ts";
import type { CpuShare } from "../host/host.ts";
import { describeExit, type Host, type HostProcess } from "../host/host.ts";
import {
  type Counters,
  exitUnavailable,
  parseEvent,
  type Ready,
  type Snapshot,
} from "../model/events.ts";

interface ServerOptions {
  readonly host: Host;
  readonly signal: AbortSignal;
  /** The CPU that it may use; null for any. */
  readonly cpu: number | null;
  /** The part of it that it may use; null for all of it. */
  readonly cpuShare: CpuShare | null;
  readonly readyTimeoutMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly stopTimeoutMs: number;
}

/** Printing takes well under a millisecond, unless the machine is busy elsewhere. */
const snapshotTimeoutMs = 2_000;

type ServerStart =
  | { readonly server: ServerProcess }
  /** `refused`: the machine refuses what the strategy needs, which is no fault of the server's. */
  | { readonly failure: string; readonly refused: boolean };

export interface Stopped {
  /** Null if there are no counters: a server of another origin, or one that failed. */
  readonly counters: Counters | null;
  readonly failure: string | null;
  /** Whether it ended before it was asked to. */
  readonly died: boolean;
}

/** What of its stderr goes into a reason: its end, which says why. */
const quotedCharacters = 600;

/** Starts a contender; one that does not get ready is killed. @throws {Interrupted} */
export async function startServer(
  argv: readonly string[],
  options: ServerOptions,
): Promise<ServerStart> {
  const server = new ServerProcess(argv, options);
  const failure = await server.untilReady();
  if (failure === null) return { server };
  server.kill();
  return { failure, refused: server.refused };
}

export class ServerProcess {
  readonly #child: HostProcess;
  readonly #options: ServerOptions;
  readonly #readyLine = deferred<Ready>();
  #ready: Ready | null = null;
  #refused = false;
  #counters: Counters | null = null;
  #tellSnapshot: (snapshot: Snapshot) => void = () => {};

  constructor(argv: readonly string[], options: ServerOptions) {
    this.#options = options;
    const { host, cpu, cpuShare } = options;
    this.#child = host.start(argv, {
      launch: { cpu, group: cpuShare?.path },
      onLine: (line) => this.#hear(line),
    });
    cpuShare?.hold(cpu);
    void this.#child.exited.then(() => cpuShare?.release());
  }

  /** 0 before it is ready. */
  get port(): number {
    return this.#ready?.port ?? 0;
  }

  /** The process to sample: what the ready line says, as a command may be a wrapper. */
  get pid(): number {
    return this.#ready?.pid ?? this.#child.pid;
  }

  /** What was started: the server, or a wrapper of it. */
  get startedPid(): number {
    return this.#child.pid;
  }

  /** Whether it ended because the machine refuses what its strategy needs. */
  get refused(): boolean {
    return this.#refused;
  }

  /** Resolves when its process has ended, for whatever reason. */
  get ended(): Promise<object> {
    return this.#child.exited;
  }

  /** @returns what went wrong, or null. @throws {Interrupted} */
  async untilReady(): Promise<string | null> {
    const { readyTimeoutMs: timeoutMs, signal } = this.#options;
    const either = Promise.race([this.#readyLine.promise, this.#child.exited]);
    const first = await within(either, { timeoutMs, signal });
    if (first === null) return this.#failure(`no ready line within ${timeoutMs / 1000} s`);
    if ("event" in first) {
      const missing = (await this.#options.host.alive(this.pid)) === false;
      return missing ? this.#failure(`announced process ${this.pid}, which does not exist`) : null;
    }
    this.#refused = first.code === exitUnavailable;
    return this.#failure(`${describeExit(first)} before it was ready`);
  }

  /** Gives a server that lost its load the time to be seen dead. @throws {Interrupted} */
  async untilEnded(timeoutMs: number): Promise<void> {
    await within(this.#child.exited, { timeoutMs, signal: this.#options.signal });
  }

  /** SIGTERM, its counters, and SIGKILL if it does not end in time. @throws {Interrupted} */
  async stop(): Promise<Stopped> {
    const { host, stopTimeoutMs: timeoutMs, signal } = this.#options;
    const measuredEnded = (await host.alive(this.pid)) === false;
    // A process that has ended is not alive before its exit is known.
    const endedBefore = this.#child.ended || (measuredEnded && this.pid === this.#child.pid);
    this.#child.kill("SIGTERM");
    const exit = await within(this.#child.exited, { timeoutMs, signal });
    if (exit === null) {
      this.kill();
      return this.#stopped(`did not stop within ${timeoutMs / 1000} s of SIGTERM`);
    }
    // The end of a process on a machine that was lost is not known.
    const died = exit.lost === undefined;
    if (endedBefore) return this.#stopped(`${describeExit(exit)} during the load`, died);
    if (measuredEnded) {
      return this.#stopped(`process ${this.pid}, which it announced, ended during the load`, died);
    }
    // Without a handler SIGTERM also ends a process, as it does servers of other origins.
    const asAsked = exit.code === 0 || exit.signal === "SIGTERM";
    return this.#stopped(asAsked ? null : `${describeExit(exit)} when asked to stop`);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Its counters so far; null if it does not print them in time. @throws {Interrupted} */
  async snapshot(): Promise<Snapshot | null> {
    if (this.#ready?.snapshots !== true || this.#child.ended) return null;
    const told = deferred<Snapshot>();
    this.#tellSnapshot = told.resolve;
    this.#child.kill("SIGUSR2");
    const { signal } = this.#options;
    return await within(told.promise, { timeoutMs: snapshotTimeoutMs, signal });
  }

  /** Stops the process where it is, until resume(). */
  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  #hear(line: string): void {
    const event = parseEvent(line);
    if (event?.event === "counters") this.#counters = event;
    if (event?.event === "snapshot") this.#tellSnapshot(event);
    if (event?.event !== "ready") return;
    const { port } = event;
    if (!Number.isInteger(port) || port < 1 || port > 65_535) return;
    this.#ready = event;
    this.#readyLine.resolve(event);
  }

  #stopped(problem: string | null, died = false): Stopped {
    if (problem === null) return { counters: this.#counters, failure: null, died };
    return { counters: null, failure: this.#failure(problem), died };
  }

  #failure(problem: string): string {
    const tail = this.#child.stderrTail;
    if (tail === "") return problem;
    const quoted = tail.length > quotedCharacters ? `…${tail.slice(-quotedCharacters)}` : tail;
    return `${problem}; stderr: ${quoted}`;
  }
}
