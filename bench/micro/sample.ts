// How long one operation takes: the median of the batches of it that tinybench measures.

import { Bench } from "tinybench";

/** A batch is long enough that reading the clock costs it nothing. */
const batchNs = 100_000;
const fewestBatches = 5;

/** @param ms to measure, after half as long to warm up. @returns nanoseconds per call. */
export function sample(operation: () => unknown, ms: number): number {
  const roughNs = warmUp(operation, ms / 2);
  const batch = Math.ceil(batchNs / roughNs);
  const bench = new Bench({ time: ms, iterations: fewestBatches, warmup: false, throws: true });
  bench.add("batch", () => {
    for (let i = 0; i < batch; i++) operation();
  });
  const result = bench.runSync()[0]?.result;
  if (result?.state !== "completed") throw new Error(`tinybench: ${result?.state ?? "no result"}`);
  return (result.latency.p50 * 1e6) / batch;
}

/** @returns roughly the nanoseconds per call, once it is warm. */
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
