// strace(1) on this machine: whether it may trace here, and a count of the system calls of
// processes that already run. It attaches to them and detaches again, so that neither their start
// nor their end is counted. strace(1), ptrace(2)

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Interrupted, within } from "./deadline.ts";
import { describeExit, type Exit, type Host, type HostProcess, type OnHost } from "./host.ts";
import { type ReadText, readText } from "./kernel-files.ts";
import { threadsOf } from "./usage.ts";

/** Ten thousand threads are stopped and resumed one after another. */
const attachTimeoutMs = 60_000;
const endTimeoutMs = 60_000;
/**
 * If no further thread falls asleep within this time, those that are left never do: they poll. The
 * more threads there are, the longer strace takes for one of them.
 */
const noProgressMs = 1_000;
const noProgressMsPerThread = 5;
const lookEveryMs = 20;
const quotedCharacters = 600;

/** Calls by name. */
export type CallsByName = Readonly<Record<string, number>>;

/** Why no calls can be counted here, and how to change that; null if they can. */
export async function straceProblem(host: Host): Promise<string | null> {
  if (host.platform !== "linux") return `strace is not available on ${host.platform}`;
  const version = await host.start(["strace", "-V"], { onLine: () => {} }).exited;
  if (version.error !== null) return traceProblem(version, "");
  const traced = host.start(["sleep", "60"], { onLine: () => {} });
  try {
    const trace = await CallTrace.attach([traced.pid], { host });
    if (typeof trace === "string") return trace;
    const calls = await trace.end();
    return typeof calls === "string" ? calls : null;
  } finally {
    traced.kill("SIGKILL");
  }
}

const installing =
  "install it: apt-get install strace (Debian, Ubuntu), dnf install strace, apk add strace";

/** Why strace ended when it was to trace, and how to change that. */
export function traceProblem(exit: Exit, stderr: string, read: ReadText = readText): string {
  if (exit.error !== null) return `strace is not installed; ${installing}`;
  const scope = read("/proc/sys/kernel/yama/ptrace_scope");
  if (/permitted/i.test(stderr) && scope !== null && Number(scope) > 0) {
    return (
      `kernel.yama.ptrace_scope is ${scope}, which forbids tracing a process that runs; ` +
      "allow it: sudo sysctl kernel.yama.ptrace_scope=0, or run as root"
    );
  }
  return `strace ${describeExit(exit)}: ${stderr.slice(-quotedCharacters)}`;
}

interface Patience {
  /** How long to wait, in milliseconds, while so many are left and none follows. */
  readonly within: (left: number) => number;
  /** So few may be left; 0 by default. */
  readonly enough?: number;
}

/** A count that is under way. */
export class CallTrace {
  readonly #tracer: HostProcess;
  readonly #folder: string;
  readonly #options: OnHost;
  readonly #pids: readonly number[];
  /** Threads that did not sleep though nothing was sent. */
  #awake = 0;

  private constructor(pids: readonly number[], options: OnHost) {
    this.#options = options;
    this.#pids = pids;
    this.#folder = mkdtempSync(join(tmpdir(), "io-selectors-strace-"));
    const which = pids.flatMap((pid) => ["-p", String(pid)]);
    const argv = ["strace", "-f", "-c", "-qq", "-o", this.#summary, ...which];
    // Launched, so that it ends with this process however that ends: it would go on to trace, and
    // to slow, a server that was not started here.
    this.#tracer = options.host.start(argv, { launch: { cpu: null }, onLine: () => {} });
  }

  /**
   * Attaches to every thread of these processes; threads and children that they start later are
   * counted as well. @returns the trace, or why there is none. @throws {Interrupted}
   */
  static async attach(pids: readonly number[], options: OnHost): Promise<CallTrace | string> {
    const trace = new CallTrace(pids, options);
    try {
      const problem = await trace.#untilAttached(pids);
      if (problem === null) return trace;
      trace.kill();
      return problem;
    } catch (error) {
      trace.kill();
      throw error;
    }
  }

  /** Detaches. @returns the calls since attach(), or what went wrong. @throws {Interrupted} */
  async end(): Promise<CallsByName | string> {
    const { signal } = this.#options;
    try {
      const awake = await this.#untilAsleep(this.#awake);
      if (awake > this.#awake) {
        return (
          `threads whose calls strace had not reported in the end: ${awake - this.#awake}; ` +
          "they ran on, or strace is too slow here: use fewer --connections"
        );
      }
      this.#tracer.kill("SIGINT");
      const exit = await within(this.#tracer.exited, { timeoutMs: endTimeoutMs, signal });
      if (exit === null) return `strace did not end within ${endTimeoutMs / 1000} s`;
      // It ends by the signal, or with 0 if everything that it traced has ended.
      const asAsked = exit.signal === "SIGINT" || exit.code === 130 || exit.code === 0;
      if (!asAsked) return traceProblem(exit, this.#tracer.stderrTail);
      return parseSummary(readText(this.#summary) ?? "");
    } finally {
      this.kill();
    }
  }

  /** What is traced goes on. */
  kill(): void {
    this.#tracer.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #summary(): string {
    return join(this.#folder, "summary");
  }

  async #untilAttached(pids: readonly number[]): Promise<string | null> {
    const left = await this.#untilEvery(statusFiles(pids), isTraced, {
      within: () => attachTimeoutMs,
    });
    if (this.#tracer.ended) return traceProblem(await this.#tracer.exited, this.#tracer.stderrTail);
    if (left > 0) return `strace did not attach to ${left} threads in ${attachTimeoutMs / 1000} s`;
    this.#awake = await this.#untilAsleep();
    return null;
  }

  /** @returns how many threads do not sleep: a stopped one has a call that is not counted yet. */
  #untilAsleep(enough = 0): Promise<number> {
    const within = (left: number) => noProgressMs + noProgressMsPerThread * left;
    return this.#untilEvery(statusFiles(this.#pids), isAsleep, { within, enough });
  }

  /** @returns how many are left once there was no progress for so long, or the tracer ended. */
  async #untilEvery(
    files: string[],
    holds: (status: string) => boolean,
    { within: withinMs, enough = 0 }: Patience,
  ): Promise<number> {
    let left = files;
    let since = performance.now();
    while (performance.now() - since < withinMs(left.length)) {
      // A thread that has ended meanwhile has no file.
      const missing = left.filter((file) => {
        const status = readText(file);
        return status !== null && !holds(status);
      });
      if (missing.length < left.length) since = performance.now();
      left = missing;
      if (left.length <= enough || this.#tracer.ended) break;
      await this.#pause();
    }
    return left.length;
  }

  /** @throws {Interrupted} */
  async #pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    if (this.#options.signal?.aborted) throw new Interrupted();
  }
}

function statusFiles(pids: readonly number[]): string[] {
  return pids.flatMap((pid) =>
    threadsOf(pid).map((thread) => `/proc/${pid}/task/${thread}/status`),
  );
}

/** proc_pid_status(5): TracerPid, State. */
function isTraced(status: string): boolean {
  return !/^TracerPid:\s*0$/m.test(status);
}

function isAsleep(status: string): boolean {
  return /^State:\s*S/m.test(status);
}

/**
 * Pure. @param text what `strace -c` prints: a row per call with its share, seconds, microseconds
 * per call, calls, errors if it had some, and name; nothing if there was no call.
 */
export function parseSummary(text: string): CallsByName {
  const rows = text.matchAll(/^ *[\d.,]+ +[\d.,]+ +\d+ +(\d+) +(?:\d+ +)?(?!total$)(\w+)$/gm);
  return Object.fromEntries([...rows].map(([, calls, name = ""]) => [name, Number(calls)]));
}
