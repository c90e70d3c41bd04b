// The workload `replicas`, short, with real processes: every figure is there, and the bound bounds.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { playReplicas } from "../bench/delivery/replicas.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const settings = {
  payloadBytes: 0,
  ratePerSecond: null,
  warmupMs: 50,
  windows: 1,
  windowMs: 500,
  serverCpu: null,
  clientCpu: null,
  block: 0,
};

describe.skipIf(process.platform !== "linux")("replicas", () => {
  it.each([
    ["store:bounded", 2, "100 ms"],
    ["store:unbounded", 1, "none"],
  ])("%s answers %i readers' questions", async (name, connections, bound) => {
    const played = await playReplicas(name, { ...settings, connections, folder });
    if ("unavailable" in played) throw new Error(played.unavailable);
    const { figures, facts, messages, error } = played;
    expect({ facts, error }).toEqual({ facts: { bound }, error: null });
    expect(messages).toBeGreaterThan(0);
    for (const figure of ["readsPerSecond", "brokerCpuPerRead", "readerCpuPerRead"] as const) {
      expect(figures[figure]).toBeGreaterThan(0);
    }
    const ages = [figures.stalenessP50, figures.stalenessP99, figures.stalenessMax];
    expect(ages).toEqual(ages.toSorted((left, right) => (left ?? 0) - (right ?? 0)));
    if (bound === "none") expect(figures.forcedReloadsPerSecond).toBe(0);
    rmSync(join(folder, "store"), { recursive: true });
  });

  it("knows its stores by name", async () => {
    await expect(
      playReplicas("store:imagined", { ...settings, connections: 1, folder }),
    ).rejects.toThrow(/store:imagined is no store/);
  });
});
