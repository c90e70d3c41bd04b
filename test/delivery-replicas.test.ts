// The workload `replicas`, short, with real processes: every figure is there, and the bound bounds.

import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { measureReplicas } from "../bench/delivery/replicas.ts";

const plan = { inFlight: 4, seconds: 0.5, writesPerSecond: 20, keys: 50, blocks: 1, seed: 1 };

describe.skipIf(!existsSync("/proc/self/schedstat"))("replicas", () => {
  it("fills its cells", async () => {
    const scales = [
      { readers: 2, staleMs: 50 },
      { readers: 1, staleMs: null },
    ];
    const cells = await measureReplicas({ ...plan, scales });
    expect(cells.map(({ contender }) => contender)).toEqual([
      "store:2-readers-50ms",
      "store:1-reader-unbounded",
    ]);
    for (const { status, reason, metrics, messages } of cells) {
      expect([status, reason]).toEqual(["ok", null]);
      expect(messages).toBeGreaterThan(0);
      for (const name of ["readsPerSecond", "brokerCpuPerRead", "readerCpuPerRead"] as const) {
        expect(metrics[name]?.median).toBeGreaterThan(0);
      }
      const ages = [metrics.stalenessP50, metrics.stalenessP99, metrics.stalenessMax].map(
        (metric) => metric?.median ?? Number.NaN,
      );
      expect(ages).toEqual(ages.toSorted((left, right) => left - right));
    }
    expect(cells[1]?.metrics.forcedReloadsPerSecond?.median).toBe(0);
  });

  it("stops when it is told to", async () => {
    const scales = [{ readers: 1, staleMs: null }];
    const cells = await measureReplicas({ ...plan, scales, signal: AbortSignal.abort() });
    expect(cells).toMatchObject([{ status: "inconclusive", metrics: {} }]);
  });
});
