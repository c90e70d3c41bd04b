// perf(1) on this machine: whether it may sample here, what it lacks, and one recording of a
// server's CPU. It samples by a clock in software, so that it also works on a virtual machine
// without hardware counters. perf-record(1), perf_event_open(2)

import { mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { within } from "./deadline.ts";
import {
  describeEnd,
  describeExit,
  type Exit,
  type Host,
  type HostProcess,
  type OnHost,
} from "./host.ts";
import { listNames, type ReadText, readText } from "./kernel-files.ts";

export const samplesPerSecond = 997; // a prime: no timer of the server keeps step with it

const sample = ["record", "-e", "cpu-clock", "-g", "-F", String(samplesPerSecond)];
const scriptTimeoutMs = 120_000;
const marginMs = 10_000;
const triedMs = 20_000;
const quotedCharacters = 600;

/** Why no profile can be made here, and how to change that; null if it can. */
export async function perfProblem(host: Host, read: ReadText = readText): Promise<string | null> {
  if (host.platform !== "linux") return `perf is not available on ${host.platform}`;
  const folder = mkdtempSync(join(tmpdir(), "io-selectors-perf-"));
  try {
    const argv = ["perf", ...sample, "-a", "-o", join(folder, "perf.data"), "--", "sleep", "0.01"];
    const child = host.start(argv, { onLine: () => {} });
    const exit = await within(child.exited, { timeoutMs: triedMs });
    child.kill("SIGKILL");
    return problemOf(exit, child.stderrTail, read);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const installing =
  "install it: apt-get install linux-perf (Debian), apt-get install linux-tools-generic " +
  "(Ubuntu), dnf install perf, apk add perf";

/** @param exit of `perf record`; null if it did not end. */
export function problemOf(exit: Exit | null, stderr: string, read: ReadText): string | null {
  if (exit === null) return `perf record did not end within ${triedMs / 1000} s`;
  if (exit.error !== null) return `perf is not installed; ${installing}`;
  if (exit.code !== 0) {
    const paranoid = read("/proc/sys/kernel/perf_event_paranoid");
    if (paranoid !== null && Number(paranoid) > 0 && /paranoid|permi/i.test(stderr)) {
      return (
        `kernel.perf_event_paranoid is ${paranoid}, which forbids samples of a CPU; allow it: ` +
        "sudo sysctl kernel.perf_event_paranoid=0 kernel.kptr_restrict=0, or run as root"
      );
    }
    return `perf record ${describeExit(exit)}: ${stderr.slice(-quotedCharacters)}`;
  }
  const hidden = /^0+ /.test(read("/proc/kallsyms")?.slice(0, 40) ?? "");
  return hidden
    ? "the kernel hides the names of its functions (kernel.kptr_restrict); allow them: " +
        "sudo sysctl kernel.kptr_restrict=0, or run as root"
    : null;
}

interface Recording {
  /** Sampled alone; null samples all. */
  readonly cpu: number | null;
  readonly seconds: number;
  readonly onLine: (line: string) => void;
  /** Called once the samples are taken, before they are read: the server still lives. */
  readonly onRecorded: () => void;
}

/** @returns what went wrong, or null. @throws {Interrupted} */
export async function recordCpu(recording: Recording, options: OnHost): Promise<string | null> {
  const { cpu, seconds, onLine, onRecorded } = recording;
  const folder = mkdtempSync(join(tmpdir(), "io-selectors-perf-"));
  const file = join(folder, "perf.data");
  const where = cpu === null ? ["-a"] : ["-C", String(cpu)];
  const record = ["perf", ...sample, ...where, "-o", file, "--", "sleep", String(seconds)];
  const script = ["perf", "script", "-i", file, "-F", "pid,ip,sym,dso"];
  try {
    const recorded = await ended(record, 1000 * seconds + marginMs, {
      ...options,
      onLine: () => {},
    });
    onRecorded();
    return recorded ?? (await ended(script, scriptTimeoutMs, { ...options, onLine }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ended(
  argv: readonly string[],
  timeoutMs: number,
  { host, signal, onLine }: OnHost & Pick<Recording, "onLine">,
): Promise<string | null> {
  const child: HostProcess = host.start(argv, { onLine });
  try {
    const exit = await within(child.exited, { timeoutMs, signal });
    const name = argv.slice(0, 2).join(" ");
    if (exit === null) return `${name} did not end within ${timeoutMs / 1000} s`;
    return exit.code === 0 ? null : describeEnd(child, `${name} ${describeExit(exit)}`);
  } finally {
    child.kill("SIGKILL");
  }
}

/** Files that V8 wrote for perf, by process: the names of functions, and a log beside them. */
export class PerfFiles {
  readonly #folders = new Map<number, string>();

  /** Remembers where a process works while it lives. */
  add(pid: number): void {
    const folder = attempt(() => readlinkSync(`/proc/${pid}/cwd`));
    if (folder !== null) this.#folders.set(pid, folder);
  }

  remove(): void {
    for (const [pid, folder] of this.#folders) {
      rmSync(`/tmp/perf-${pid}.map`, { force: true });
      const logs = listNames(folder).filter((name) => isLogOf(name, pid));
      for (const name of logs) rmSync(join(folder, name), { force: true });
    }
  }
}

function isLogOf(name: string, pid: number): boolean {
  return /^isolate-0x[0-9a-f]+-\d+-v8\.log$/.test(name) && name.endsWith(`-${pid}-v8.log`);
}

function attempt<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}
