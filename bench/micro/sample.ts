// How long one operation takes: tinybench measures batches of it, and mitata what is shorter than a
// microsecond. Enters: a function. Leaves: nanoseconds, the median over the batches.

import { measure } from "mitata";
import { Bench } from "tinybench";

const mitataBelowNs = 1000;
/** A batch is long enough that reading the clock costs it nothing. */
const batchNs = 100_000;
const fewestBatches = 5;

/**
 * @param ms for how long to measure; half as long again goes before, so that the code is compiled.
 * @returns nanoseconds a call.
 * @throws what the operation throws.
 */
export async function sample(operation: () => unknown, ms: number): Promise<number> {
  const roughNs = warmUp(operation, ms / 2);
  const options = { ms, batch: Math.ceil(batchNs / roughNs) };
  return roughNs < mitataBelowNs
    ? await byMitata(operation, options)
    : byTinybench(operation, options);
}

/** @returns roughly the nanoseconds a call, once it is warm. */
function warmUp(operation: () => unknown, ms: number): number {
  const end = performance.now() + ms;
  for (let batch = 1; ; ) {
    const started = performance.now();
    for (let i = 0; i < batch; i++) operation();
    const now = performance.now();
    const spentNs = (now - started) * 1e6;
    if (now >= end && spentNs > 0) return spentNs / batch;
    if (spentNs < batchNs) batch *= 2;
  }
}

interface Batches {
  readonly ms: number;
  /** Operations each. */
  readonly batch: number;
}

async function byMitata(operation: () => unknown, { ms, batch }: Batches): Promise<number> {
  const { p50 } = await measure(operation, {
    min_cpu_time: ms * 1e6,
    min_samples: fewestBatches,
    batch_samples: batch,
    // In batches also where its own first look was slow, because the machine was busy.
    warmup_threshold: Number.POSITIVE_INFINITY,
    batch_threshold: Number.POSITIVE_INFINITY,
    gc: false,
  });
  return p50;
}

function byTinybench(operation: () => unknown, { ms, batch }: Batches): number {
  const bench = new Bench({ time: ms, iterations: fewestBatches, warmup: false, throws: true });
  bench.add("batch", () => {
    for (let i = 0; i < batch; i++) operation();
  });
  const result = bench.runSync()[0]?.result;
  if (result?.state !== "completed") throw new Error(`tinybench: ${result?.state ?? "no result"}`);
  return (result.latency.p50 * 1e6) / batch;
}
