// latency-against-load: the pilot's rate, the knee, and what the report shows of both.

import { describe, expect, it } from "vitest";
import { contenders } from "../bench/contenders/catalogue.ts";
import { chooseCpus } from "../bench/host/cpus.ts";
import { LocalHost } from "../bench/host/local.ts";
import { readMachineLimits } from "../bench/host/machine-limits.ts";
import type { Cell } from "../bench/model/results.ts";
import { latencyAgainstLoad } from "../bench/model/workloads/latency-against-load.ts";
import { kneeSentences, kneesOf } from "../bench/report/knee.ts";
import { reportOf } from "../bench/report/report.ts";
import { plain } from "../bench/report/sentence.ts";
import type { Part, Plan } from "../bench/run/plan.ts";
import { run } from "../bench/run/run.ts";
import { inventedResults, measuredCell } from "./report-data.ts";
import { renderMarkdown } from "./report-words.ts";

const percents = [25, 50, 75, 90];

/** One contender at each load, with these p99. */
function loaded(contender: string, p99s: readonly number[]): Cell[] {
  return p99s.map((p99, index) => {
    const capacityPercent = percents[index] ?? 0;
    return {
      ...measuredCell(contender, { cpu: 5, p50: p99 / 3, p99, percent: capacityPercent }),
      workload: "latency-against-load",
      variant: `${capacityPercent} % of its capacity`,
      headline: "latencyP99",
      ratePerSecond: null,
      capacityPercent,
    };
  });
}

const cells = [
  ...loaded("cpp:reactor-epoll", [100, 150, 199, 201]),
  ...loaded("ts:reactor-epoll", [100, 201, 150, 900]),
  ...loaded("node:net", [100, 120]),
  ...loaded("cpp:select", [100]),
];

describe("the knee", () => {
  it("is the lowest load at which p99 is more than twice that of the lightest", () => {
    const found = kneesOf(cells).map(({ contender, cell, most }) => ({
      ...{ contender, most, at: cell?.capacityPercent ?? null },
    }));
    expect(found).toEqual([
      { contender: "cpp:reactor-epoll", most: 90, at: 90 },
      { contender: "ts:reactor-epoll", most: 90, at: 50 },
      { contender: "node:net", most: 50, at: null },
    ]);
  });

  it("is a sentence after the tables, and a ring in the chart", () => {
    const report = reportOf(inventedResults({ cells }));
    const [sentence] = kneeSentences(cells);
    const text = plain(sentence ?? []);
    expect(text).toBe(
      "p99 exceeds twice that of the lightest load: cpp:reactor-epoll from 90 %; " +
        "ts:reactor-epoll from 50 %; node:net not up to 50 %.",
    );
    const verdicts = report.groups.map(({ verdict }) => verdict.map(plain));
    expect(verdicts.flat().filter((one) => one === text)).toHaveLength(1);
    expect(verdicts.at(-1)).toContain(text);
    const section = report.sections.find(({ id }) => id === "load");
    const [p99] = section?.charts ?? [];
    if (p99?.spec.kind !== "lines") throw new Error("there is no line chart of p99");
    const ringed = p99.spec.series.map(({ contender, points }) => ({
      ...{ contender, at: points.filter((point) => point.ringed).map(({ x }) => x) },
    }));
    expect(ringed).toEqual([
      { contender: "cpp:reactor-epoll", at: [90] },
      { contender: "ts:reactor-epoll", at: [50] },
      { contender: "node:net", at: [] },
      { contender: "cpp:select", at: [] },
    ]);
  });
});

describe("a load that could not be sent in one of the blocks", () => {
  const reason = "75 % of its capacity is 106,702 messages/s; the load generator can send 100,281";
  const last = cells.find(({ capacityPercent }) => capacityPercent === 90);
  if (last === undefined) throw new Error("no cell");
  const partly: Cell = { ...last, status: "unavailable", reason, blocks: 2, droppedBlocks: 1 };
  const never: Cell = {
    ...{ ...last, contender: "node:net", status: "unavailable", reason, blocks: 0 },
    ...{ droppedBlocks: 1, metrics: {} },
  };
  const results = inventedResults({
    cells: [...cells.filter((cell) => cell !== last), partly, never],
  });

  it("is shown with what the other blocks measured, open and not ranked", () => {
    const [p99] = reportOf(results).sections.find(({ id }) => id === "load")?.charts ?? [];
    if (p99?.spec.kind !== "lines") throw new Error("there is no line chart of p99");
    const marks = new Map(
      p99.spec.series.map(({ contender, points }) => [
        contender,
        points.map(({ x, open }) => (open ? `open ${x}` : x)),
      ]),
    );
    expect(marks.get("cpp:reactor-epoll")).toEqual([25, 50, 75, "open 90"]);
    expect(marks.get("node:net")).toEqual([25, 50]);
    const text = renderMarkdown(results);
    expect(text).toContain(
      `${reason}; measured in 2 of 3 blocks: p99 201 µs (197–205), not ranked`,
    );
    expect(text).toContain(`| node:net | unavailable: ${reason} |`);
  });
});

describe.runIf(process.platform === "linux")("a part of a server's own capacity", () => {
  it("is the rate that the server gets", async () => {
    const scale = { connections: 40, payloadBytes: 64, ratePerSecond: null };
    const workload = { ...latencyAgainstLoad, rules: [] };
    const scenarios = workload
      .loads(scale)
      .filter(({ load }) => load.capacityPercent <= 50)
      .map((each) => ({ workload, ...each, ratePerSecond: null }));
    const chosen = contenders.filter(({ name }) => name === "node:net");
    const part: Part = {
      ...{ scenarios, contenders: chosen, blocks: { minimum: 1, maximum: 1 } },
      timing: { warmupMs: 50, steadyWithinMs: 0, windows: 2, windowMs: 100 },
    };
    const plan: Plan = {
      ...{ profile: "test", parts: [part], contenders: chosen, reference: "cpp:reactor-epoll" },
      ...{ blocks: part.blocks, timing: part.timing, seed: 1, options: {} },
    };
    const measure = () =>
      run(plan, {
        host: new LocalHost(),
        cpus: chooseCpus(),
        signal: new AbortController().signal,
        environment: { fingerprint: "test" },
        machine: readMachineLimits(),
        onProgress: () => {},
      });
    let results = await measure();
    // A machine that stands still for a window sends too little in it.
    for (let again = 0; again < 4 && results.cells.some(({ status }) => status !== "ok"); again++) {
      results = await measure();
    }
    expect(results.cells.map(({ capacityPercent }) => capacityPercent)).toEqual([25, 50]);
    for (const cell of results.cells) {
      if (cell.status === "unavailable") {
        // Other tests share the load generator's CPU.
        expect(cell.reason).toMatch(/ messages\/s; the load generator can send [\d,]+ on its CPU$/);
        continue;
      }
      expect(cell, cell.reason ?? "").toMatchObject({ status: "ok", mismatches: 0, blocks: 1 });
      const { throughput, latencyP99, serverCpuPerMessage } = cell.metrics;
      expect(throughput?.median).toBeGreaterThan(0);
      expect(latencyP99?.median).toBeGreaterThan(0);
      expect(serverCpuPerMessage?.median).toBeGreaterThan(0);
    }
  });
});
