// What a reader of the report of `default` looks for, read from the page as text: a sentence of
// cause per contender whose figures are those of results.json, and a verdict that names node:net.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Cell, Results } from "../bench/model/results.ts";
import { judgedClaims } from "../bench/report/claims.ts";
import { bytes, count, duration, significant } from "../bench/report/format.ts";
import { figure } from "../bench/report/groups.ts";
import { parseResults } from "../bench/report/json.ts";
import { reportOf } from "../bench/report/report.ts";
import { quotedPages } from "../docs/publish-reference.mjs";
import { fullResults } from "./report-full-data.ts";
import { renderHtml, renderMarkdown, renderTerminal } from "./report-words.ts";

const reference = join(import.meta.dirname, "../reports/reference");
const saved = (name: string): Results => {
  const path = join(reference, name, "results.json");
  return parseResults(readFileSync(path, "utf8"), path);
};

/** The text of an element, without its markup. */
const textIn = (html: string) =>
  html
    .replace(/<[^>]*>/g, "")
    .replace(/&#39;/g, "'")
    .replace(/\s+/g, " ")
    .trim();

/** The sentence of cause of each contender, from the page alone. */
function causesIn(page: string): ReadonlyMap<string, string> {
  const rows = page.matchAll(/<div data-contender="([^"]+)"><dt>.*?<dd class="cause">(.*?)<\/dd>/g);
  return new Map([...rows].map(([, name = "", cause = ""]) => [name, textIn(cause)]));
}

/** Every number of a sentence that is no part of a name. */
function numbersIn(sentence: string): number[] {
  return [...sentence.matchAll(/(?<![\w:.])\d[\d,]*(?:\.\d+)?/g)].map(([digits]) =>
    Number(digits.replaceAll(",", "")),
  );
}

/** What a sentence about a cell may be made of, worked out from results.json. */
function figuresOf(cell: Cell): number[] {
  const { metrics, connections } = cell;
  const sum = (values: readonly number[] = []) => values.reduce((all, one) => all + one, 0);
  const events = metrics.eventsPerWait?.median ?? Number.NaN;
  const { serverUserCpuPerMessage: user, serverSystemCpuPerMessage: system } = metrics;
  const share =
    user?.median == null || system?.median == null
      ? sum(metrics.serverUserCpuPercent?.blocks) / sum(metrics.serverCpuPercent?.blocks)
      : user.median / (user.median + system.median);
  return [
    ...[connections, connections / events, events, 100 * share],
    metrics.serverCpuPerMessage?.median ?? Number.NaN,
    metrics.systemCallsPerMessage?.median ?? Number.NaN,
    metrics.contextSwitchesPerMessage?.median ?? Number.NaN,
  ].filter(Number.isFinite);
}

/** The numbers of a sentence that are no figure of the cell, to three significant digits. */
function strangersIn(sentence: string, cell: Cell): number[] {
  const known = figuresOf(cell);
  return numbersIn(sentence).filter(
    (one) => !known.some((figure) => Math.abs(one - figure) <= 0.0051 * Math.abs(figure)),
  );
}

/** The cell with every median 7 % too high. */
function falsified(cell: Cell): Cell {
  const metrics = Object.entries(cell.metrics).map(([name, metric]) => {
    const { median } = metric;
    return [name, { ...metric, median: median === null ? null : median * 1.07 }];
  });
  return { ...cell, metrics: Object.fromEntries(metrics) as Cell["metrics"] };
}

const opening = ({ cells }: Results) => {
  const echo = cells.filter(
    ({ workload, payloadBytes }) => workload === "echo-rate" && payloadBytes === 64,
  );
  const most = Math.max(...echo.map(({ connections }) => connections));
  return echo.filter(({ connections }) => connections === most);
};

describe.each([
  ["the reference run of default", () => saved("default")],
  ["a run of every contender", fullResults],
])("the page of %s", (_, results) => {
  const all = results();
  const page = renderHtml(all);
  const causes = causesIn(page);

  it("has a sentence of cause for each contender, with the figures of results.json", () => {
    const cells = opening(all);
    expect(cells.length).toBeGreaterThan(5);
    for (const cell of cells) {
      const sentence = causes.get(cell.contender) ?? "";
      expect(sentence, cell.contender).toMatch(/\.$/);
      if (cell.metrics.serverCpuPerMessage?.median == null) {
        expect(sentence).toContain("Not measured");
        continue;
      }
      expect(numbersIn(sentence).length, sentence).toBeGreaterThan(0);
      expect(strangersIn(sentence, cell), `${cell.contender}: "${sentence}"`).toEqual([]);
    }
  });

  it("would be caught with a wrong figure in any of these sentences", () => {
    const wrong = causesIn(renderHtml({ ...all, cells: all.cells.map(falsified) }));
    for (const cell of opening(all)) {
      if (cell.metrics.serverCpuPerMessage?.median == null) continue;
      const sentence = wrong.get(cell.contender) ?? "";
      expect(strangersIn(sentence, cell), `${cell.contender}: "${sentence}"`).not.toEqual([]);
    }
  });

  it("names node:net in a verdict of at most three sentences, and no ratio of a full core", () => {
    const verdict = textIn(/<h1 class="verdict">(.*?)<\/h1>/.exec(page)?.[1] ?? "");
    expect(verdict).toContain("node:net");
    expect(verdict.split(/\. (?=[a-zA-Z])/).length).toBeLessThanOrEqual(3);
    const saturated = opening(all).filter(
      ({ status, metrics }) =>
        ["ok", "tie"].includes(status) && (metrics.serverCpuPercent?.median ?? 0) >= 95,
    );
    for (const { contender } of saturated) {
      expect(verdict).toMatch(new RegExp(`${contender}[^.]* saturates? `));
    }
  });

  it("says in one sentence per workload where the confidence is low", () => {
    const banner = /<section id="validity".*?<\/section>/s.exec(page)?.[0] ?? "";
    const low = all.cells.filter(({ confidence }) => confidence?.grade === "low");
    const expected = [...new Set(low.map(({ workload }) => workload))].map((workload) => {
      const number = low.filter((cell) => cell.workload === workload).length;
      return `Low in ${number} cell${number === 1 ? "" : "s"} of ${workload}`;
    });
    const found = [...banner.matchAll(/Low in \d+ cells? of [\w-]+/g)].map(([text]) => text);
    expect(found).toEqual(expected);
  });

  it("has four tiles, the first of node:net against the reference", () => {
    const tiles = [...page.matchAll(/<dt>([^<]*)<\/dt><dd>([^<]*)<\/dd>/g)].slice(0, 4);
    expect(tiles.map(([, words = ""]) => words)).toEqual([
      expect.stringMatching(/^CPU per message of node:net against cpp:reactor-epoll/),
      expect.stringMatching(
        /^p99 latency: cpp:reactor-epoll \([\d.,]+–[\d.,]+\) · node:net \([\d.,]+–[\d.,]+\)$/,
      ),
      expect.stringMatching(
        /^messages per (?:CPU )?second with .*: cpp:reactor-epoll \(.*\) · node:net \(.*–.*\)$/,
      ),
      expect.stringMatching(/^of [\d,]+ messages wrong or missing/),
    ]);
    const cell = opening(all).find(({ contender }) => contender === "node:net");
    const ratio = cell?.metrics.ratioToReference?.median ?? Number.NaN;
    expect(tiles[0]?.[2]).toBe(`${ratio.toFixed(2)}×`);
  });
});

describe("a closed loop", () => {
  it("has the ratios of servers that use their core up, and calls none saturated", () => {
    const results = saved("full");
    const full = results.cells.filter(
      ({ workload, variant, status, metrics }) =>
        workload === "pipelining" &&
        variant === "depth 16" &&
        status === "ok" &&
        (metrics.serverCpuPercent?.median ?? 0) >= 95,
    );
    expect(full.length).toBeGreaterThan(0);
    const section = /<section id="workload-pipelining".*?<\/section>/s.exec(
      renderHtml(results),
    )?.[0];
    expect(section).not.toContain("saturated");
    for (const { metrics } of full) {
      expect(section).toContain(`${metrics.ratioToReference?.median?.toFixed(2)}× (`);
    }
  });
});

describe("a capacity", () => {
  it("is that of servers that use their core up, and none is called saturated", () => {
    const results = saved("default");
    const full = results.cells.filter(
      ({ workload, saturated }) => workload === "echo-capacity" && saturated,
    );
    expect(full.length).toBeGreaterThan(0);
    const { groups } = reportOf(results);
    const group = groups.find(({ measured }) => measured.some((cell) => full.includes(cell)));
    expect(group?.measured).toEqual(expect.arrayContaining(full));
    expect(group?.cautions.map(({ code }) => code)).not.toContain("saturated");
  });
});

describe("select's sentence", () => {
  it("counts the descriptors checked per message", () => {
    const results = saved("default");
    const select = opening(results).find(({ contender }) => contender === "cpp:select");
    const found = select?.metrics.eventsPerWait?.median ?? Number.NaN;
    expect(causesIn(renderHtml(results)).get("cpp:select")).toBe(
      `Each select checks 10,000 descriptors to find ${significant(found)} that are ready: ` +
        `${significant(10_000 / found)} descriptors checked per message, ` +
        "which saturates its core at this rate.",
    );
  });
});

describe("the page of a million connections", () => {
  const { cells } = saved("c1m");
  const first = (name: string) => figure(cells[0] as Cell, name)?.median ?? Number.NaN;
  const messages = count(cells.reduce((sum, cell) => sum + cell.messages, 0));

  it("leads with what was held, the errors, and the bytes of both ends, with its latency", () => {
    const page = renderHtml(saved("c1m"));
    const verdict = textIn(/<h1 class="verdict">(.*?)<\/h1>/.exec(page)?.[1] ?? "");
    expect(verdict).toMatch(/^cpp:prefork and ts:prefork held 1,000,000 connections each; 0 of /);
    expect(verdict).toContain(`${bytes(first("userBytesPerConnection"))} in cpp:prefork`);
    expect(verdict).toContain(`${bytes(first("kernelBytesPerConnection"))} in the kernel for both`);
    expect(verdict).toContain(`${bytes(first("clientBytesPerConnection"))} in the load generator`);
    const tiles = [...page.matchAll(/<dt>([^<]*)<\/dt><dd>([^<]*)<\/dd>/g)].slice(0, 4);
    expect(tiles.map(([, , figure]) => figure)).toEqual([
      "1,000,000",
      expect.stringContaining(`${bytes(first("userBytesPerConnection"))} · `),
      expect.stringContaining(`${duration(first("latencyP99"))} · `),
      "0",
    ]);
    expect(page).toMatch(/<summary>p99: 1,000,000 connections/);
    expect(page).toContain("Distribution of latency");
  });

  it("says the same in Markdown and on a terminal, once", () => {
    const results = saved("c1m");
    for (const text of [
      renderMarkdown(results),
      renderTerminal(results, { colour: false, width: 1000 }),
    ]) {
      expect(text).toContain(`held 1,000,000 connections each; 0 of ${messages} messages were`);
      expect(text.split(messages)).toHaveLength(2);
      expect(text).toContain("One block gives no interval, so nothing is ranked.");
    }
  });
});

describe("the claims of the literature", () => {
  const judgementsOf = (cells: readonly Cell[], reference = "cpp:reactor-epoll") => {
    const judged = judgedClaims({ cells, reference });
    return new Map(judged.map(({ claim, judged: { judgement } }) => [claim.id, judgement]));
  };

  it("hold, do not hold, are not resolved, or were not measured", () => {
    const cells = saved("default").cells;
    const thread = cells.find(
      ({ workload, contender }) => workload === "idle" && contender === "cpp:thread-per-connection",
    );
    if (thread === undefined) throw new Error("no cell");
    const idle = (median: number, low: number | null = null, high: number | null = null): Cell => ({
      ...{ ...thread, status: "ok" },
      metrics: { idleCpuPercent: { unit: "percent", median, low, high, blocks: [median] } },
    });
    const judged = (cell: Cell) => judgementsOf([cell]).get("idle-threads");
    expect(judged(idle(0))).toBe("does not hold");
    expect(judged(idle(5))).toBe("holds");
    expect(judged(idle(1.1, 0.9, 1.3))).toBe("not resolved");
    const disturbed = { code: "said", text: "3 of 6 blocks dropped" } as const;
    const noisy = { ...idle(5), status: "inconclusive", cause: disturbed } as const;
    expect(judged(noisy)).toBe("not resolved");
    // Only its difference from the reference is not resolved; the claim is about the figure itself.
    const cause = { code: "unresolved", detectableEffect: 0.15 } as const;
    expect(judged({ ...idle(0.1, 0.09, 0.11), status: "inconclusive", cause })).toBe(
      "does not hold",
    );
    expect(judgementsOf([]).get("idle-threads")).toBe("not measured");
  });

  it("get the verdict on their ratio: a tie and a probable difference decide nothing", () => {
    const found = saved("default").cells.find(
      ({ workload, contender }) => workload === "echo-rate" && contender === "node:net",
    );
    if (found === undefined) throw new Error("no cell");
    const judged = (low: number, high: number, cell: Partial<Cell> = {}) => {
      const ratioToReference = { unit: "ratio", median: (low + high) / 2, low, high, blocks: [] };
      const changed = { ...found, ...cell, metrics: { ...found.metrics, ratioToReference } };
      return judgementsOf([changed as Cell]).get("streams-cost");
    };
    const cause = { code: "unresolved", detectableEffect: 0.15 } as const;
    const unranked = { status: "inconclusive", cause } as const;
    expect(judged(1.2, 1.3)).toBe("holds");
    expect(judged(0.7, 0.8)).toBe("does not hold");
    expect(judged(1.02, 1.11, unranked)).toBe("probably holds");
    expect(judged(0.9, 0.98, unranked)).toBe("probably does not hold");
    expect(judged(0.9, 1.1, unranked)).toBe("not resolved");
    expect(judged(0.98, 1.02, { status: "tie" })).toBe("tie");
  });

  it("take the largest scale that has a ratio, and no ratio to another reference", () => {
    const found = saved("default").cells.find(
      ({ workload, contender }) => workload === "echo-rate" && contender === "node:net",
    );
    if (found === undefined) throw new Error("no cell");
    const { ratioToReference: _, ...metrics } = found.metrics;
    const larger = { ...found, connections: 100_000, metrics };
    expect(judgementsOf([larger, found]).get("streams-cost")).toBe("holds");
    expect(judgementsOf([found], "server").get("streams-cost")).toBe("not measured");
  });

  it("compare silent connections with none beside as many active ones", () => {
    const select = saved("default").cells.filter(
      ({ workload, contender }) => workload === "active-fraction" && contender === "cpp:select",
    );
    expect(judgementsOf(select).get("scan-grows")).toBe("holds");
    const [some] = select;
    if (some === undefined) throw new Error("no cell");
    // With all of many connections active select costs much as well, and none is silent.
    const all: Cell = { ...some, connections: 10_000, activeConnections: 10_000 };
    const few: Cell = { ...all, activeConnections: 10 };
    const judged = judgementsOf([few, all, ...select]);
    expect(judged.get("scan-grows")).toBe("holds");
    // One block has no interval, so that nothing says how sure the multiple is.
    const once = select.map((cell) => {
      const cost = cell.metrics["serverCpuPerMessage"];
      if (cost === undefined) throw new Error("no cost");
      return {
        ...cell,
        metrics: { ...cell.metrics, serverCpuPerMessage: { ...cost, low: null, high: null } },
      };
    });
    expect(judgementsOf(once).get("scan-grows")).toBe("not resolved");
  });

  it("are a section of the report of full, and not of a run that tests few of them", () => {
    const page = renderHtml(fullResults());
    for (const { claim } of judgedClaims({ cells: [], reference: "" }))
      expect(page).toContain(claim.claim.replace("'", "&#39;"));
    expect(page).toMatch(/id="claims"/);
    expect(renderHtml(saved("c1m"))).not.toMatch(/id="claims"/);
  });
});

describe("the pages that quote the reference runs", () => {
  it("have their figures", () => {
    const pages = quotedPages();
    expect(pages.map(({ page }) => page)).toEqual([
      "README.md",
      "docs/claims.md",
      "docs/choosing-a-strategy.md",
    ]);
    for (const { before, after } of pages) expect(before).toBe(after);
  });
});
