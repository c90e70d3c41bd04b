// bench/report on invented results: what the reader sees, what results.json refuses, and what lies
// on the disk afterwards.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { causeText } from "../bench/model/reasons.ts";
import type { Cell, Results } from "../bench/model/results.ts";
import * as format from "../bench/report/format.ts";
import { groupCells } from "../bench/report/groups.ts";
import { figureWithInterval } from "../bench/report/intervals.ts";
import { parseResults, ResultsFormatError, serializeResults } from "../bench/report/json.ts";
import { reproduceCommand } from "../bench/report/reproduce.ts";
import { painter, wrap } from "../bench/report/text-table.ts";
import { reportId, writeReport } from "../bench/report/write.ts";
import { inventedResults, measuredCell, metric, otherCell } from "./report-data.ts";
import { cautions, headline, renderMarkdown, renderTerminal, verdict } from "./report-words.ts";

const figures = { cpu: 10, p50: 400, p99: 900, percent: 40 };
const reference = measuredCell("cpp:reactor-epoll", { ...figures, cpu: 11.1 });

function withCells(...cells: Cell[]): Results {
  return inventedResults({ cells });
}

/** The only group of results with one workload at one scale. */
function groupOf(results: Results) {
  const [group] = groupCells(results);
  if (group === undefined) throw new Error("no group");
  return group;
}

describe("numbers", () => {
  it("have significant digits and separators", () => {
    expect([9.7, 11.1, 105.2, 12_345, 0.0123, 0, -2.5].map((n) => format.significant(n))).toEqual([
      "9.70",
      "11.1",
      "105",
      "12,300",
      "0.0123",
      "0",
      "-2.50",
    ]);
    expect(format.significant(9.999)).toBe("10.0");
    expect(format.significant(Number.NaN)).toBe("–");
    expect([0, 999, 1234, 1_234_567].map(format.count)).toEqual(["0", "999", "1,234", "1,234,567"]);
    expect([7, 999, 2000, 12_345, 120_345, 1_234_567].map(format.shortCount)).toEqual([
      "7",
      "999",
      "2k",
      "12.3k",
      "120k",
      "1.23M",
    ]);
  });

  it("have the unit that suits them, across its border too", () => {
    const durations = [0.85, 1, 412.4, 999.4, 999.6, 1240, 41_000, 2_310_000, 9.9e9];
    expect(durations.map(format.duration)).toEqual([
      "850 ns",
      "1.00 µs",
      "412 µs",
      "999 µs",
      "1.00 ms",
      "1.24 ms",
      "41.0 ms",
      "2.31 s",
      "9,900 s",
    ]);
    expect([64, 16_384, 25_165_824_000].map(format.bytes)).toEqual(["64 B", "16 KiB", "23.4 GiB"]);
    expect([1023.4, 1023.6].map(format.bytes)).toEqual(["1,023 B", "1.00 KiB"]);
    expect([-0.3, -0.6, -2048].map(format.bytes)).toEqual(["0 B", "−1 B", "−2 KiB"]);
    expect([0.04, 41.44, 99.96, 100].map(format.percent)).toEqual(["0.0", "41.4", "100", "100"]);
    expect(format.percent(-0.04)).toBe("0.0");
    expect([0.934, 0.997, 1.066, 12.34, 150.2].map(format.ratio)).toEqual(
      "0.93 1.00 1.07 12.3 150".split(" "),
    );
  });

  it("have their interval in the unit of the middle, once", () => {
    const of = (median: number, low: number | null, high: number | null) => ({ median, low, high });
    const { bytes, duration, ratio } = format;
    expect(figureWithInterval(of(78.5, 68.4, 11_200), duration)).toBe("78.5 µs (68.4–11,200)");
    expect(figureWithInterval(of(1500, 980, 2000), duration)).toBe("1.50 ms (0.980–2.00)");
    expect(figureWithInterval(of(0.7, 0.4, 1.2), duration)).toBe("700 ns (400–1,200)");
    expect(figureWithInterval(of(1536, 512, 2048), bytes)).toBe("1.50 KiB (0.500–2)");
    expect(figureWithInterval(of(1.07, 0.95, 1.2), ratio)).toBe("1.07 (0.95–1.20)");
    expect(figureWithInterval(of(5, null, null), duration)).toBe("5.00 µs");
  });

  it("stand in sentences", () => {
    expect(format.enumerate([])).toBe("");
    expect(format.enumerate(["a"])).toBe("a");
    expect(format.enumerate(["a", "b", "c"])).toBe("a, b and c");
    expect(format.words("readBufferBytes")).toBe("read buffer bytes");
    expect(format.words("net.core.somaxconn")).toBe("net.core.somaxconn");
    expect(format.freeValue("", { "a\u001b]0;x\u0007\nb": 1 })).toBe("a b 1");
    expect(format.freeValue("sizeBytes", 2048)).toBe("2 KiB");
    expect(format.freeValue("limits", { aShare: 0.03, list: [1, null], on: false })).toBe(
      "a share 0.03; list 1, –; on no",
    );
  });
});

describe("foreign text", () => {
  it("is one printable line", () => {
    const text = "\u001b[31mError\u001b[0m:\r\n\tat x\u0007 \u001b]0;title\u0007done\u202e\u0000";
    expect(format.plainLine(text)).toBe("Error: at x done");
    expect(format.plainLine("kept\n[12:00] line")).toBe("kept [12:00] line");
    expect(format.plainLine("größer – 温度")).toBe("größer – 温度");
  });
});

describe("text tables", () => {
  it("wrap at spaces and keep what is longer", () => {
    expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrap("a bbbbbbbbbb c", 5, "  ")).toEqual(["a", "  bbbbbbbbbb", "  c"]);
    expect(wrap("", 5)).toEqual([""]);
  });

  it("are coloured only when asked", () => {
    expect(painter(false)("x", "red")).toBe("x");
    expect(painter(true)("x", "red")).toBe("\u001b[31mx\u001b[0m");
    expect(painter(true)("x", "plain")).toBe("x");
  });
});

describe("groups", () => {
  it("are a workload at a scale each, sorted by cost, the unmeasured last", () => {
    const other = { ...measuredCell("cpp:poll", figures), connections: 1, activeConnections: 1 };
    const groups = groupCells(inventedResults({ cells: [...inventedResults().cells, other] }));
    expect(groups.map(({ title }) => title)).toEqual([
      "echo-rate: 10,000 connections, 64-byte messages, 30,000 messages/s",
      "echo-rate: 1 connection, 64-byte messages, 30,000 messages/s",
    ]);
    expect(groups[0]?.measured.map(({ contender }) => contender)).toEqual([
      "cpp:reactor-epoll",
      "cpp:poll",
      "ts:reactor-epoll",
      "cpp:thread-per-connection",
      "node:net",
      "cpp:select",
      "cpp:busy-poll",
      "ts:busy-poll",
    ]);
    expect(groups[0]?.others.map(({ contender }) => contender)).toEqual(["ts:select", "ts:poll"]);
  });

  it("compare times in whatever unit, and put those without a figure last", () => {
    const inNs = {
      ...measuredCell("b", figures),
      metrics: { serverCpuPerMessage: metric("ns", 9_000) },
    };
    const without = { ...measuredCell("a", figures), metrics: {} };
    const group = groupOf(withCells(without, measuredCell("c", figures), inNs));
    expect(group.measured.map(({ contender }) => contender)).toEqual(["b", "c", "a"]);
  });
});

describe("verdict", () => {
  it("ranks only if the interval excludes 1", () => {
    expect(verdict(groupOf(inventedResults()), "cpp:reactor-epoll")).toEqual([
      "cpp:reactor-epoll spends 11.1 µs of server CPU per message.",
      "ts:reactor-epoll costs 1.24 (1.22–1.27) times the server CPU of cpp:reactor-epoll; " +
        "cpp:thread-per-connection 1.43, node:net 1.50 and cpp:select 2.74 times.",
      "cpp:busy-poll and ts:busy-poll saturate their cores at this rate.",
      "cpp:poll ties with cpp:reactor-epoll.",
    ]);
  });

  it("does not rank without an interval, and says why", () => {
    const ratio = { unit: "ratio", median: 1.5, low: null, high: null, blocks: [1.5] };
    const single = { ...measuredCell("node:net", figures), blocks: 1 };
    const results = withCells(
      { ...reference, blocks: 1 },
      { ...single, status: "tie", metrics: { ...single.metrics, ratioToReference: ratio } },
    );
    expect(verdict(groupOf(results), results.reference)).toHaveLength(1);
    expect(cautions(groupOf(results), results)).toContain(
      "One block gives no interval, so nothing is ranked.",
    );
    expect(renderTerminal(results, { colour: false, width: 100 })).toMatch(/1\.50 +400 µs/);
  });

  it("ranks nothing without the reference", () => {
    const failed = otherCell("cpp:reactor-epoll", "failed", "crashed");
    const results = withCells(failed, measuredCell("node:net", figures));
    expect(verdict(groupOf(results), results.reference)).toEqual([
      "There is no CPU figure of the reference cpp:reactor-epoll: nothing is ranked.",
    ]);
  });

  it("says what is cheaper, too", () => {
    const cheaper = measuredCell("cpp:io_uring", { ...figures, cpu: 8.88 });
    const sentences = verdict(groupOf(withCells(reference, cheaper)), "cpp:reactor-epoll");
    expect(sentences[1]).toBe(
      "cpp:io_uring costs 0.80 (0.78–0.82) times the server CPU of cpp:reactor-epoll.",
    );
  });
});

describe("a run of many contenders", () => {
  const many = Array.from({ length: 40 }, (_, index) =>
    measuredCell(`go:server-${index}`, { ...figures, cpu: 11.1 * (0.5 + index / 25) }),
  );
  const full = Array.from({ length: 7 }, (_, index) =>
    measuredCell(`go:full-${index}`, { ...figures, percent: 99 }),
  );
  const results = withCells(reference, ...many, ...full);

  it("has a verdict that names the first and the last of each kind, and counts the others", () => {
    const words = headline(results);
    expect(words.split(/\. (?=\w)/)).toHaveLength(3);
    expect(words.length).toBeLessThan(500);
    expect(words).toMatch(
      /13 others cost from 0\.50 \(go:server-0\) to 0\.98 times \(go:server-12\) as much/,
    );
    expect(words).toMatch(
      /27 others cost from 1\.02 \(go:server-13\) to 2\.06 times \(go:server-39\) as much/,
    );
    expect(words).toContain("go:full-0, go:full-1, go:full-2 and 4 others saturate their cores");
    const sentences = verdict(groupOf(results), reference.contender);
    expect(Math.max(...sentences.map(({ length }) => length))).toBeLessThan(300);
  });
});

describe("cautions", () => {
  const of = (results: Results) => cautions(groupOf(results), results);

  it("are none if all is well", () => {
    expect(of(withCells(reference))).toEqual([]);
  });

  it("name discarded windows, full cores and runtimes", () => {
    expect(of(inventedResults())).toEqual([
      "Discarded windows: cpp:poll 3.",
      "Busy polling uses a whole core at any load: cpp:busy-poll and ts:busy-poll.",
      "ts: and node: rows include their JavaScript runtime.",
    ]);
  });

  it("name the sender delay if its p99 is over a tenth of the p99 latency", () => {
    const delayed = (delayUs: number) => ({
      ...reference,
      metrics: { ...reference.metrics, senderDelayP99: metric("us", delayUs) },
    });
    expect(of(withCells(delayed(89)))).toEqual([]);
    expect(of(withCells(delayed(91)))).toEqual([
      "The sender delay (p99 up to 91.0 µs) is over 10 % of the p99 of cpp:reactor-epoll; " +
        '"p99 uncorrected" does not contain it.',
    ]);
  });

  it("doubt no ratio whose interval is Student's, however few the blocks", () => {
    const few = { ...measuredCell("node:net", figures), blocks: 4 };
    const ratioToReference = { ...metric("ratio", 1.5), interval: "student" } as const;
    const student = { ...few, metrics: { ...few.metrics, ratioToReference } };
    const said = "With 4 blocks an interval of anything but a ratio covers the true value at most";
    expect(of(withCells(reference, student)).join(" ")).toContain(said);
    const shown = { colour: false, width: 200 };
    expect(renderTerminal(withCells(reference, student), shown)).not.toContain("With 4 blocks");
    expect(renderTerminal(withCells(reference, few), shown)).toContain("With 4 blocks an interval");
  });

  it("call no server saturated that opens as many connections as it can", () => {
    const { cells } = inventedResults();
    const opened = cells.map((cell) => ({ ...cell, workload: "connect-rate", saturated: true }));
    const text = renderMarkdown(inventedResults({ cells: opened }));
    expect(text).not.toMatch(/^- Saturated/m);
    const polling = opened.map((cell) => ({ ...cell, strategy: "busy-poll" as const }));
    expect(renderMarkdown(inventedResults({ cells: polling }))).toMatch(/^- Busy polling/m);
  });

  it("know that the load generators have cores of their own on other machines", () => {
    const { environment } = inventedResults();
    const one = { ...environment, availableCores: 1 };
    expect(renderMarkdown(inventedResults({ environment: one }))).toContain("the only core");
    const fleet = { limitedByClients: [], faults: [] };
    const several = inventedResults({ environment: { ...one, fleet } });
    expect(renderMarkdown(several)).not.toContain("the only core");
  });

  it("name what is overloaded, noisy, interrupted, on one core, or of few blocks", () => {
    const full = { ...measuredCell("cpp:poll", { ...figures, percent: 97 }), blocks: 4 };
    const noisy = otherCell("cpp:select", "inconclusive", "4 of 6 blocks discarded");
    const results = withCells(reference, full, noisy);
    expect(
      of({
        ...results,
        complete: false,
        environment: { fingerprint: "0", availableCores: 1 },
      }),
    ).toEqual([
      "The run was interrupted: this is what was measured until then.",
      "Server and load generator shared the only core and delayed each other: measure on two.",
      "With 4 blocks an interval covers the true value at most 87.5 % of the time, not 95 %; " +
        "use 6 or more.",
      "Not ranked: cpp:select.",
      "Saturated, so the cost per message is the core divided by the rate: cpp:poll.",
    ]);
  });
});

describe("terminal", () => {
  const render = (width: number, colour = false) =>
    renderTerminal(inventedResults(), { colour, width });

  it.each([60, 80, 100, 120, 140, 200])("fits %i columns", (width) => {
    for (const line of render(width).split("\n")) expect(line.length).toBeLessThanOrEqual(width);
  });

  it("shows intervals at 80 columns, and bars as long as the figures if there is room", () => {
    const [, , , header = "", first = ""] = render(100).split("\n");
    expect(header.split(/ +/)).toEqual(
      "contender µs per message reference p50 p99 % status".split(" "),
    );
    expect(first.replace(/ +/g, " ")).toBe(
      "cpp:reactor-epoll 11.1 (10.9–11.3) reference 412 µs 1.24 ms (1.22–1.26) 33.1 ok",
    );
    expect(render(80)).toMatch(/^node:net .* 1\.50 \(1\.47–1\.53\) +4\.02 ms \(3\.94–4\.10\) /m);
    expect(render(80)).toContain("1.24 (1.22–1.27)");
    expect(render(80)).not.toContain("█");
    const bars = render(140)
      .split("\n")
      .flatMap((line) => /^(\S+) +(█+)/.exec(line)?.slice(1) ?? []);
    const lengthOf = (name: string) => bars[bars.indexOf(name) + 1]?.length ?? 0;
    expect(lengthOf("ts:busy-poll") / lengthOf("cpp:reactor-epoll")).toBeCloseTo(3, 0);
    expect(lengthOf("ts:busy-poll")).toBeLessThanOrEqual(32);
  });

  it("has two sentences, the errors and the confidence, and no ratio of a full core", () => {
    const text = render(140);
    expect(text).toContain("node:net spends 1.50 times that.");
    expect(text).toMatch(/Confidence: 8 of 10 cells measured; something failed\./);
    expect(text).toMatch(/^ts:busy-poll .* saturated /m);
    expect(text).not.toContain("3.01");
  });

  it("shows one table, and a line for each other scale", () => {
    const other = { ...measuredCell("node:net", figures), connections: 1, activeConnections: 1 };
    const base = { ...reference, connections: 1, activeConnections: 1 };
    const all = inventedResults({ cells: [...inventedResults().cells, base, other] });
    const text = renderTerminal(all, { colour: false, width: 100 });
    expect(text.match(/^contender /gm)).toHaveLength(1);
    expect(text).toContain(
      "echo-rate: 1 connection, 64-byte messages, 30,000 messages/s\n  cpp:reactor-epoll spends",
    );
  });

  it("puts what was not measured last, each with its reason on its row", () => {
    const lines = render(140).split("\n");
    const row = (name: string) => lines.findIndex((line) => line.startsWith(`${name} `));
    expect(row("ts:select")).toBeGreaterThan(row("ts:busy-poll"));
    expect(lines[row("ts:select")]).toMatch(/^ts:select +failed: exited with code 1 before/);
    expect(lines[row("ts:poll")]).toMatch(/skipped: RLIMIT_NOFILE 1024 < 10080 needed; sudo/);
  });

  it("is the same text with colour, painted", () => {
    const painted = render(100, true);
    expect(painted).toContain("\u001b[32mok\u001b[0m");
    expect(painted).toContain("\u001b[31mfailed\u001b[0m:");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: taking our own colours out again.
    expect(painted.replace(/\u001b\[\d+m/g, "").replace(/ +$/gm, "")).toBe(render(100));
    expect(render(100)).not.toContain("\u001b");
  });

  it("counts the wrong messages of a failed row, and shows what a noisy one cost", () => {
    const wrong = { ...otherCell("a", "failed", "byte 12 differs"), messages: 5000, mismatches: 3 };
    const noisy = {
      ...measuredCell("b", figures),
      status: "inconclusive" as const,
      reason: "noise",
    };
    const text = renderTerminal(withCells(reference, wrong, noisy), { colour: false, width: 200 });
    expect(text).toContain("failed: byte 12 differs (3 of 5,000 messages wrong or missing)");
    expect(text).toContain("inconclusive: noise; seen: 10.0 µs per message, not ranked");
    expect(text).toContain("every byte checked, 3 wrong or missing.");
  });

  it("calls a difference probable if its interval excludes 1, and else not resolved", () => {
    const open = (contender: string, low: number): Cell => {
      const cell = measuredCell(contender, figures);
      const ratioToReference = { unit: "ratio", median: 1.18, low, high: 1.3, blocks: [1.18] };
      const cause = { code: "unresolved", detectableEffect: 0.15 } as const;
      const metrics = { ...cell.metrics, ratioToReference };
      return { ...cell, status: "inconclusive", cause, metrics };
    };
    const results = withCells(reference, open("b", 1.07), open("c", 0.98));
    const text = renderTerminal(results, { colour: false, width: 200 });
    expect(text).toMatch(/^b .* 1\.18 \(1\.07–1\.30\) .* probable$/m);
    expect(text).toMatch(/^c .* 1\.18 \(0\.98–1\.30\) .* not resolved$/m);
    expect(headline(results)).toContain("b probably costs 1.18 times as much; not resolved: c.");
    const lone = withCells(reference, measuredCell("node:net", figures), open("c", 0.98));
    expect(headline(lone)).toMatch(/\. Not resolved: c\.$/);
    expect(verdict(groupOf(results), reference.contender)).toContain(
      "b probably costs 1.18 times as much.",
    );
  });

  it("says so if nothing was measured", () => {
    const none = { colour: false, width: 80 };
    expect(renderTerminal(withCells(), none)).toBe("Nothing was measured.");
    const failed = renderTerminal(withCells(otherCell("a", "failed", "")), none);
    expect(failed).toContain("No contender could be measured.");
    expect(failed).toContain("failed: no reason was given");
  });
});

describe("report.md", () => {
  const text = renderMarkdown(inventedResults());

  it("has the verdict, the table, the settings, the environment and the command", () => {
    expect(text).toContain("# io-selectors: profile quick, 2026-11-21 09:30 UTC");
    expect(text).toContain("cpp:poll ties with cpp:reactor-epoll.");
    expect(text).toContain(
      "| node:net | 16.7 (16.4–17.0) | 1.50 (1.47–1.53) | 611 µs | 4.02 ms (3.94–4.10) |",
    );
    expect(text).toContain("| read buffer bytes | 16 KiB |");
    expect(text).toContain("| fingerprint | 0123456789abcdef |");
    expect(text).toContain("npm run bench -- --profile quick --seed 7 --blocks 8\n");
    expect(text).toContain("- **inconclusive**: too noisy, cut short, or limited");
    expect(text).toContain("node:net (runtime included)");
  });

  it("keeps its tables whole whatever a reason holds", () => {
    const bad = otherCell("x", "failed", "a | b `c` <script>\n| d");
    const row = renderMarkdown(withCells(reference, bad))
      .split("\n")
      .find((line) => line.startsWith("| x |"));
    expect(row).toBe("| x | failed: a \\| b \\`c\\` \\<script> \\| d |");
    for (const line of text.split("\n").filter((line) => line.startsWith("|"))) {
      expect(line).toMatch(/\|$/);
    }
  });

  it("says when it was interrupted", () => {
    expect(renderMarkdown(inventedResults({ complete: false }))).toContain("**Interrupted");
  });

  it("tells in one line what was not reached before it was interrupted", () => {
    const reason = "interrupted after 0 of 6 blocks";
    const late = (workload: string, connections: number) => ({
      ...{ ...otherCell("node:net", "inconclusive", reason), workload, connections },
      ...{ blocks: 0, dropped: 0, messages: 0, mismatches: 0, metrics: {} },
    });
    const { cells } = inventedResults();
    const missed = [late("memory", 10), late("memory", 20), late("idle", 10)];
    const results = inventedResults({ complete: false, cells: [...cells, ...missed] });
    const words = "Not reached before the run was interrupted: memory (2 scales), idle.";
    for (const text of [
      renderMarkdown(results),
      renderTerminal(results, { colour: false, width: 100 }),
    ]) {
      expect(text).toContain(words);
      expect(text).not.toContain(reason);
    }
    const whole = inventedResults({ complete: true, cells: [...cells, ...missed] });
    expect(renderMarkdown(whole)).not.toContain("Not reached");
  });

  it("opens with what was reached if that is not the usual workload", () => {
    const reason = "interrupted after 0 of 6 blocks";
    const { cells } = inventedResults();
    const none = { blocks: 0, dropped: 0, messages: 0, mismatches: 0, metrics: {} };
    const echo = cells.map(({ contender }) => ({
      ...otherCell(contender, "inconclusive", reason),
      ...none,
    }));
    const done = cells.map((cell) => ({ ...cell, workload: "pipelining" }));
    const results = inventedResults({ complete: false, cells: [...echo, ...done] });
    const text = renderTerminal(results, { colour: false, width: 100 });
    expect(text).not.toContain("Nothing was measured");
    expect(text).toContain("Not reached before the run was interrupted: echo-rate.");
    expect(text).toMatch(/cpp:reactor-epoll spends/);
  });

  it("quotes the command for a shell and leaves the output folder out", () => {
    const settings = {
      options: { contenders: ["node:net", "it's"], rate: null, out: "/somewhere", seed: 9 },
    };
    expect(reproduceCommand(inventedResults({ settings }))).toBe(
      "npm run bench -- --profile quick --seed 7 --contenders 'node:net,it'\\''s'",
    );
    expect(reproduceCommand(inventedResults({ settings: {} }))).toBe(
      "npm run bench -- --profile quick --seed 7",
    );
  });

  it("has one line, and no text of a file that a shell or Markdown would read as its own", () => {
    const options = { "rate; touch x #": 5, "a\nb": 1, depth: "a\n```\n<img src=x>\n```" };
    const environment = { fingerprint: "f", commit: "abc`<b>bold\n# heading" };
    const results = inventedResults({ settings: { options }, environment });
    expect(reproduceCommand(results)).toBe(
      "npm run bench -- --profile quick --seed 7 --depth 'a ``` <img src=x> ```'",
    );
    const lines = renderMarkdown(results).split("\n");
    expect(lines.filter((line) => line.startsWith("```"))).toHaveLength(2);
    expect(lines.join("\n")).toContain("At commit abc\\`\\<b>bold # heading:");
  });

  it("escapes the names in the sentence above a table of calls", () => {
    const [cell, ...others] = inventedResults().cells.slice(1);
    if (cell === undefined) throw new Error("no cell");
    const calls = { reason: null, ratePerSecond: 5, messages: 10, calls: { read: 5 } };
    const cells = [{ ...cell, workload: "<img src=x>", callCounts: calls }, ...others];
    expect(renderMarkdown(inventedResults({ cells }))).not.toMatch(/(?<!\\)<img/);
  });

  it("names no profile if a user's own server was measured, nor its command", () => {
    const own = { workloads: ["echo-rate"], contenders: ["target"], spoken: ["x"] };
    const options = { ...own, payload: 0, connections: [50] };
    const results = inventedResults({ profile: "target", settings: { options } });
    expect(reproduceCommand(results)).toBe(
      "npm run bench -- target --command '… {port}' --seed 7 --connections 50",
    );
    const named = (...names: readonly string[]) => ({
      ...results,
      cells: [reference, ...names.map((name) => measuredCell(name, figures))],
    });
    expect(reproduceCommand(named("target"))).toBe(reproduceCommand(results));
    expect(reproduceCommand(named("mine"))).toBe(
      "npm run bench -- target --name mine --command '… {port}' --seed 7 --connections 50",
    );
    expect(reproduceCommand(named("old", "new", "old"))).toBe(
      "npm run bench -- target --name old --command '… {port}' " +
        "--name new --command '… {port}' --seed 7 --connections 50",
    );
  });
});

describe("results.json", () => {
  const text = serializeResults(inventedResults());

  it("survives a round trip, with unknown fields", () => {
    expect(parseResults(text, "x")).toEqual(inventedResults());
    const more = { ...inventedResults(), later: { idea: 1 } };
    expect(parseResults(serializeResults(more), "x")).toEqual(more);
  });

  it("has its blocks on one line and foreign brackets untouched", () => {
    expect(text).toMatch(/"blocks": \[[\d.]+, [\d.]+, [\d.]+\]/);
    const tricky = withCells(otherCell("x", "failed", "[ 1, 2 ] [\n1\n]"));
    expect(parseResults(serializeResults(tricky), "x")).toEqual(tricky);
  });

  it("is refused with the file and the field", () => {
    const change = (edit: (results: Record<string, unknown>) => void) => {
      const results: Record<string, unknown> = JSON.parse(text);
      edit(results);
      return JSON.stringify(results);
    };
    const cell = (field: string, value: unknown) =>
      change((results) => {
        (results["cells"] as Record<string, unknown>[])[1] = {
          ...(results["cells"] as object[])[1],
          [field]: value,
        };
      });
    const refusals: [string, string][] = [
      ["", "not JSON: the file is empty"],
      [" \n", "not JSON: the file is empty"],
      [text.slice(0, -200), "not JSON, perhaps truncated"],
      ["[]", "expected an object, got an array"],
      ["{}", "schemaVersion is missing"],
      [change((results) => (results["schemaVersion"] = 3)), "schemaVersion 3 is not supported"],
      [change((results) => delete results["seed"]), "seed is missing"],
      [change((results) => (results["startedAt"] = "today")), "startedAt: expected a time in UTC"],
      [change((results) => (results["complete"] = 1)), "complete: expected true or false, got 1"],
      [change((results) => (results["environment"] = {})), "environment.fingerprint is missing"],
      [change((results) => (results["cells"] = {})), "cells: expected an array, got an object"],
      [cell("contender", undefined), "cells[1].contender is missing"],
      [cell("status", "fine"), "cells[1].status: expected one of ok, tie, skipped"],
      [cell("messages", -1), "cells[1].messages: expected a whole number"],
      [cell("messages", 1.5), "cells[1].messages: expected a whole number"],
      [cell("metrics", { x: { unit: "us" } }), "cells[1].metrics.x.median is missing"],
      [
        cell("metrics", { x: { unit: "us", median: 1, low: 1, high: "2", blocks: [] } }),
        'cells[1].metrics.x.high: expected a number, got "2"',
      ],
      [
        cell("metrics", { x: { unit: "us", median: 1, low: 1, high: 2, blocks: [1, null] } }),
        "cells[1].metrics.x.blocks[1]: expected a number, got null",
      ],
    ];
    for (const [damaged, complaint] of refusals) {
      const read = () => parseResults(damaged, "reports/a/results.json");
      expect(read, complaint).toThrow(ResultsFormatError);
      expect(read, complaint).toThrow(`reports/a/results.json: ${complaint}`);
    }
  });

  it("of version 1 gets its runtimes from the names and its causes from the reasons", () => {
    const old = (contender: string, reason: string | null) => {
      const { runtime: _runtime, strategy: _strategy, ...cell } = otherCell(contender, "ok", "");
      return { ...cell, reason };
    };
    const cells = [
      old("ts:reactor-epoll", null),
      old("selector:io_uring", "RLIMIT_NOFILE 1024 < 10080 needed; to lift it: ulimit -n 10080"),
      old(
        "target",
        "3 of 6 blocks dropped: the load generator sent late (8 windows), the rate was missed (2)",
      ),
      old("node:net", "exited with code 1"),
    ];
    const file = JSON.stringify({ ...inventedResults(), schemaVersion: 1, cells });
    const raised = parseResults(file, "x");
    expect(raised.schemaVersion).toBe(2);
    expect(raised.cells.map(({ runtime, strategy, cause }) => [runtime, strategy, cause])).toEqual([
      ["ts", "reactor-epoll", undefined],
      [
        ...["ts", "io_uring"],
        {
          ...{ code: "limit", limit: "RLIMIT_NOFILE", allowed: 1024, needed: 10_080 },
          command: "ulimit -n 10080",
        },
      ],
      [
        ...["foreign", "target"],
        {
          ...{ code: "disturbed", blocks: 3, planned: 6, reference: "", unpaired: 0 },
          rules: [
            { rule: "late", windows: 8 },
            { rule: "rate", windows: 2 },
          ],
        },
      ],
      ["node", "net", { code: "said", text: "exited with code 1" }],
    ]);
    // Version 1 wrote "dropped" where this version writes "discarded".
    for (const { cause, reason } of raised.cells) {
      const words = reason?.replace("blocks dropped", "blocks discarded");
      if (cause !== undefined) expect(causeText(cause)).toBe(words);
    }
    expect(parseResults(serializeResults(raised), "x")).toEqual(raised);
  });

  it("is not written with a figure that is none", () => {
    const bad = { ...reference, metrics: { throughput: metric("1/s", Number.NaN) } };
    expect(() => serializeResults(withCells(bad))).toThrow("cells[0].metrics.throughput.median");
  });
});

describe("the report's folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "io-selectors-report-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is named after when and what", () => {
    expect(reportId(inventedResults())).toBe("20261121T093000Z-quick");
    expect(reportId(inventedResults({ profile: "../my profile" }))).toBe(
      "20261121T093000Z-.._my_profile",
    );
  });

  it("holds all files, and latest points at it", () => {
    const reportsFolder = join(folder, "new", "reports");
    const written = writeReport(inventedResults(), { reportsFolder });
    expect(written.folder).toBe(join(reportsFolder, "20261121T093000Z-quick"));
    expect(readdirSync(written.folder).sort()).toEqual([
      "cells.csv",
      "charts",
      "report.html",
      "report.md",
      "results.json",
    ]);
    expect(readdirSync(written.chartsFolder ?? "").sort()).toEqual([
      "cpu-dark.svg",
      "cpu.svg",
      "latency-dark.svg",
      "latency.svg",
    ]);
    expect(readdirSync(reportsFolder).sort()).toEqual(["20261121T093000Z-quick", "latest"]);
    expect(readlinkSync(join(reportsFolder, "latest"))).toBe("20261121T093000Z-quick");
    const json = readFileSync(join(reportsFolder, "latest", "results.json"), "utf8");
    expect(parseResults(json, "results.json")).toEqual(inventedResults());
    expect(readFileSync(written.reportPath, "utf8")).toBe(renderMarkdown(inventedResults()));
  });

  it("is a new one each time, and latest the newest", () => {
    const names = [1, 2, 3].map(
      () => writeReport(inventedResults(), { reportsFolder: folder }).folder,
    );
    expect(names.map((name) => name.slice(folder.length + 1))).toEqual([
      "20261121T093000Z-quick",
      "20261121T093000Z-quick-2",
      "20261121T093000Z-quick-3",
    ]);
    expect(readlinkSync(join(folder, "latest"))).toBe("20261121T093000Z-quick-3");
  });

  it("is named in a text file where links are refused", () => {
    const symlink = () => {
      throw Object.assign(new Error("operation not permitted"), { code: "EPERM" });
    };
    writeReport(inventedResults(), { reportsFolder: folder, symlink });
    const latest = join(folder, "latest");
    expect(lstatSync(latest).isFile()).toBe(true);
    expect(readFileSync(latest, "utf8")).toBe("20261121T093000Z-quick\n");
    writeReport(inventedResults(), { reportsFolder: folder });
    expect(readlinkSync(latest)).toBe("20261121T093000Z-quick-2");
  });

  it("leaves a user's own folder called latest alone", () => {
    mkdirSync(join(folder, "latest"));
    writeFileSync(join(folder, "latest", "mine"), "");
    const written = writeReport(inventedResults(), { reportsFolder: folder });
    expect(written.latestPath).toBeNull();
    expect(existsSync(written.resultsPath)).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(["20261121T093000Z-quick", "latest"]);
    expect(existsSync(join(folder, "latest", "mine"))).toBe(true);
  });

  it("does not come to be where the results break their schema or the place is a file", () => {
    const bad = inventedResults({ seed: Number.NaN });
    expect(() => writeReport(bad, { reportsFolder: folder })).toThrow(ResultsFormatError);
    expect(readdirSync(folder)).toEqual([]);
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect(() => writeReport(inventedResults(), { reportsFolder: file })).toThrow("EEXIST");
  });
});
