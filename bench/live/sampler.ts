// Samples CPU and memory of the servers under test while they serve, and hands the samples over in
// batches. One server is sampled four times per second, several servers each at least once per
// second.

import type { Host } from "../host/host.ts";
import type { Usage } from "../host/usage.ts";

/** Null if the platform does not account it. */
interface UsageSample {
  /** Percent of one core since the previous sample; null for the first sample of a server. */
  readonly cpuPercent: number | null;
  /** Resident, shared pages included. */
  readonly memoryBytes: number | null;
}

export interface Sample extends UsageSample {
  readonly contender: string;
  /** How long before the batch was handed over. */
  readonly agoMs: number;
}

const everyMs = 250;
/** Samples of two turns go out together: half as many wake-ups for the pages that show them. */
const batchOf = 2;
/** So that the processes of a block take no more time from it than one server does. */
const mostTurns = 4;

interface Watched {
  readonly pid: number;
  readonly reader: UsageReader;
}

export class Sampler {
  readonly #host: Host;
  readonly #onBatch: (samples: readonly Sample[]) => void;
  readonly #timer: NodeJS.Timeout;
  /** By contender. */
  readonly #watched = new Map<string, Watched>();
  #turn = 0;
  #batch: (UsageSample & { readonly contender: string; readonly takenMs: number })[] = [];

  constructor(host: Host, onBatch: (samples: readonly Sample[]) => void) {
    this.#host = host;
    this.#onBatch = onBatch;
    // A machine that is lost has no usage: the run says so.
    this.#timer = setInterval(() => void this.#take().catch(() => {}), everyMs);
    this.#timer.unref();
  }

  /** Samples this process from now on, in addition to those of other contenders. */
  watch(contender: string, pid: number): void {
    const watched = { pid, reader: new UsageReader() };
    this.#watched.set(contender, watched);
    void this.#sample(contender, watched).catch(() => {});
  }

  /** Its round is over: what was taken is handed over. */
  rest(contender: string): void {
    this.#watched.delete(contender);
    this.#handOver();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #take(): Promise<void> {
    const turns = Math.min(this.#watched.size, mostTurns);
    const turn = this.#turn++;
    const due = [...this.#watched].filter((_, index) => index % turns === turn % turns);
    for (const [contender, watched] of due) {
      const takenMs = performance.now();
      const sample = await this.#sample(contender, watched);
      if (sample !== null) this.#batch.push({ ...sample, contender, takenMs });
    }
    // Without a server an empty batch goes out, too: time passes.
    if (this.#batch.length === 0 || turn % batchOf === 0) this.#handOver();
  }

  async #sample(contender: string, watched: Watched): Promise<UsageSample | null> {
    const usage = await this.#host.usage(watched.pid);
    const current = this.#watched.get(contender) === watched;
    return current ? watched.reader.take(usage, performance.now()) : null;
  }

  #handOver(): void {
    const nowMs = performance.now();
    const batch = this.#batch;
    this.#batch = [];
    this.#onBatch(batch.map(({ takenMs, ...sample }) => ({ ...sample, agoMs: nowMs - takenMs })));
  }
}

/** Turns what a server has used until now into what it used between two samples. */
export class UsageReader {
  #last: { readonly cpuNs: number; readonly atMs: number } | null = null;

  /** @returns null if the process has ended. */
  take(usage: Usage | null, nowMs: number): UsageSample | null {
    if (usage === null) return null;
    const { cpuNs, memoryBytes } = usage;
    if (cpuNs === null) return { cpuPercent: null, memoryBytes };
    const last = this.#last;
    this.#last = { cpuNs, atMs: nowMs };
    const spentNs = last === null ? 0 : cpuNs - last.cpuNs;
    // The accounts of a child end with it: the sum may have become smaller.
    const known = last !== null && spentNs >= 0 && nowMs > last.atMs;
    const cpuPercent = known ? spentNs / (nowMs - last.atMs) / 1e4 : null;
    return { cpuPercent, memoryBytes };
  }
}
