// CPU and memory of the server under test while it serves: four times a second, a few small files.
// proc_pid_stat(5), proc_pid_schedstat, "Scheduler Statistics" of the kernel's documentation.
// Enters: a pid. Leaves: samples in batches. Null where the platform does not tell, or where there
// are more processes than may be looked at without disturbing them.

import { type ReadText, readText } from "../host/kernel-files.ts";

export interface Sample {
  /** Of one core since the sample before; null for the first of a server. */
  readonly cpuPercent: number | null;
  /** Resident, shared pages included. */
  readonly memoryBytes: number | null;
  /** How long before the batch was handed over. */
  readonly agoMs: number;
}

const everyMs = 250;
/** Two samples go out together: half as many wake-ups for whoever shows them. */
const batchOf = 2;
/** A process for each connection is too many to look at. */
const mostProcesses = 16;

export class Sampler {
  readonly #onBatch: (samples: readonly Sample[]) => void;
  readonly #timer: NodeJS.Timeout;
  #usage: UsageReader | null = null;
  #batch: { readonly sample: Omit<Sample, "agoMs">; readonly takenMs: number }[] = [];

  constructor(onBatch: (samples: readonly Sample[]) => void) {
    this.#onBatch = onBatch;
    this.#timer = setInterval(() => this.#take(), everyMs);
    this.#timer.unref();
  }

  /** From now on this process. */
  watch(pid: number): void {
    this.#usage = new UsageReader(pid);
    this.#usage.take(performance.now());
  }

  /** It is about to end: what was taken is handed over. */
  rest(): void {
    this.#usage = null;
    this.#handOver();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #take(): void {
    const takenMs = performance.now();
    const sample = this.#usage?.take(takenMs) ?? null;
    if (sample !== null) this.#batch.push({ sample, takenMs });
    // Without a server an empty batch is told, too: time passes.
    if (sample === null || this.#batch.length >= batchOf) this.#handOver();
  }

  #handOver(): void {
    const nowMs = performance.now();
    const batch = this.#batch;
    this.#batch = [];
    this.#onBatch(batch.map(({ sample, takenMs }) => ({ ...sample, agoMs: nowMs - takenMs })));
  }
}

/** One server's process with its children, between two looks. */
export class UsageReader {
  readonly #pid: number;
  readonly #read: ReadText;
  #last: { readonly cpuNs: number; readonly atMs: number } | null = null;

  constructor(pid: number, read: ReadText = readText) {
    this.#pid = pid;
    this.#read = read;
  }

  /** @returns null where the process is gone, or the platform has no procfs. */
  take(nowMs: number): Omit<Sample, "agoMs"> | null {
    const own = usageOf(this.#pid, this.#read);
    if (own === null) return null;
    const children = this.#children();
    if (children === null) return { cpuPercent: null, memoryBytes: null };
    const all = [own, ...children.map((pid) => usageOf(pid, this.#read))];
    const known = all.filter((usage) => usage !== null);
    const cpuNs = known.reduce((sum, usage) => sum + usage.cpuNs, 0);
    const memoryBytes = known.reduce((sum, usage) => sum + usage.memoryBytes, 0);
    const last = this.#last;
    this.#last = { cpuNs, atMs: nowMs };
    const spentNs = last === null ? 0 : cpuNs - last.cpuNs;
    // Of a child that has ended nothing is left to count.
    const told = last !== null && spentNs >= 0 && nowMs > last.atMs;
    const cpuPercent = told ? spentNs / (nowMs - last.atMs) / 1e4 : null;
    return { cpuPercent, memoryBytes };
  }

  /** Null where there are too many. */
  #children(): number[] | null {
    const text = this.#read(`/proc/${this.#pid}/task/${this.#pid}/children`) ?? "";
    const pids = text.split(" ").filter((word) => word !== "");
    return pids.length > mostProcesses ? null : pids.map(Number);
  }
}

/** What Linux counts in, on every architecture that Node has: USER_HZ and the page. */
const tickNs = 1e7;
const pageBytes = 4096;

function usageOf(pid: number, read: ReadText) {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The name before the last parenthesis may hold anything; the state follows it, field 3.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3]);
  const ticksNs = (field(14) + field(15)) * tickNs;
  // Nanoseconds are of one thread only; ticks are of all.
  const schedstat = field(20) === 1 ? read(`/proc/${pid}/schedstat`) : null;
  const exactNs = Number(schedstat?.split(" ")[0] ?? Number.NaN);
  return {
    cpuNs: Number.isFinite(exactNs) ? exactNs : ticksNs,
    memoryBytes: field(24) * pageBytes,
  };
}
