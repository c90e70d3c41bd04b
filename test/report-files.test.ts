// What a report leaves on the disk, and a saved one rendered again: the CSV and the page as files,
// and what is said of a results.json that cannot be read.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ResultsFormatError, serializeResults } from "../bench/report/json.ts";
import { renderSaved, writeReport, writeWhole } from "../bench/report/write.ts";
import { inventedResults, otherCell } from "./report-data.ts";
import { fullResults, smallResults } from "./report-full-data.ts";
import { renderCsv, renderHtml, renderMarkdown, renderTerminal } from "./report-words.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "io-selectors-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** RFC 4180, so far as we write it. */
function parseCsv(text: string): string[][] {
  return text
    .split("\r\n")
    .filter((line) => line !== "")
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
      ),
    );
}

describe("cells.csv", () => {
  it("has a row for each cell and metric, and the figures in full", () => {
    const results = fullResults();
    const [head = [], ...rows] = parseCsv(renderCsv(results));
    const figures = results.cells.flatMap((cell) =>
      Object.entries(cell.metrics).map(([name, metric]) => [
        cell.contender,
        cell.workload,
        name,
        metric.median === null ? "" : String(metric.median),
        metric.high === null ? "" : String(metric.high),
      ]),
    );
    const wanted = ["contender", "workload", "metric", "median", "high"];
    const at = (row: readonly string[]) => wanted.map((name) => row[head.indexOf(name)]);
    expect(rows.every((row) => row.length === head.length)).toBe(true);
    expect(rows.map(at).filter(([, , name]) => name !== "")).toEqual(figures);
    const empty = results.cells.filter(({ metrics }) => Object.keys(metrics).length === 0);
    expect(rows.length).toBe(figures.length + empty.length);
  });

  it("keeps commas, quotes and formulas from doing harm", () => {
    const cells = [otherCell('=cmd|"x"', "failed", 'a, "b"\nc')];
    const [, row = []] = parseCsv(renderCsv(inventedResults({ cells })));
    expect(row[1]).toBe(`'=cmd|"x"`);
    expect(row.at(-1)).toBe('a, "b" c');
  });
});

describe("report.html", () => {
  /** Rendered once, which takes longer than what is asked of it. */
  let rendered: string | undefined;
  const fullPage = () => {
    rendered ??= renderHtml(fullResults());
    return rendered;
  };

  it("is one file under 2 MB, whatever was measured", () => {
    const page = fullPage();
    expect(Buffer.byteLength(page)).toBeLessThan(2_000_000);
    expect(page).not.toMatch(/<(script|img|link|iframe)[^>]+(src|href)="(?!data:)/);
    expect(page).not.toMatch(/@import|url\(/);
    expect(page.match(/<h1/g)).toHaveLength(1);
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("stands in the order of what one asks", () => {
    const page = fullPage();
    const order = [
      "verdict",
      "tiles",
      "cpu",
      "latency",
      "why",
      "crossover",
      "workload-memory",
    ].concat(["workload-idle", "timeline", "method", "environment", "raw", "reproduce"]);
    const places = order.map((id) => page.search(new RegExp(`(id|class)="${id}"`)));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
  });

  it("is made of little, too", () => {
    for (const cells of [[], [otherCell("x", "failed", "crashed")]]) {
      const page = renderHtml(inventedResults({ cells }));
      expect(page).toContain("How it was measured");
      expect(page).not.toContain("undefined");
    }
  });

  it("gives the command, the seed and the commit", () => {
    const page = renderHtml(inventedResults());
    expect(page).toContain("npm run bench -- --profile quick --seed 7 --blocks 8");
    expect(page).toContain("At commit c1eee41aaaaa.");
  });
});

describe("workloads that are about something else than CPU per message", () => {
  const results = fullResults();

  it("have their own column and sentence in report.md", () => {
    const text = renderMarkdown(results);
    const lead =
      /CPU while idle, % of a core: from cpp:reactor-epoll 0\.012 % \([\d.]+–[\d.]+\) to/;
    expect(text).toMatch(lead);
    expect(text).toContain("| contender | CPU while idle, % of a core [95 %] | ratio to reference");
    expect(text).toMatch(/\*\*cpp:reactor-epoll spends 11\.\d µs/);
    for (const line of text.split("\n").filter((one) => one.startsWith("|"))) {
      expect(line).toMatch(/\|$/);
    }
  });

  it.each([80, 100, 140])("fit a terminal of %i columns", (width) => {
    const text = renderTerminal(results, { colour: false, width });
    for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(width);
    expect(text).toContain("fairness");
  });
});

describe("a file that cannot be written", () => {
  it("fails with the first error, and leaves nothing", () => {
    const path = join(folder, "file");
    writeFileSync(path, "");
    expect(() => writeWhole(join(path, "below"), "text")).toThrow(/^ENOTDIR: .* open /);
    mkdirSync(join(folder, "folder"));
    expect(() => writeWhole(join(folder, "folder"), "text")).toThrow(/rename/);
    expect(readdirSync(folder).sort()).toEqual(["file", "folder"]);
  });
});

describe("a saved report", () => {
  it("is rendered again beside its results.json, or elsewhere", () => {
    const { folder: saved, resultsPath } = writeReport(smallResults(), { reportsFolder: folder });
    const page = readFileSync(join(saved, "report.html"), "utf8");
    rmSync(join(saved, "report.html"));
    rmSync(join(saved, "charts"), { recursive: true });
    const again = renderSaved(saved);
    expect(again.resultsPath).toBe(resultsPath);
    expect(readFileSync(again.pagePath, "utf8")).toBe(page);
    expect(readdirSync(again.chartsFolder ?? "")).toContain("cpu.svg");
    const elsewhere = join(folder, "a", "b");
    expect(renderSaved(resultsPath, elsewhere).pagePath).toBe(join(elsewhere, "report.html"));
    expect(existsSync(join(elsewhere, "results.json"))).toBe(false);
    expect(statSync(join(elsewhere, "cells.csv")).size).toBeGreaterThan(1000);
  });

  it("is refused with the file and what is wrong with it", () => {
    const text = serializeResults(smallResults());
    const path = join(folder, "results.json");
    const refusals: [string, string][] = [
      ["", "not JSON: the file is empty"],
      [text.slice(0, text.length / 2), "not JSON, perhaps truncated"],
      ["{}", "schemaVersion is missing"],
      [
        text.replace('"schemaVersion": 2', '"schemaVersion": 9'),
        "schemaVersion 9 is not supported",
      ],
      [
        text.replace(/"block": 1,/, '"block": "one",'),
        "timeline[0].block: expected a whole number",
      ],
    ];
    for (const [content, complaint] of refusals) {
      writeFileSync(path, content);
      expect(() => renderSaved(path), complaint).toThrow(`${path}: ${complaint}`);
      expect(() => renderSaved(path), complaint).toThrow(ResultsFormatError);
    }
    expect(readdirSync(folder)).toEqual(["results.json"]);
    rmSync(path);
    expect(() => renderSaved(path)).toThrow(`${path}: cannot be read`);
    mkdirSync(join(folder, "empty"));
    expect(() => renderSaved(join(folder, "empty"))).toThrow("results.json: cannot be read");
  });
});
