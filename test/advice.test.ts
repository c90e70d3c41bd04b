// Which strategy for whom: the decision over invented runs (exact, between, beyond, ties, one
// block), its words, and the command in a process of its own.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { advise, compare } from "../bench/advice/advise.ts";
import { refusalText } from "../bench/advice/causes.ts";
import type { AdviceRefusal, Answer, Question } from "../bench/advice/question.ts";
import { adviceJson, renderAdvice } from "../bench/advice/words.ts";
import { gatherEnvironment } from "../bench/host/environment.ts";
import type { Cell, Metric, Results } from "../bench/model/results.ts";
import { packagePaths } from "../bench/paths.ts";
import { serializeResults } from "../bench/report/json.ts";
import { commandLines, type Said } from "./command-lines.ts";
import { inventedResults, measuredCell, metric, otherCell } from "./report-data.ts";
import { fullResults } from "./report-full-data.ts";

const ask = (changes: Partial<Question> = {}): Question => ({
  ...{ connections: 10_000, activePercent: 100, payloadBytes: 64, ratePerSecond: 30_000 },
  ...changes,
});

/** CPU, p99, and memory per connection where it was measured. */
type Row = readonly [contender: string, cpu: number, p99: number, memory?: number];

function cellsOf(rows: readonly Row[], scale: Partial<Cell> = {}): Cell[] {
  const echo = rows.map(([name, cpu, p99]) => ({
    ...measuredCell(name, { cpu, p50: p99 / 4, p99, percent: 40 }),
    ...scale,
  }));
  const memory = rows.flatMap(([name, , , bytes]) =>
    bytes === undefined
      ? []
      : [
          {
            ...measuredCell(name, { cpu: 1, p50: 1, p99: 1, percent: 1 }),
            ...{ workload: "memory", ratePerSecond: null },
            metrics: { userBytesPerConnection: metric("bytes", bytes) },
          },
        ],
  );
  return [...echo, ...memory];
}

const runOf = (cells: readonly Cell[], changes: Partial<Results> = {}) =>
  inventedResults({ cells, timeline: [], ...changes });

const reactor: Row = ["cpp:reactor-epoll", 11.1, 1_000, 200];
const plain: Row[] = [reactor, ["ts:reactor-epoll", 14, 2_000, 600], ["node:net", 17, 4_000]];

function answer(runs: readonly Results[], question: Question = ask()): Answer {
  const advice = advise(runs, question);
  if (advice.kind === "refusal") throw new Error(refusalText(advice.cause));
  return advice;
}

function refusal(runs: readonly Results[], question: Question): AdviceRefusal {
  const advice = advise(runs, question);
  if (advice.kind === "answer") throw new Error(`recommends ${advice.recommended.contender}`);
  return advice;
}

const options = {
  ...{ colour: false, width: 80, command: "npm run bench --" },
  summaryOf: (name: string) => (name === "cpp:reactor-epoll" ? "a reactor" : ""),
};

describe("at a measured scale", () => {
  it("recommends the least CPU, names the runner-up and what a Node user would take", () => {
    const found = answer([runOf(cellsOf(plain))]);
    expect(found.recommended.contender).toBe("cpp:reactor-epoll");
    expect(found.runnerUp?.contender).toBe("ts:reactor-epoll");
    expect(found.inNode?.contender).toBe("ts:reactor-epoll");
    expect(found).toMatchObject({ decidedBy: "cpu", tied: [], ratePerSecond: 30_000 });
    expect(found.corners).toHaveLength(1);
    expect(found.recommended.memory?.median).toBe(200);
    expect(found.candidates.map(({ contender }) => contender)).toEqual(plain.map(([name]) => name));
  });

  it("lets the p99, then the memory decide among those that tie on CPU", () => {
    const slower: Row = ["cpp:reactor-epoll", 11.1, 9_000, 200];
    const byLatency = answer([runOf(cellsOf([slower, ["cpp:poll", 11.2, 1_000, 900]]))]);
    expect(byLatency.recommended.contender).toBe("cpp:poll");
    expect(byLatency.decidedBy).toBe("latency");
    const byMemory = answer([runOf(cellsOf([reactor, ["cpp:poll", 11, 1_010, 900]]))]);
    expect(byMemory.recommended.contender).toBe("cpp:reactor-epoll");
    expect(byMemory.decidedBy).toBe("memory");
  });

  it("reports a tie, and prefers no contender by it", () => {
    const found = answer([runOf(cellsOf([reactor, ["cpp:poll", 11, 1_010, 202]]))]);
    expect(found.decidedBy).toBeNull();
    expect(found.tied.map(({ contender }) => contender)).toEqual(["cpp:reactor-epoll"]);
    expect(renderAdvice(found, options)).toContain("No significant difference from");
  });

  it("has contenders whose difference from the reference is not resolved", () => {
    const cause = { code: "unresolved", detectableEffect: 0.1 } as const;
    const cells = cellsOf([reactor, ["cpp:poll", 11.2, 1_010]]).map((cell) =>
      cell.contender === "cpp:poll" ? { ...cell, status: "inconclusive" as const, cause } : cell,
    );
    const found = answer([runOf(cells)]);
    expect(found).toMatchObject({ lowConfidence: false, excluded: [] });
    expect(found.tied.map(({ contender }) => contender)).toEqual(["cpp:poll"]);
    expect(renderAdvice(found, options)).toMatch(/cpp:poll .* 1\.01 +1\.01 ms \(0\.990–1\.03\)/);
  });

  it("ranks no contender with one block", () => {
    const once = (one: Metric): Metric => ({
      ...one,
      low: null,
      high: null,
      blocks: [one.median ?? 0],
    });
    const cells = cellsOf(plain).map((cell) => ({
      ...cell,
      blocks: 1,
      metrics: Object.fromEntries(
        Object.entries(cell.metrics).map(([name, one]) => [name, once(one)]),
      ),
    }));
    const found = answer([runOf(cells)]);
    const [first, second] = found.candidates;
    if (first === undefined || second === undefined) throw new Error("no candidates");
    expect(compare(first, second, "cpu")).toBe("unresolved");
    expect(renderAdvice(found, options)).toContain("One block is not enough to rank contenders.");
  });

  it("leaves out who was not ranked, with the reason", () => {
    const cells = [...cellsOf(plain), otherCell("ts:poll", "skipped", "RLIMIT_NOFILE 1 < 2")];
    const found = answer([runOf(cells)]);
    const cause = { code: "not-ranked", status: "skipped", reason: "RLIMIT_NOFILE 1 < 2" };
    expect(found.excluded).toEqual([{ contender: "ts:poll", cause }]);
    expect(renderAdvice(found, options)).toContain("ts:poll  skipped: RLIMIT_NOFILE 1 < 2");
  });

  it("takes the better founded of two runs, then the later", () => {
    const early = { startedAt: "2026-11-20T09:00:00.000Z" };
    const few = cellsOf(plain).map((cell) => ({ ...cell, blocks: 2 }));
    const startOf = (runs: readonly Results[]) =>
      answer(runs).corners.map(({ point }) => point.run.startedAt);
    expect(startOf([runOf(cellsOf(plain), early), runOf(few)])).toEqual([early.startedAt]);
    const same = [runOf(cellsOf(plain), early), runOf(cellsOf(plain))];
    expect(startOf(same)).toEqual([runOf([]).startedAt]);
  });
});

describe("between measured scales", () => {
  const at = (connections: number, factor: number): Cell[] =>
    cellsOf(
      plain.map(([name, cpu, p99]) => [name, cpu * factor, p99] as const),
      { connections, activeConnections: connections },
    );

  it("goes along the logarithms of both", () => {
    const runs = [runOf([...at(1_000, 1), ...at(10_000, 4)])];
    const middle = Math.round(Math.sqrt(1_000 * 10_000));
    const found = answer(runs, ask({ connections: middle }));
    expect(found.corners.map(({ weight }) => weight)).toEqual([
      expect.closeTo(0.5, 3),
      expect.closeTo(0.5, 3),
    ]);
    expect(found.recommended.cpu.median).toBeCloseTo(11.1 * 2, 2);
    expect(found.recommended.cpu.low).toBeCloseTo(11.1 * 2 * 0.98, 2);
    expect(renderAdvice(found, options)).toMatch(/interpolated, not measured,\s+between/);
  });

  it("never beyond, nor between scales that are far apart or differ in more", () => {
    const runs = [runOf([...at(1_000, 1), ...at(10_000, 4)])];
    expect(refusalText(refusal(runs, ask({ connections: 10_001 })).cause)).toContain(
      "at most 10,000",
    );
    expect(refusalText(refusal(runs, ask({ connections: 999 })).cause)).toContain("at least 1,000");
    expect(refusalText(refusal(runs, ask({ ratePerSecond: 31_000 })).cause)).toContain(
      "31,000 messages/s",
    );
    expect(refusalText(refusal(runs, ask({ payloadBytes: 65 })).cause)).toContain("65-byte");
    const far = [runOf([...at(100, 1), ...at(10_000, 4)])];
    expect(refusalText(refusal(far, ask({ connections: 1_000 })).cause)).toContain("factor of 16");
    const crossed = [
      runOf([...at(1_000, 1), ...at(10_000, 4).map((cell) => ({ ...cell, payloadBytes: 128 }))]),
    ];
    expect(refusalText(refusal(crossed, ask({ connections: 3_000 })).cause)).toContain("Nearest: ");
  });

  it("is refused without a usable measurement", () => {
    expect(refusalText(refusal([], ask()).cause)).toContain("No measurement");
    const failed = [runOf([otherCell("cpp:reactor-epoll", "failed", "crashed")])];
    expect(refusalText(refusal(failed, ask()).cause)).toContain("No measurement");
  });

  it("answers with low confidence where cells were seen and not ranked", () => {
    const noisy = at(1_000, 1).map((cell) => ({
      ...{ ...cell, status: "inconclusive" as const, reason: "noise" },
    }));
    const found = answer([runOf(noisy)], ask({ connections: 1_000 }));
    expect(found.lowConfidence).toBe(true);
    expect(answer([runOf(at(1_000, 1))], ask({ connections: 1_000 })).lowConfidence).toBe(false);
  });

  it("names the runs of other workloads with as many connections", () => {
    const scale = plain.map(([name]) => ({
      ...measuredCell(name, { cpu: 1, p50: 1, p99: 1, percent: 1 }),
      ...{ workload: "scale", connections: 1e6 },
    }));
    const runs = [runOf(at(10_000, 4)), runOf(scale, { profile: "c1m" })];
    const words = (connections: number) =>
      renderAdvice(advise(runs, ask({ connections })), options).replaceAll("\n", " ");
    expect(words(1e6)).toContain("for 1,000,000 connections (measured: at most 10,000");
    expect(words(1e6)).toMatch(
      /Measured with 1,000,000 connections: scale, in a run of [\d-]+ \(c1m\)\. /,
    );
    expect(words(2e6)).not.toContain("Measured with");
  });

  it("names the run that would measure it, which the suite can", () => {
    const beyond = refusal([fullResults()], ask({ connections: 50_000, ratePerSecond: null }));
    expect(beyond.measuredBy).toEqual(
      "--workloads echo-rate --connections 50000 --payload 64 --blocks 6".split(" "),
    );
    const silent = refusal([fullResults()], ask({ connections: 50_000, activePercent: 2 }));
    expect(silent.measuredBy?.slice(0, 2)).toEqual(["--workloads", "active-fraction"]);
    expect(silent.measuredBy?.slice(-4, -2)).toEqual(["--rate", "30000"]);
    expect(refusal([fullResults()], ask({ activePercent: 0.01 })).measuredBy).toBeNull();
  });
});

describe("over a run of everything", () => {
  const full = fullResults();

  it("knows each share of active connections, and those between", () => {
    for (const activePercent of [0.1, 1, 10]) {
      const found = answer([full], ask({ activePercent, ratePerSecond: null }));
      expect(found.corners).toHaveLength(1);
      expect(found.corners[0]?.point.activePercent).toBe(activePercent);
    }
    const between = answer([full], ask({ activePercent: 5, ratePerSecond: null }));
    expect(between.corners.map(({ point }) => point.activePercent)).toEqual([1, 10]);
    const select = between.candidates.find(({ contender }) => contender === "cpp:select");
    expect(select?.ratio?.median).toBeGreaterThan(3);
  });

  it("has no figure if none was measured", () => {
    const found = answer([full], ask({ connections: 100, ratePerSecond: 20_000 }));
    expect(found.recommended.memory).toBeNull();
    expect(renderAdvice(found, options)).toContain("memory per connection: not measured");
  });

  it.each([40, 80, 140])("fits into %i columns", (width) => {
    for (const question of [
      ask({ connections: 3_000, ratePerSecond: null }),
      ask({ connections: 1e6 }),
    ]) {
      const text = renderAdvice(advise([full], question), { ...options, width });
      // The command of a refusal stays whole: it is there to be copied.
      const lines = text.split("\n").filter((line) => !line.includes("npm run bench"));
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(Math.max(width, 50));
    }
  });

  it("is plain without colour, and JSON that holds no cell", () => {
    const found = answer([full], ask({ ratePerSecond: null }));
    expect(renderAdvice(found, options)).not.toContain("\u001b");
    expect(renderAdvice(found, { ...options, colour: true })).toContain("\u001b[1m");
    const shown = JSON.parse(adviceJson(found, "x")) as Record<string, unknown>;
    expect(shown).toMatchObject({ kind: "answer", basis: "measured", reference: full.reference });
    expect(JSON.stringify(shown)).not.toContain("latencyHistogram");
  });
});

describe("advise on a command line", () => {
  const { root } = packagePaths();
  let folder = "";

  const refused = [
    { argv: [], named: "--connections" },
    { argv: ["--connections", "10", "--active", "0"], named: "idle workload" },
    { argv: ["--connections", "10", "--active", "101"], named: "--active" },
    { argv: ["--connections", "10", "--from", "no/such"], named: "no/such" },
  ] as const;
  const linesOf = () => ({
    between: ["--connections", "3000", "--from", folder],
    oneForeign: ["--connections", "5", "--from", `${folder}/one,${folder}/foreign`],
    nearest: ["--connections", "20000", "--from", `${folder}/one`],
    foreign: ["--connections", "5", "--from", `${folder}/foreign`],
    json: ["--connections", "10000", "--json", "--from", `${folder}/one`],
    farJson: ["--connections", "20000", "--json", "--from", `${folder}/one`],
    ...Object.fromEntries(refused.map(({ argv }, index) => [index, argv])),
  });
  let said = new Map<string, Said>();

  const run = (name: keyof ReturnType<typeof linesOf> | number): Said => {
    const found = said.get(String(name));
    if (found === undefined) throw new Error(`${name} was not run`);
    return found;
  };

  const save = (name: string, results: Results) => {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, "results.json"), serializeResults(results));
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "io-selectors-advice-"));
    const { fingerprint } = gatherEnvironment(root);
    const here = { environment: { fingerprint } };
    save("one", runOf(cellsOf(plain), here));
    save("two", runOf(cellsOf(plain, { connections: 1_000, activeConnections: 1_000 }), here));
    save("foreign", runOf(cellsOf(plain, { connections: 5, activeConnections: 5 })));
    const lines = Object.entries(linesOf());
    const all = await commandLines(
      lines.map(([, argv]) => ["advise", ...argv]),
      root,
    );
    said = new Map(lines.map(([name], index) => [name, all[index] as Said]));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("answers from all runs of this machine in a folder, and from no other", () => {
    const between = run("between");
    expect(between.status).toBe(0);
    expect(between.stdout).toContain("cpp:reactor-epoll: a reactor over epoll_wait(2)");
    expect(between.stdout).toContain("interpolated");
    const foreign = run("oneForeign");
    expect(foreign.stdout).toMatch(/for 5 connections\s\(measured: at least 10,000/);
    expect(foreign.stderr).toContain("1 of 2 runs left out");
  });

  it("answers from the nearest scale with low confidence, and the command for this one", () => {
    const { status, stdout } = run("nearest");
    expect(status).toBe(0);
    expect(stdout.replaceAll("\n", " ")).toContain(
      "Low confidence: no CPU figures at a matched rate (echo-rate, active-fraction) for " +
        "20,000 connections (measured: at most 10,000 connections).",
    );
    expect(stdout).toMatch(/^For 10,000 connections, .*:\n {2}cpp:reactor-epoll: /m);
    expect(stdout).toMatch(/--workloads echo-rate --connections 20000 --payload 64 --blocks 6$/m);
  });

  it("says where another machine was measured", () => {
    const { status, stderr } = run("foreign");
    expect(status).toBe(0);
    expect(stderr).toContain("another machine");
  });

  it("takes no requests of other protocols for messages of a size", () => {
    const requests = runOf(cellsOf([["target", 20, 900]], { payloadBytes: 0 }));
    expect(advise([requests], ask())).toMatchObject({
      ...{ kind: "refusal", cause: { code: "nothing-measured" }, nearest: null },
    });
  });

  it("gives JSON", () => {
    const { stdout } = run("json");
    expect(JSON.parse(stdout)).toMatchObject({ recommended: { contender: "cpp:reactor-epoll" } });
    const far = run("farJson");
    expect(Object.keys(JSON.parse(far.stdout).nearest.question).sort()).toEqual(
      ["activePercent", "connections", "payloadBytes", "ratePerSecond"].sort(),
    );
  });

  it.each(refused.map((row, index) => ({ ...row, index })))("takes $argv for bad input", (row) => {
    const { index, named } = row;
    const { status, stdout, stderr } = run(index);
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^bench: [^\n]+\n$/);
    expect(stderr).toContain(named);
  });
});
