// What a report must not say: figures under the wrong name, curves that join what does not belong
// together, verdicts without ground. On invented results.

import { describe, expect, it } from "vitest";
import { contenders } from "../bench/contenders/catalogue.ts";
import { families } from "../bench/contenders/families.ts";
import type { Cell, Metric } from "../bench/model/results.ts";
import { whyOf } from "../bench/report/causes.ts";
import { drawChart } from "../bench/report/charts/chart.ts";
import { growthCharts } from "../bench/report/charts/growth.ts";
import { percentileChart } from "../bench/report/charts/percentiles.ts";
import { sectionsOf } from "../bench/report/charts/sections.ts";
import { timelineChart } from "../bench/report/charts/timeline.ts";
import { judgedClaims } from "../bench/report/claims.ts";
import { tilesOf } from "../bench/report/decision.ts";
import { groupCells, headlineFirst } from "../bench/report/groups.ts";
import { idleSentence } from "../bench/report/idle-words.ts";
import { kneesOf } from "../bench/report/knee.ts";
import { join } from "../bench/report/markup.ts";
import { plain } from "../bench/report/sentence.ts";
import { integrityText, windowsSentence } from "../bench/report/words.ts";
import { encodeHistogram } from "../bench/statistics/hdr-encoding.ts";
import { Histogram, latencyGeometry } from "../bench/statistics/histogram.ts";
import { inventedResults, measuredCell, metric } from "./report-data.ts";
import { renderTerminal } from "./report-words.ts";

const figures = { cpu: 10, p50: 100, p99: 400, percent: 30 };

/** A cell of another workload, about one metric. */
function about(workload: string, name: string, value: Metric, contender = "node:net"): Cell {
  const cell = measuredCell(contender, figures);
  const { ratioToReference } = cell.metrics;
  return {
    ...cell,
    ...{ workload, headline: name as never, ratePerSecond: null },
    metrics: { [name]: value, ...(ratioToReference === undefined ? {} : { ratioToReference }) },
  };
}

describe("the first tile", () => {
  const first = (cells: readonly Cell[]) => {
    const results = inventedResults({ cells });
    const groups = groupCells(results);
    const [opening] = headlineFirst(groups);
    if (opening === undefined) throw new Error("no group");
    return tilesOf(groups, opening, results)[0]?.words;
  };

  it("calls no ratio CPU per message but that of CPU per message", () => {
    const both = (workload: string, name: string, unit: string) =>
      ["cpp:reactor-epoll", "node:net"].map((one) => about(workload, name, metric(unit, 9), one));
    expect(first(both("memory", "userBytesPerConnection", "bytes"))).not.toMatch(/CPU per message/);
    expect(first(both("echo-capacity", "messagesPerCpuSecond", "1/s"))).not.toMatch(/CPU per mess/);
    const echo = ["cpp:reactor-epoll", "node:net"].map((name) => measuredCell(name, figures));
    expect(first(echo)).toMatch(/^CPU per message of node:net against cpp:reactor-epoll/);
    const failed = echo.map((cell) =>
      cell.contender === "node:net" ? { ...cell, status: "failed" as const } : cell,
    );
    expect(first(failed)).not.toContain("node:net");
    const counted = { workload: "event-delivery", messages: 5 };
    expect(first(echo.map((cell) => ({ ...cell, ...counted })))).not.toMatch(/wrong or missing/);
    const full = echo.map((cell) => ({ ...cell, saturated: cell.contender === "node:net" }));
    expect(first(full)).not.toMatch(/^CPU per message of/);
  });
});

describe("the other tiles", () => {
  const all = (cells: readonly Cell[]) => {
    const results = inventedResults({ cells });
    const groups = groupCells(results);
    const [opening] = headlineFirst(groups);
    if (opening === undefined) throw new Error("no group");
    return tilesOf(groups, opening, results);
  };

  it("count what was measured", () => {
    const idle = about("idle", "idleCpuPercent", metric("percent", 1));
    const skipped = { ...idle, contender: "cpp:poll", connections: 123_456, metrics: {} };
    const tiles = all([idle, { ...skipped, status: "skipped" }]);
    expect(tiles).toContainEqual({ figure: "1", words: "contender" });
    expect(tiles.some(({ figure }) => figure === "123,456")).toBe(false);
  });

  it("name the servers that have the figure", () => {
    const held = (contender: string, kernel: number | null, p99: number | null): Cell => ({
      ...about("scale", "userBytesPerConnection", metric("bytes", 64), contender),
      metrics: {
        userBytesPerConnection: metric("bytes", 64),
        ...(kernel === null ? {} : { kernelBytesPerConnection: metric("bytes", kernel) }),
        ...(p99 === null ? {} : { latencyP99: metric("us", p99) }),
      },
    });
    const tiles = all([held("cpp:reactor-epoll", null, null), held("node:net", 2048, 500)]);
    const words = tiles.map((tile) => tile.words);
    expect(words[0]).toBe("connections held by cpp:reactor-epoll · node:net");
    expect(words[1]).toMatch(/cpp:reactor-epoll · node:net, and 2 KiB in the kernel for both/);
    expect(tiles[2]).toMatchObject({ figure: "500 µs" });
    expect(words[2]).toMatch(/sweep over all: node:net/);
  });
});

describe("a curve", () => {
  const at = (connections: number, changes: Partial<Cell> = {}): Cell => ({
    ...measuredCell("cpp:poll", figures),
    ...{ connections, activeConnections: connections },
    ...changes,
  });

  it("joins cells of one rate only", () => {
    const cells = [1, 10, 100].flatMap((connections) => [
      at(connections, { ratePerSecond: 10_000 }),
      at(connections, { ratePerSecond: 20_000 }),
    ]);
    const charts = growthCharts(cells, { over: "connections", metric: "serverCpuPerMessage" });
    expect(charts.map(({ scale }) => scale)).toEqual([
      "64-byte messages, 10,000 messages/s",
      "64-byte messages, 20,000 messages/s",
    ]);
    for (const { spec } of charts) {
      if (spec.kind !== "lines") throw new Error("no lines");
      expect(spec.series.map(({ points }) => points.length)).toEqual([3]);
    }
  });

  it("has open marks where a core is saturated", () => {
    const cells = [at(1), at(10), at(100, { saturated: true })];
    const [chart] = growthCharts(cells, { over: "connections", metric: "serverCpuPerMessage" });
    if (chart?.spec.kind !== "lines") throw new Error("no lines");
    const [series] = chart.spec.series;
    expect(series?.points.map(({ open }) => open)).toEqual([false, false, true]);
    expect(series?.points[2]?.tip).toMatch(/, saturated$/);
  });

  it("is on a linear axis if a figure is 0, which a logarithmic one has no place for", () => {
    const kindOf = (least: number) => {
      const cells = [4, 8, 16].map((connections, index) => ({
        ...about("event-delivery", "lostPercent", metric("percent", index + least)),
        ...{ connections, activeConnections: connections },
      }));
      const [chart] = growthCharts(cells, { over: "connections", metric: "lostPercent" });
      if (chart?.spec.kind !== "lines") throw new Error("no lines");
      return chart.spec.yAxis.kind;
    };
    expect([kindOf(0), kindOf(1)]).toEqual(["linear", "log"]);
  });

  it("has no tick of a percentile beyond its end", () => {
    const histogram = new Histogram(latencyGeometry);
    for (let i = 1; i <= 20_000; i++) histogram.record(i * 1000);
    const latencyHistogram = encodeHistogram(histogram);
    const cells = [{ ...measuredCell("cpp:reactor-epoll", figures), latencyHistogram }];
    const [group] = groupCells(inventedResults({ cells }));
    const chart = group === undefined ? undefined : percentileChart(group);
    if (chart === undefined) throw new Error("no chart");
    const drawn = join(drawChart(chart, 860).body);
    expect(drawn).toContain(">p99.9<");
    expect(drawn).not.toContain(">p99.99<");
  });

  it("joins no workloads into latency against load", () => {
    const rates = ["echo-rate", "active-fraction", "blocking-handler"].map((workload, index) => ({
      ...measuredCell("cpp:reactor-epoll", figures),
      ...{ workload, ratePerSecond: 2_000 * (index + 1) },
    }));
    const ids = sectionsOf(inventedResults({ cells: rates })).map(({ id }) => id);
    expect(ids).not.toContain("load");
  });
});

describe("the causes", () => {
  it("know how each server of the suite waits", () => {
    const strategies = [...contenders, ...(families["blocking-handler"] ?? [])];
    for (const { name, strategy } of strategies) {
      const cell = { ...measuredCell(name, figures), strategy };
      const [group] = groupCells(inventedResults({ cells: [cell] }));
      expect(whyOf(group)[0]?.waiting, name).not.toBe("unknown");
    }
  });
});

describe("a sentence", () => {
  it("says that windows were discarded, and blames nothing that was not found", () => {
    const of = (dropped: number, cells: number) =>
      plain(windowsSentence({ windows: { dropped, cells } } as never));
    expect([of(0, 0), of(1, 1), of(5, 2)]).toEqual([
      "No window was discarded.",
      "1 window of 1 cell was discarded.",
      "5 windows of 2 cells were discarded.",
    ]);
  });

  it("claims that bytes were checked where the suite made them", () => {
    const text = (changes: Partial<Cell>) => {
      const cells = [{ ...measuredCell("node:net", figures), messages: 1, ...changes }];
      const [group] = groupCells(inventedResults({ cells }));
      return group === undefined ? "" : integrityText(group);
    };
    expect(text({})).toBe("1 message came back, every byte checked, none wrong or missing.");
    expect(text({ payloadBytes: 0 })).toBe("1 message came back, none wrong or missing.");
    expect(text({ workload: "connect-rate", messages: 2 })).toBe(
      "2 connections, none wrong or missing.",
    );
    const counted = { workload: "event-delivery", messages: 3 };
    expect(text(counted)).toBe("3 events for a listener, lost ones counted separately.");
    expect(text({ ...counted, mismatches: 1 })).toMatch(/, 1 wrong or missing\.$/);
  });

  it("has a verb, also if no server is busy while idle", () => {
    const idle = (contender: string, percent: number) =>
      about("idle", "idleCpuPercent", metric("percent", percent), contender);
    const said = (...cells: readonly Cell[]) =>
      plain(idleSentence(groupCells(inventedResults({ cells }))[0]));
    expect(said(idle("node:net", 0), idle("cpp:reactor-epoll", 0))).toBe(
      "With 10,000 silent connections, node:net and cpp:reactor-epoll use less than 0.1 % of " +
        "a core.",
    );
    expect(said(idle("node:net", 0))).toMatch(/node:net uses less than 0\.1 % of a core\.$/);
    expect(said(idle("cpp:busy-poll", 99), idle("node:net", 0))).toMatch(
      /cpp:busy-poll uses 99\.0 % of a core; node:net less than 0\.1 %\.$/,
    );
  });
});

describe("a verdict", () => {
  it("takes no claim for decided by a tie or a saturated core", () => {
    const judged = (changes: Partial<Cell>) => {
      const cell = measuredCell("node:net", { ...figures, cpu: 22 });
      const all = judgedClaims({
        ...{ cells: [{ ...cell, ...changes }], reference: "cpp:reactor-epoll" },
      });
      return all.map(({ judged: { judgement } }) => judgement).filter((one) => one === "holds");
    };
    expect(judged({}).length).toBeGreaterThan(0);
    expect(judged({ status: "tie" })).toEqual([]);
    expect(judged({ saturated: true })).toEqual([]);
  });

  it("compares the latencies of one scale only", () => {
    const at = (connections: number, capacityPercent: number, p99: number): Cell => ({
      ...measuredCell("node:net", { ...figures, p99 }),
      ...{ workload: "latency-against-load", ratePerSecond: null, capacityPercent },
      ...{ connections, activeConnections: connections },
    });
    const few = [at(100, 25, 100), at(100, 90, 110)];
    const many = [at(10_000, 25, 1000), at(10_000, 90, 1100)];
    expect(kneesOf([...few, ...many]).map(({ cell }) => cell)).toEqual([null]);
  });

  it("calls no round discarded whose windows were all used", () => {
    const round = {
      ...{ workload: "echo-rate", contender: "node:net", connections: 1, activeConnections: 1 },
      ...{ payloadBytes: 64, startedMs: 0, durationMs: 9, windows: 4, reason: null, failed: false },
    };
    const timeline = [
      { ...round, block: 1, dropped: 4, counted: true },
      { ...round, block: 2, dropped: 4, counted: false },
      { ...round, block: 3, dropped: 2, counted: true },
    ];
    const cells = [measuredCell("node:net", figures)];
    const chart = timelineChart(inventedResults({ cells, timeline }));
    if (chart?.spec.kind !== "timeline") throw new Error("no timeline");
    expect(chart.spec.rounds.map(({ outcome }) => outcome)).toEqual([
      "counted",
      "dropped",
      "partly",
    ]);
  });

  it("puts no control character of a name on a terminal", () => {
    const name = "cpp:poll\u001b]0;owned\u0007\u001b[2J";
    const cells = [
      measuredCell("cpp:reactor-epoll", figures),
      { ...measuredCell(name, { ...figures, cpu: 50 }), runtime: "cpp" as const },
    ];
    const text = renderTerminal(inventedResults({ cells }), { width: 120, colour: false });
    expect(text).toContain("cpp:poll");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});
