// The workload `replicas`, short, with real processes: every figure is there, the bound bounds, and
// the report has the price of one address.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { playReplicas } from "../bench/delivery/replicas.ts";
import type { Cell } from "../bench/model/results.ts";
import { replicas } from "../bench/model/workloads/replicas.ts";
import { sectionsOf } from "../bench/report/charts/sections.ts";
import { inventedResults, metric, otherCell } from "./report-data.ts";

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
    ["store:bounded", 2, { bound: "100 ms", addresses: "two" }],
    ["store:unbounded", 1, { bound: "none", addresses: "two" }],
    ["store:one-address", 1, { bound: "100 ms", addresses: "one" }],
  ])("%s with %i readers answers reads and writes", async (name, connections, expected) => {
    const played = await playReplicas(name, { ...settings, connections, folder });
    if ("unavailable" in played) throw new Error(played.unavailable);
    const { figures, facts, messages, error } = played;
    expect({ facts, error }).toEqual({ facts: expected, error: null });
    expect(messages).toBeGreaterThan(0);
    const perRead = ["readsPerSecond", "brokerCpuPerRead", "readerCpuPerRead"] as const;
    for (const figure of [...perRead, "writesPerSecond", "brokerCpuPerWrite"] as const) {
      expect(figures[figure], figure).toBeGreaterThan(0);
    }
    const ages = [figures.stalenessP50, figures.stalenessP99, figures.stalenessMax];
    expect(ages).toEqual(ages.toSorted((left, right) => (left ?? 0) - (right ?? 0)));
    if (expected.bound === "none") expect(figures.forcedReloadsPerSecond).toBe(0);
    rmSync(join(folder, "store"), { recursive: true });
  });

  it("knows its stores by name", async () => {
    await expect(
      playReplicas("store:imagined", { ...settings, connections: 1, folder }),
    ).rejects.toThrow(/store:imagined is no store/);
  });
});

describe("the report's section", () => {
  const cell = (contender: string, connections: number, read: number, write?: number): Cell => ({
    ...otherCell(contender, "ok", ""),
    workload: replicas.name,
    headline: replicas.headline,
    reason: null,
    connections,
    activeConnections: connections,
    payloadBytes: 0,
    ratePerSecond: null,
    blocks: 3,
    metrics: {
      readsPerSecond: metric("1/s", 10_000),
      brokerCpuPerRead: metric("us", read),
      ...(write === undefined ? {} : { brokerCpuPerWrite: metric("us", write) }),
    },
  });
  const leadOf = (cells: readonly Cell[]) =>
    sectionsOf(inventedResults({ cells })).find(({ id }) => id === "workload-replicas")?.lead;

  it("has the price of one address at each scale where both were measured", () => {
    const lead = leadOf([
      cell("store:bounded", 1, 32, 41),
      cell("store:unbounded", 1, 26, 38),
      cell("store:one-address", 1, 77, 95),
      cell("store:bounded", 2, 33),
      cell("store:one-address", 2, 78),
      cell("store:bounded", 4, 34),
    ]);
    expect(lead).toContain(
      "With 1 reader and one address for both, the broker's CPU is 77.0 µs per read instead of " +
        "32.0 µs, 95.0 µs per write instead of 41.0 µs.",
    );
    expect(lead).toContain("With 2 readers");
    expect(lead).toContain("is 78.0 µs per read instead of 33.0 µs.");
    expect(lead).not.toContain("4 readers");
  });

  it("has none without the two", () => {
    expect(leadOf([cell("store:bounded", 1, 32, 41)])).toBe(replicas.lead);
  });
});
