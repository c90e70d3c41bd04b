// CPU and memory of the server under test while it serves, four times per second, in batches.

import type { Host } from "../host/host.ts";
import type { Usage } from "../host/usage.ts";

/** Null if the platform does not account it. */
interface UsageSample {
  /** Of one core since the sample before; null for the first of a server. */
  readonly cpuPercent: number | null;
  /** Resident, shared pages included. */
  readonly memoryBytes: number | null;
}

export interface Sample extends UsageSample {
  /** How long before the batch was handed over. */
  readonly agoMs: number;
}

const everyMs = 250;
/** Two samples go out together: half as many wake-ups for the pages that show them. */
const batchOf = 2;

export class Sampler {
  readonly #host: Host;
  readonly #onBatch: (samples: readonly Sample[]) => void;
  readonly #timer: NodeJS.Timeout;
  #watched: { readonly pid: number; readonly reader: UsageReader } | null = null;
  #batch: { readonly sample: UsageSample; readonly takenMs: number }[] = [];

  constructor(host: Host, onBatch: (samples: readonly Sample[]) => void) {
    this.#host = host;
    this.#onBatch = onBatch;
    this.#timer = setInterval(() => void this.#take(), everyMs);
    this.#timer.unref();
  }

  /** Samples this process from now on. */
  watch(pid: number): void {
    this.#watched = { pid, reader: new UsageReader() };
    void this.#sample();
  }

  /** Its round is over: what was taken is handed over. */
  rest(): void {
    this.#watched = null;
    this.#handOver();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #take(): Promise<void> {
    const takenMs = performance.now();
    const sample = await this.#sample();
    if (sample !== null) this.#batch.push({ sample, takenMs });
    // Without a server an empty batch goes out, too: time passes.
    if (sample === null || this.#batch.length >= batchOf) this.#handOver();
  }

  async #sample(): Promise<UsageSample | null> {
    const watched = this.#watched;
    if (watched === null) return null;
    const usage = await this.#host.usage(watched.pid);
    return watched === this.#watched ? watched.reader.take(usage, performance.now()) : null;
  }

  #handOver(): void {
    const nowMs = performance.now();
    const batch = this.#batch;
    this.#batch = [];
    this.#onBatch(batch.map(({ sample, takenMs }) => ({ ...sample, agoMs: nowMs - takenMs })));
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
