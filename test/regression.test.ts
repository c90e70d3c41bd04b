// The gate's rules on invented blocks, with seeds: what it must not call a regression, what it
// must, and what it must not decide. Then its files: saved results, the history, what is shown.

import { describe, expect, it } from "vitest";
import { parseOptions } from "../bench/command-line.ts";
import { loadOf } from "../bench/commands/regression.ts";
import { annotations } from "../bench/gate/annotations.ts";
import { gateCauseText } from "../bench/gate/causes.ts";
import { gateChart } from "../bench/gate/chart.ts";
import { controlText, noteText } from "../bench/gate/controls.ts";
import { totalOf } from "../bench/gate/exact/callgrind.ts";
import { callsPerMessage } from "../bench/gate/exact/strace.ts";
import { asAsked } from "../bench/gate/gate.ts";
import { parseHistory, recordOfGate, recordOfResults } from "../bench/gate/history.ts";
import { gateSection, renderGateHtml } from "../bench/gate/html.ts";
import { serializeGate } from "../bench/gate/json.ts";
import { commentMark, renderGateMarkdown } from "../bench/gate/markdown.ts";
import { exitCodes, judgementOf, outcomeOf } from "../bench/gate/outcome.ts";
import { endingFailure, headFailure, type PairCourse } from "../bench/gate/pairs.ts";
import { plantedCostControls } from "../bench/gate/planted-cost.ts";
import { defaultGateProfile, gateProfiles, type LoadRow } from "../bench/gate/profiles.ts";
import { compareAll, confirms, findAll, level } from "../bench/gate/rule.ts";
import { compareSaved, NothingInCommon } from "../bench/gate/saved.ts";
import { renderComparison, renderGate } from "../bench/gate/terminal.ts";
import { type Trend, trendsOf } from "../bench/gate/trend.ts";
import { renderTrends } from "../bench/gate/trend-page.ts";
import { titleOf, trendLines } from "../bench/gate/trend-words.ts";
import { type Results, schemaVersion } from "../bench/model/results.ts";
import { protocolRows, spokenBy } from "../bench/run/protocol.ts";
import { helloServer } from "./hello-server.ts";
import { simulate } from "./regression/simulated.ts";
import { blocks, gateResult, type Noise, testOf } from "./regression-data.ts";
import { measuredCell, metric } from "./report-data.ts";

/** Four tests a run, as the short profile has. */
function tally(runs: number, noise: Noise): Record<string, number> {
  return simulate({ runs, tests: 4, ...noise });
}

describe("the rule", () => {
  it.each([{ sigma: 0.005 }, { sigma: 0.02 }, { sigma: 0.1 }, { sigma: 0.02, tails: true }])(
    "never calls the base a regression of itself: $sigma",
    (noise) => {
      expect(tally(200, { ratio: 1, ...noise })).not.toHaveProperty("regression");
    },
  );

  it("catches 5 % in 19 of 20 runs where a pair varies by 2 %", () => {
    expect(tally(200, { ratio: 1.05, sigma: 0.02 })["regression"]).toBeGreaterThanOrEqual(190);
    expect(tally(200, { ratio: 1.05, sigma: 0.015 })["regression"]).toBeGreaterThanOrEqual(198);
  });

  it("measures more pairs where they vary more, and then still is right", () => {
    const adapting = { runs: 100, tests: 1, pairs: 10, pairsAtMost: 40, sigma: 0.03 };
    expect(simulate({ ...adapting, ratio: 1.05 })["regression"]).toBeGreaterThanOrEqual(95);
    expect(simulate({ ...adapting, ratio: 1 })).toEqual({ same: 100 });
    // Ten pairs alone could not tell.
    expect(simulate({ ...adapting, ratio: 1.05, pairsAtMost: 10 })["regression"]).toBeLessThan(70);
  });

  it("calls 10 % less an improvement", () => {
    expect(tally(100, { ratio: 0.9, sigma: 0.02 })).toEqual({ improvement: 100 });
  });

  it("does not gate on what is within the margin, however sure it is", () => {
    expect(tally(100, { ratio: 1.012, sigma: 0.002 })).toEqual({ same: 100 });
  });

  it("passes nothing that it could not have seen", () => {
    for (const sigma of [0.02, 0.04, 0.08, 0.15]) {
      expect(tally(100, { ratio: 1.05, sigma })["same"] ?? 0).toBeLessThanOrEqual(12);
    }
    const [finding] = findAll([testOf("own", blocks(1, { ratio: 1, sigma: 0.15 }))]);
    const cause = finding?.cause ?? null;
    expect(cause).toMatchObject({ code: "insensitive", wanted: 0.05 });
    expect(cause && gateCauseText(cause)).toMatch(/detects \d+ % or more, 5\.0 % is wanted/);
  });

  it("is unclear where too few pairs count", () => {
    const few = blocks(3, { ratio: 1.5, sigma: 0.01, pairs: 13 });
    expect(findAll([testOf("own", few, 20)])[0]).toMatchObject({
      word: "unclear",
      cause: { code: "few-pairs", pairs: 13, planned: 20 },
    });
    expect(findAll([testOf("own", [], 20)])[0]?.comparison).toBeNull();
  });

  it("does not pass a large effect only because a rank test of so few cannot be sure", () => {
    const pairs = blocks(4, { ratio: 1.5, sigma: 0.01, pairs: 6 });
    const tests = ["a", "b", "c"].map((id) => testOf(id, pairs));
    expect(findAll(tests).map(({ word }) => word)).toEqual(["unclear", "unclear", "unclear"]);
  });

  it("takes one failure of the planted server for an accident", () => {
    const failures = (texts: readonly string[]) => ({
      ...{ base: [], again: [], head: [] },
      planted: texts.map((text) => ({ text, kind: "other" })),
    });
    const row = { pairs: 10, plantedPercent: 10 } as LoadRow;
    const noisy = [0.8, 1.3, 0.9, 1.2, 1.1, 0.85, 1.25, 0.95, 1.15, 1];
    const causeOf = (...texts: readonly string[]) => {
      const course = {
        contender: "server",
        blocks: noisy.map((noise) => ({
          base: { serverCpuPerMessage: 10 },
          planted: { serverCpuPerMessage: 10 * noise },
        })),
        failures: failures(texts),
      } as unknown as PairCourse;
      const [control] = plantedCostControls(row, [course]);
      return control?.code === "planted-cost" ? (control.cause?.code ?? null) : undefined;
    };
    expect(causeOf()).not.toBeUndefined();
    expect(causeOf("port in use")).toBe(causeOf());
    expect(causeOf("port in use", "port in use", "port in use")).toBe("said");
  });

  it("takes the end of the head's server for no accident, unless the base's ends as well", () => {
    const none = { base: [], again: [], head: [], planted: [] };
    const died = [{ text: "was killed by SIGSEGV during the load", kind: "died" }] as const;
    const other = [{ text: "port in use", kind: "other" }] as const;
    const head = { ...none, head: [...other, ...died] };
    expect(headFailure([head])).toMatch(/SIGSEGV/);
    expect(headFailure([none, head])).toMatch(/SIGSEGV/);
    expect(headFailure([{ ...none, head: other }])).toBeNull();
    for (const side of ["base", "again", "planted"] as const) {
      const base = { ...none, [side]: died };
      expect(headFailure([{ ...head, ...base, head: died }])).toBeNull();
      // In the confirmation, or before it.
      expect([headFailure([head, base]), headFailure([base, head])]).toEqual([null, null]);
    }
    const often = { ...none, head: [...other, ...other, ...other] };
    expect([headFailure([often]), headFailure([none, often])]).toEqual(
      Array(2).fill("port in use"),
    );
    for (const side of ["base", "again", "planted"] as const) {
      expect(headFailure([{ ...often, [side]: other }])).toBeNull();
      const wrong = [{ text: "another status", kind: "wrong" }] as const;
      expect(headFailure([{ ...often, head: wrong, [side]: other }])).toBe("another status");
    }
    expect(headFailure([head, { ...none, head: other, base: died }])).toBeNull();
    // More rounds may show that the base's ends as well.
    expect(endingFailure(died)).toBeUndefined();
  });

  it("says which rounds are left out", () => {
    const note = {
      server: "server (head)",
      workload: "echo-rate",
      count: 2,
      first: "no ready line",
    };
    expect(noteText({ code: "rounds-failed", ...note })).toBe(
      "server (head), echo-rate: 2 failed rounds left out; the first: no ready line",
    );
  });

  it("judges counts without any chance by the same rule", () => {
    const counted = (base: number, head: number) =>
      Array.from({ length: 10 }, () => ({ base, head }));
    const words = [3.03, 3.04, 4, 2].map(
      (head) => findAll([{ ...testOf("calls", counted(3, head)), margin: 0.01 }])[0]?.word,
    );
    expect(words).toEqual(["same", "suspected", "suspected", "improvement"]);
    expect(findAll([testOf("calls", counted(3, 3))])[0]?.word).toBe("same");
  });

  it("knows which way a metric counts", () => {
    const less = {
      ...testOf("throughput", blocks(5, { ratio: 0.8, sigma: 0.01 })),
      better: "more",
    } as const;
    expect(findAll([less])[0]).toMatchObject({ word: "suspected" });
  });

  it("measures what gates until it would be detected, and what only informs in fewer pairs", () => {
    const usual = gateProfiles.find(({ name }) => name === defaultGateProfile);
    const loads = usual?.loads ?? [];
    const of = (asked: readonly string[]) =>
      Object.fromEntries(
        loads
          .flatMap((row) => asAsked(row, asked))
          .map(({ workload, metrics, pairs, attempts }) => [
            `${workload} ${metrics[0]}`,
            [pairs, attempts],
          ]),
      );
    expect(of([])).toEqual({
      "echo-rate serverCpuPerMessage": [10, 40],
      "echo-rate latencyP50": [6, 12],
    });
    expect(of(["latencyP99"])).toMatchObject({ "echo-rate latencyP50": [20, 30] });
  });

  it("can be beyond chance in every profile, whatever else is asked to gate", () => {
    for (const { loads, exact } of gateProfiles) {
      const rows = [
        ...loads,
        ...exact.map(({ metric, ...row }) => ({ ...row, metrics: [metric] })),
      ];
      const tests = rows.reduce((sum, row) => sum + row.contenders.length * row.metrics.length, 0);
      // The smallest p value of an exact signed-rank test, after Holm's correction.
      for (const { pairs } of rows) expect(2 ** (1 - pairs) * tests).toBeLessThan(level);
    }
  });

  it("corrects the tests that gate together, and advisory ones apart", () => {
    const pairs = blocks(6, { ratio: 1.06, sigma: 0.02, pairs: 8 });
    const [alone] = compareAll([testOf("a", pairs)]);
    const advisory = { ...testOf("b", pairs), gates: false };
    const [beside] = compareAll([testOf("a", pairs), advisory]);
    const [among] = compareAll(["a", "b", "c"].map((id) => testOf(id, pairs)));
    expect(beside?.adjusted).toBe(alone?.adjusted);
    expect(among?.adjusted).toBeCloseTo(3 * (alone?.adjusted ?? 0), 12);
  });

  it("takes a confirmation only from fresh blocks beyond the margin on the same side", () => {
    const of = (ratio: number) =>
      compareAll([testOf("a", blocks(7, { ratio, sigma: 0.01 }))])[0] ?? null;
    const slower = of(1.06);
    if (slower === null) throw new Error("no comparison");
    expect(
      [1.05, 1.01, 1, 0.95].map((ratio) => confirms(slower, of(ratio), { margin: 0.02 })),
    ).toEqual([true, false, false, false]);
    expect(confirms(slower, null, { margin: 0.02 })).toBe(false);
  });
});

describe("the outcome", () => {
  const finding = (word: "same" | "suspected" | "unclear") => ({
    word,
    cause: null,
    comparison: null,
  });
  const judged = (
    word: "same" | "suspected" | "unclear",
    confirmed: boolean | null,
    gates = true,
  ) => ({
    ...judgementOf(finding(word), null, confirmed),
    gates,
  });
  const held = { code: "base-itself", held: true } as const;

  it("is a regression only if the confirmation agrees", () => {
    expect(outcomeOf([judged("suspected", true)], [held])).toBe("regression");
    expect(outcomeOf([judged("suspected", false)], [held])).toBe("inconclusive");
    expect(outcomeOf([judged("same", null)], [held])).toBe("pass");
  });

  it("does not pass what is unclear, or nothing at all", () => {
    expect(outcomeOf([judged("same", null), judged("unclear", null)], [held])).toBe("inconclusive");
    expect(outcomeOf([], [held])).toBe("inconclusive");
  });

  it("leaves advisory metrics out", () => {
    expect(outcomeOf([judged("same", null), judged("suspected", null, false)], [held])).toBe(
      "pass",
    );
  });

  it("is a regression if a server failed in what is advisory only", () => {
    const failed = { ...judged("same", null, false), verdict: "failed" as const };
    expect(outcomeOf([judged("same", null), failed], [held])).toBe("regression");
    const cells = gateResult().cells.map((cell) => ({
      ...{ ...cell, gates: false, verdict: "failed" as const, reason: "wrong bytes" },
    }));
    const result = gateResult({ cells });
    expect(renderGate(result, { width: 1e6 }).split("\n").at(-1)).toBe(
      "regression: ts:reactor-epoll CPU per message: wrong bytes; " +
        "ts:reactor-epoll p99 latency: wrong bytes",
    );
    expect(annotations(result)).toHaveLength(2);
    expect(renderGateMarkdown(result)).not.toContain("<details>");
  });

  it("trusts nothing if a control did not hold", () => {
    expect(outcomeOf([judged("suspected", true)], [{ ...held, held: false }])).toBe(
      "untrustworthy",
    );
  });

  it("is inconclusive if noise hid both the head's change and the planted cost", () => {
    const few = { code: "few-pairs", pairs: 3, planned: 10 } as const;
    const hidden = { code: "planted-cost", held: false, cause: few } as const;
    const open = [judged("unclear", null)];
    expect(outcomeOf(open, [held, hidden])).toBe("inconclusive");
    expect(outcomeOf([judged("same", null)], [held, hidden])).toBe("untrustworthy");
    expect(outcomeOf([judged("suspected", true)], [held, hidden])).toBe("untrustworthy");
    expect(outcomeOf(open, [{ ...hidden, cause: null }])).toBe("untrustworthy");
    expect(outcomeOf(open, [hidden, { ...held, held: false }])).toBe("untrustworthy");
  });

  it("has an exit code each", () => {
    expect(exitCodes).toEqual({ pass: 0, regression: 1, inconclusive: 3, untrustworthy: 4 });
  });
});

function results(cpu: number, changes: Partial<Results> = {}, count = 12): Results {
  const cell = measuredCell("ts:reactor-epoll", { cpu, p50: 60, p99: 300, percent: 30 });
  const pairs = blocks(cpu * 1000, { ratio: cpu / 10, sigma: 0.01, pairs: count });
  const own = {
    unit: "us",
    median: cpu,
    low: cpu,
    high: cpu,
    blocks: pairs.map(({ head }) => head),
  };
  return {
    schemaVersion,
    profile: "quick",
    startedAt: "2026-11-21T09:30:00Z",
    finishedAt: "2026-11-21T09:31:00Z",
    complete: true,
    seed: 1,
    environment: { fingerprint: "aaaa", commit: "123456789abc" },
    settings: {},
    reference: "cpp:reactor-epoll",
    cells: [{ ...cell, metrics: { serverCpuPerMessage: own } }],
    ...changes,
  };
}

const saved = (value: Results, name = "results.json") => ({ results: value, name });

describe("two saved results", () => {
  it("cannot be decided by a metric that neither has", () => {
    const [base, head] = [saved(results(10), "base.json"), saved(results(10))];
    expect(() => compareSaved(base, head, ["throughput"])).toThrow(
      /^--gate: base.json has no figures of throughput$/,
    );
  });

  it("may have more blocks than the exact test takes", () => {
    const many = { blocks: Array.from({ length: 600 }, (_, i) => 10 + (i % 7) / 100) };
    const [base, head] = [saved(results(10, {})), saved(results(10, {}))];
    for (const { results: each } of [base, head]) {
      const [cell] = each.cells;
      Object.assign(cell?.metrics.serverCpuPerMessage ?? {}, many);
    }
    expect(compareSaved(base, head, []).outcome).toBe("pass");
  });

  it("gate where the machine is the same", () => {
    const outcome = (cpu: number) =>
      compareSaved(saved(results(10)), saved(results(cpu)), []).outcome;
    expect([10, 10.3, 11.5, 8].map(outcome)).toEqual(["pass", "pass", "regression", "pass"]);
  });

  it("decide nothing if it is another", () => {
    const other = results(20, { environment: { fingerprint: "bbbb" } });
    const result = compareSaved(saved(results(10)), saved(other), []);
    expect(result.outcome).toBe("inconclusive");
    expect(result.notes.map((note) => noteText(note))[0]).toMatch(
      /nothing is decided.*aaaa and bbbb/,
    );
    expect(result.cells[0]?.first?.ratio).toBeCloseTo(2, 1);
  });

  it("decide nothing if a run was interrupted", () => {
    const result = compareSaved(saved(results(10)), saved(results(20, { complete: false })), []);
    expect(result.outcome).toBe("inconclusive");
  });

  it("decide nothing if the requests were others", () => {
    const asked = (options: object) => saved(results(10, { settings: { options } }));
    const plain = { protocol: "http", path: "/a", duration: 2, contenders: ["old"] };
    const note = (head: object) =>
      compareSaved(asked(plain), asked(head), []).notes.map(noteText)[0];
    expect(note({ ...plain, path: "/b", depth: 4 })).toBe(
      "nothing is decided: other requests (--path, --depth)",
    );
    expect(compareSaved(asked(plain), asked({ ...plain, path: "/b" }), []).outcome).toBe(
      "inconclusive",
    );
    // How long was measured, and what else: no other requests.
    expect(note({ ...plain, duration: 5, contenders: ["new"] })).toMatch(/^separate runs/);
  });

  it("never pass a cell that is missing or failed", () => {
    const base = results(10);
    const [cell] = base.cells;
    if (cell === undefined) throw new Error("no cell");
    const two = { ...base, cells: [cell, { ...cell, connections: 7 }] };
    expect(compareSaved(saved(two), saved(base), []).outcome).toBe("regression");
    const failed = { ...base, cells: [{ ...cell, status: "failed" as const, reason: "died" }] };
    expect(compareSaved(saved(base), saved(failed), []).outcome).toBe("regression");
    const noisy = {
      ...base,
      cells: [{ ...cell, status: "inconclusive" as const, reason: "noise" }],
    };
    expect(compareSaved(saved(base), saved(noisy), []).outcome).toBe("inconclusive");
  });

  it("decide by a cell's own figures if only its rank is not resolved", () => {
    const unranked = (cpu: number) => {
      const one = results(cpu);
      const cause = { code: "unresolved", detectableEffect: 0.06 } as const;
      const cells = one.cells.map((cell) => ({
        ...{ ...cell, status: "inconclusive" as const, reason: "not ranked", cause },
      }));
      return saved({ ...one, cells });
    };
    const outcome = (cpu: number) => compareSaved(unranked(10), unranked(cpu), []).outcome;
    expect([10, 15].map(outcome)).toEqual(["pass", "regression"]);
  });

  it("are not compared under loads that are shares of each side's own capacity", () => {
    const shared = (cpu: number) => {
      const one = results(cpu);
      const shares = one.cells.map((cell) => ({
        ...{ ...cell, workload: "latency-against-load", ratePerSecond: null, capacityPercent: 75 },
      }));
      return saved({ ...one, cells: [...results(10).cells, ...shares] });
    };
    const result = compareSaved(shared(10), shared(15), []);
    expect([result.outcome, result.cells.length]).toEqual(["pass", 1]);
  });

  it("are no regression if base failed as well", () => {
    const one = results(10);
    const cells = one.cells.map((cell) => ({
      ...{ ...cell, status: "failed" as const, reason: "died" },
    }));
    const others = one.cells.map((cell) => ({ ...cell, payloadBytes: 1 }));
    const failed = { ...one, cells: [...cells, ...others] };
    expect(compareSaved(saved(failed), saved(failed), []).outcome).toBe("inconclusive");
    const empty = failed.cells.map((cell) =>
      cell.status === "failed" ? { ...cell, blocks: 0, metrics: {} } : cell,
    );
    const without = saved({ ...failed, cells: empty });
    expect(compareSaved(without, without, []).outcome).toBe("pass");
  });

  it("never pass a lost cell of a workload in which nothing is compared", () => {
    const base = results(10);
    const [cell] = base.cells;
    if (cell === undefined) throw new Error("no cell");
    const idle = {
      ...{ ...cell, workload: "idle", headline: "idleCpuPercent" as const, ratePerSecond: null },
      metrics: { idleCpuPercent: metric("percent", 0.1) },
    };
    const died = { status: "failed" as const, reason: "died", blocks: 0, metrics: {} };
    const both = { ...base, cells: [cell, idle] };
    expect(compareSaved(saved(both), saved(both), []).cells).toHaveLength(1);
    for (const [head, reason] of [
      [[cell, { ...idle, ...died }], "died"],
      [[cell], "missing in head"],
    ] as const) {
      const result = compareSaved(saved(both), saved({ ...base, cells: head }), []);
      expect(result.outcome).toBe("regression");
      expect(result.cells.slice(1)).toMatchObject([{ metric: "idleCpuPercent", reason }]);
      expect(renderComparison(result, { width: 1e6 })).toMatch(
        new RegExp(`^regression: .*, idle 10000 .* CPU while idle, % of a core: ${reason}`),
      );
    }
    // Base did not measure it either.
    const never = { ...base, cells: [cell, { ...idle, blocks: 0, metrics: {} }] };
    expect(compareSaved(saved(never), saved(base), []).outcome).toBe("pass");
  });

  it("refuse to compare what has nothing in common", () => {
    const other = {
      ...results(10),
      cells: [measuredCell("node:net", { cpu: 1, p50: 1, p99: 1, percent: 1 })],
    };
    expect(() => compareSaved(saved(results(10)), saved(other), [])).toThrow(NothingInCommon);
    expect(() => compareSaved(saved(results(10)), saved({ ...other, cells: [] }), [])).toThrow(
      /no cell/,
    );
  });

  it("are inconclusive with too few blocks", () => {
    const result = compareSaved(saved(results(10, {}, 3)), saved(results(10, {}, 3)), []);
    expect(result).toMatchObject({
      outcome: "inconclusive",
      cells: [{ cause: { code: "few-pairs", pairs: 3 }, reason: "3 of 4 pairs count" }],
    });
  });

  it("decide with as few blocks and as many cells as the usual profiles have", () => {
    const many = (cpu: number, blocks: number) => {
      const one = results(cpu, {}, blocks);
      const cells = Array.from({ length: 30 }, (_, index) =>
        one.cells.map((cell) => ({ ...cell, connections: 100 + index })),
      );
      return saved({ ...one, cells: cells.flat() });
    };
    const outcome = (cpu: number, blocks: number) =>
      compareSaved(many(10, blocks), many(cpu, blocks), []).outcome;
    for (const blocks of [5, 6]) {
      expect(outcome(10, blocks)).toBe("pass");
      expect(outcome(13, blocks)).toBe("regression");
    }
  });
});

describe("the detectable effect of few blocks", () => {
  it.each([
    { pairs: 4, sigma: 0.02, family: 1 },
    { pairs: 5, sigma: 0.03, family: 40 },
    { pairs: 6, sigma: 0.02, family: 40 },
  ])("is detected in 19 of 20 runs: $pairs pairs, $sigma, $family tests", (row) => {
    const { pairs, sigma, family } = row;
    const equal = Array.from({ length: family - 1 }, (_, index) =>
      testOf(`equal ${index}`, blocks(9000 + index, { ratio: 1, sigma, pairs })),
    );
    const find = (seed: number, ratio: number) => {
      const test = testOf("own", blocks(seed, { ratio, sigma, pairs }));
      return findAll([test, ...equal].map((one) => ({ ...one, byMean: true, margin: 0.05 })))[0];
    };
    // Four to six pairs give a spread that varies much: the effect is the mean of many runs'.
    const logs = Array.from({ length: 100 }, (_, seed) =>
      Math.log1p(find(100 + seed, 1)?.comparison?.detectable ?? 0),
    );
    const effect = Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
    const found = Array.from({ length: 200 }, (_, seed) => find(5000 + seed, effect)?.word);
    expect(found.filter((word) => word === "suspected").length).toBeGreaterThanOrEqual(180);
  });
});

describe("what is shown", () => {
  it("says base, head, figures, interval and verdict, the verdict last", () => {
    const text = renderGate(gateResult(), { width: 200 });
    expect(text).toContain("base origin/main (123456789abc), head HEAD (cba987654321)");
    expect(text).toMatch(/ts:reactor-epoll +CPU per message +10\.0 µs +10\.6 µs +\+\d\.\d % \(\+/);
    expect(text).toMatch(/CPU|p99 latency \(advisory\)/);
    const last = text.split("\n").at(-1);
    expect(last).toMatch(/^regression: ts:reactor-epoll CPU per message: \+\d\.\d %/);
    expect(last).not.toContain("p99");
  });

  it("has a verdict that names three cells at most, and counts the others", () => {
    const [cell] = gateResult().cells;
    if (cell === undefined) throw new Error("no cell");
    const cells = Array.from({ length: 9 }, (_, index) => ({ ...cell, contender: `c${index}` }));
    const [line = ""] = renderComparison(gateResult({ cells }), { width: 1e6 }).split("\n");
    expect(line).toMatch(/^regression: c0 .*; c1 .*; c2 .*; 6 more$/);
  });

  it("counts the figures that are not resolved if there are many, and shows all on request", () => {
    const [cell] = gateResult().cells;
    if (cell === undefined) throw new Error("no cell");
    const unclear = Array.from({ length: 9 }, (_, index) => ({
      ...{ ...cell, contender: `c${index}`, metric: cell.metric, gates: true },
      ...{ verdict: "unclear" as const, reason: "3 of 6 pairs count" },
    }));
    const cells = [cell, ...unclear];
    const result = gateResult({ cells, outcome: "inconclusive" });
    const text = renderComparison(result, { width: 1e6 });
    expect(text).toMatch(/^9 figures not resolved; --all shows them\.$/m);
    expect(text).not.toMatch(/^c8 /m);
    expect(text).toMatch(/^ts:reactor-epoll /m);
    const few = renderComparison({ ...result, cells: cells.slice(0, 4) }, { width: 1e6 });
    expect(few).toMatch(/^c2 /m);
    expect(few).not.toContain("not resolved");
    expect(renderComparison(result, { width: 1e6, all: true })).toMatch(/^c8 /m);
  });

  it("fits a terminal of 80 columns, an entry per row", () => {
    const result = gateResult();
    for (const text of [
      renderGate(result, { width: 80 }),
      renderComparison(result, { width: 80, all: true }),
    ]) {
      const lines = text.split("\n");
      expect(lines.filter((line) => line.length > 80)).toEqual([]);
      expect(text).toMatch(/^ts:reactor-epoll, CPU per message: REGRESSION$/m);
      expect(text).toMatch(
        /^ {2}10\.0 µs → 10\.6 µs; worse by \+\d\.\d % \(\+\d\.\d to \+\d\.\d\); p /m,
      );
    }
  });

  it("is a comment that can be found again, whose text cannot break it", () => {
    const text = renderGateMarkdown(gateResult());
    expect(text.startsWith(commentMark)).toBe(true);
    expect(text).toContain("a \\| note with \\`marks\\` and \\<b\\>");
    const columns = text.split("\n").filter((line) => line.startsWith("|"));
    expect(new Set(columns.map((line) => line.split(/(?<!\\)\|/).length))).toEqual(new Set([11]));
  });

  it("annotates the cells that decided, and nothing on a pass", () => {
    const lines = annotations(gateResult());
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^::error title=ts%3Areactor-epoll serverCpuPerMessage::regression: /);
    expect(lines[0]?.split("::")[2]).toMatch(/%25/);
    expect(annotations(gateResult({ outcome: "pass" }))).toEqual([]);
    const broken = {
      ...({ code: "planted-call", contender: "c", held: false } as const),
      ...{ ratio: 1.001, cause: null },
    };
    expect(annotations(gateResult({ outcome: "untrustworthy", controls: [broken] }))[0]).toMatch(
      /^::error title=Gate::gate not trustworthy: c .*: no; 1\.001 times the calls/,
    );
  });

  it("draws what gates, with its interval, its margin and its confirmation", () => {
    const { cells } = gateResult();
    const [gating] = cells;
    const chart = gateChart(gateResult());
    const worseBy = (ratio = Number.NaN) => expect.closeTo((ratio - 1) * 100, 9);
    const { first, second } = gating ?? {};
    expect(chart?.spec).toMatchObject({
      axis: { kind: "linear" },
      base: { value: 0 },
      rows: [
        {
          name: "ts:reactor-epoll CPU per message",
          interval: [worseBy(first?.low), worseBy(first?.high)],
          span: [worseBy(1 / 1.02), worseBy(1.02)],
          points: [{ value: worseBy(first?.ratio) }, { value: worseBy(second?.ratio) }],
        },
      ],
    });
    expect(renderGateHtml(gateResult())).toContain('aria-labelledby="regression-chart-wide-title"');
    // A change of many times would leave no room for the others on a linear axis.
    const far = cells.map((cell) => ({
      ...cell,
      first: cell.first === null ? null : { ...cell.first, high: 12 },
    }));
    expect(gateChart(gateResult({ cells: far }))?.spec).toMatchObject({
      axis: { kind: "log" },
      base: { value: 1 },
    });
    const nothing = gateResult({ cells: cells.map((cell) => ({ ...cell, first: null })) });
    expect(gateChart(nothing)).toBeNull();
    expect(renderGateHtml(nothing)).not.toContain("<figure");
  });

  it("leaves controls and notes in words, and a control as data too", () => {
    const control = { code: "base-itself", held: true, tests: 4, alarms: [] };
    expect(JSON.parse(serializeGate(gateResult()))).toMatchObject({
      controls: [
        { name: "base against base shows no change", detail: "4 tests, no alarm", ...control },
      ],
      notes: [expect.stringMatching(/could not be counted: a \|/)],
    });
  });

  it("words what a control saw", () => {
    const call = { code: "planted-call", contender: "c", held: false, ratio: null } as const;
    const cost = { ...call, code: "planted-cost", percent: 10, ratio: 1.04 } as const;
    const few = { code: "few-pairs", pairs: 3, planned: 10 } as const;
    const said = { code: "said", text: "c++ is missing" } as const;
    const alarms = [{ contender: "c", metric: "serverCpuPerMessage" }];
    expect(
      [
        { ...call, held: true, ratio: 4 / 3, cause: null },
        { ...call, cause: said },
        { ...call, cause: few },
        { ...call, contender: null, cause: { code: "no-tracer" } as const },
        { ...cost, held: true, cause: null },
        { ...cost, cause: few },
        { ...cost, ratio: null, cause: said },
        { code: "base-itself" as const, held: false, tests: 4, alarms },
      ].map((control) => Object.values(controlText(control)).join(": ")),
    ).toEqual([
      "c with a planted system call is detected: 33.3 % more calls",
      "c with a planted system call is detected: c++ is missing",
      "c with a planted system call is detected: 3 of 10 pairs count",
      expect.stringMatching(/^a planted system call is detected: .*install strace$/),
      "c with 10 % of its CPU time planted is detected: +4.0 % CPU per message",
      expect.stringMatching(/detected: \+4\.0 % CPU per message; 3 of 10 pairs count$/),
      expect.stringMatching(/detected: not measured; c\+\+ is missing$/),
      "base against base shows no change: c CPU per message",
    ]);
  });

  it("is a page that loads nothing, in which foreign text is text", () => {
    const page = renderGateHtml(gateResult());
    expect(page).toMatch(/default-src &#39;none&#39;/);
    expect(page).toContain("&lt;b&gt;");
    expect(page).not.toMatch(/<script|https?:/);
    expect(gateSection(gateResult())).toContain('id="regression"');
    expect(page).toMatch(/class="scroll" role="region" tabindex="0" aria-label="Every metric/);
  });
});

describe("the history", () => {
  const record = recordOfGate(gateResult());
  const at = (day: number, level: number) => ({
    ...record,
    at: `2026-11-${String(day).padStart(2, "0")}T00:00:00Z`,
    series: [
      {
        name: "echo-rate ts:reactor-epoll serverCpuPerMessage",
        metric: "serverCpuPerMessage",
        blocks: blocks(day, { ratio: level, sigma: 0.01 }).map(({ head }) => head),
      },
    ],
  });
  const shifted = Array.from({ length: 20 }, (_, index) => at(index + 1, index < 12 ? 1 : 1.1));

  it("keeps the head's raw figures, the commit and the machine", () => {
    expect(record).toMatchObject({ commit: "cba987654321", fingerprint: "aaaa" });
    expect(record.series[0]?.blocks).toHaveLength(20);
    expect(parseHistory(`${JSON.stringify(record)}\n`, "h")).toEqual([record]);
    expect(recordOfResults(results(10)).series.map(({ name }) => name)).toEqual([
      "echo-rate 10000 64 B 30000/s ts:reactor-epoll serverCpuPerMessage",
    ]);
  });

  it("keeps figures of servers with a part of their CPU apart, and reports name the part", () => {
    const whole = gateResult({
      cells: gateResult().cells.map((cell) => ({ ...cell, metric: "throughput" })),
    });
    const shared = { ...whole, cells: whole.cells.map((cell) => ({ ...cell, cpuShare: 0.4 })) };
    const trends = trendsOf([whole, shared].map(recordOfGate));
    expect(trends.map(titleOf)).toEqual([
      "ts:reactor-epoll: throughput; echo-rate",
      "ts:reactor-epoll: throughput; echo-rate at 40 % of the CPU",
    ]);
    expect(renderGateMarkdown(shared)).toContain("| throughput at 40 % of the CPU |");
    expect(renderGateMarkdown(whole)).not.toContain("of the CPU");
  });

  it("names the line that is not one", () => {
    const line = JSON.stringify(record);
    for (const bad of [line.slice(0, 30), "{}", "null", line.replace(":1,", ":7,")]) {
      expect(() => parseHistory(`${line}\n${bad}\n`, "h.jsonl")).toThrow(/h\.jsonl, line 2/);
    }
  });

  it("finds where a level changed, on each machine by itself", () => {
    const [trend, ...more] = trendsOf(shifted);
    expect(more).toEqual([]);
    expect(trend?.changes.map(({ index }) => index)).toEqual([12]);
    const elsewhere = shifted.map((one, index) => ({
      ...one,
      fingerprint: index < 12 ? "a" : "b",
    }));
    expect(trendsOf(elsewhere).map(({ changes }) => changes)).toEqual([[], []]);
  });

  it("has a series per kind of request, as compare has", () => {
    const of = (path: string) =>
      recordOfResults(results(10, { settings: { options: { protocol: "http", path, rate: 5 } } }));
    expect(of("/health").profile).toBe("quick (protocol http, path /health)");
    expect(trendsOf([of("/health"), of("/heavy")])).toHaveLength(2);
    expect(recordOfResults(results(10)).profile).toBe("quick");
  });

  it("tells the loads of a repository's server apart, without its command", () => {
    const load = (command: string, words: readonly string[] = []) => {
      const argv = ["--protocol", "http", ...words];
      const given = parseOptions(argv, protocolRows);
      const server = helloServer("", { connections: 5, ratePerSecond: 40, plantedPercent: 10 });
      const repository = { root: "/r", folder: "app" };
      return loadOf({ ...server, command, spoken: spokenBy(given) }, { given, repository });
    };
    const usual = load("secret {port}");
    expect(usual).toMatch(/^protocol http, 5 connections, 40\/s, app, command [0-9a-f]{8}$/);
    const others = [
      ...[["--path", "/b"], ["--body", "x"], ["--depth", "4"], ["--tls"], ["--method", "PUT"]],
    ].map((words) => load("secret {port}", words));
    expect(new Set([usual, ...others, load("other {port}")]).size).toBe(7);
  });

  it("is drawn, with the change in words", () => {
    const page = renderTrends(trendsOf(shifted));
    // Each drawn for a desk and for a phone.
    expect(page.match(/<circle/g)).toHaveLength(2 * 20);
    expect(page).toContain("1 of 1 figure changed in 20 runs.");
    expect(page).toMatch(/20 runs; 10\.\d µs to 1[01]\.\d µs .* at cba987654321, 2026-11-13\./);
    expect(renderTrends([])).toContain("The history is empty.");
    expect(renderTrends(trendsOf([at(1, 1)]))).toContain("1 run; no change found.");
  });
});

describe("a history on a terminal", () => {
  const points = Array.from({ length: 4 }, (_, index) => ({
    ...{ at: `2026-11-0${index + 1}T00:00:00Z`, commit: `${index}`.repeat(40) },
    ...{ value: index < 2 ? 10 : 12, low: 9, high: 13 },
  }));
  const trend = (number: number, after: number): Trend => ({
    ...{ fingerprint: "aaaa", profile: "default", metric: "serverCpuPerMessage", points },
    name: `echo-rate ${number} 64 B 20000/s cpp:thread-per-connection serverCpuPerMessage`,
    changes: after === 10 ? [] : [{ index: 2, pValue: 0.005, before: 10, after }],
  });

  it.each([80, 140])("has the verdict, then the largest changes, in %i columns", (width) => {
    const many = Array.from({ length: 14 }, (_, index) => trend(index, 10 + index / 10));
    const lines = trendLines(many, width);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(width);
    expect(lines[0]).toBe("13 of 14 figures changed in 4 runs.");
    expect(lines.slice(1, 4).join(" ").replace(/ +/g, " ").trim()).toMatch(
      /^cpp:thread-per-connection: CPU per message; echo-rate 13 64 B 20000\/s \(default\)/,
    );
    expect(lines.join("\n")).toContain(
      "10.0 µs to 11.3 µs (+13.0 %, p = 0.005) at 222222222222, 2026-11-03",
    );
    expect(lines.at(-1)).toBe("3 more figures changed: the page has all of them.");
  });

  it("has no percentage of a level that is not above zero", () => {
    const from = (before: number): Trend => ({
      ...trend(1, 12),
      changes: [{ index: 2, pValue: 0.005, before, after: 12 }],
    });
    const text = trendLines([from(0), from(10), from(-3), from(0)], 140).join("\n");
    expect(text).toContain("0 ns to 12.0 µs (p = 0.005)");
    expect(text).toContain("10.0 µs to 12.0 µs (+20.0 %, p = 0.005)");
    expect(text).not.toMatch(/Infinity|NaN/);
  });

  it("says how many of many figures would change by chance", () => {
    const long = Array.from({ length: 10 }, () => points[0]).flatMap((point) => point ?? []);
    const many = Array.from({ length: 40 }, (_, index) => ({
      ...trend(index, index === 0 ? 12 : 10),
      points: long,
    }));
    expect(trendLines(many, 140)[0]).toBe(
      "1 of 40 figures changed in 10 runs; about 2 would by chance, if none had.",
    );
  });

  it("says that nothing changed", () => {
    expect(trendLines([trend(1, 10)], 80)).toEqual(["None of 1 figure changed in 4 runs."]);
  });
});

describe("the tools' files", () => {
  it("are read as strace writes them: every call once, in the slice in which it began", () => {
    const trace = [
      "12 100.000100 execve() = 0",
      "12 100.010000 epoll_pwait(3, <unfinished ...>",
      "13 100.011000 futex() = 0",
      "12 100.012000 <... epoll_pwait resumed>) = 1",
      "12 100.013000 recvfrom(4) = 64",
      "12 100.014000 sendto(4) = 64",
      "12 100.030000 recvfrom(4) = 64",
      "12 100.031000 +++ exited with 0 +++",
    ].join("\n");
    const slice = (fromMs: number, toMs: number) => ({ messages: 2, fromMs, toMs });
    expect(callsPerMessage(trace, [slice(100_005, 100_020)])).toBe(2);
    expect(callsPerMessage(trace, [slice(100_020, 100_040)])).toBe(0.5);
  });

  it("are read as callgrind writes them", () => {
    expect(totalOf("events: Ir\nfn=(1)\n16 4\n\ntotals: 1234567\n")).toBe(1_234_567);
    expect(() => totalOf("events: Ir\n")).toThrow(/no total/);
  });
});
