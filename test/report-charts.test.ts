// The charts of bench/report as what they are made of: escaping, scales, colours; and their tables,
// which equal the results that they were made from. No browser.

import { describe, expect, it } from "vitest";
import type { Cell } from "../bench/model/results.ts";
import { kindOf } from "../bench/model/version-1.ts";
import { userShareOf } from "../bench/report/causes.ts";
import { drawChart } from "../bench/report/charts/chart.ts";
import { sectionsOf } from "../bench/report/charts/sections.ts";
import { rawTable } from "../bench/report/charts/whole.ts";
import { bytes, shortest } from "../bench/report/format.ts";
import { figure, groupCells } from "../bench/report/groups.ts";
import { element, identifier, join, raw, text } from "../bench/report/markup.ts";
import { metricWords } from "../bench/report/metric-words.ts";
import { chartFile } from "../bench/report/svg/document.ts";
import { spread } from "../bench/report/svg/line-chart.ts";
import {
  darkTheme,
  lightTheme,
  markColours,
  markOf,
  type Theme,
} from "../bench/report/svg/palette.ts";
import { makeScale, position, ticks } from "../bench/report/svg/scale.ts";
import { fileChartRules } from "../bench/report/svg/style.ts";
import { inventedResults, measuredCell, metric, otherCell, tenCells } from "./report-data.ts";
import { fullResults, smallResults } from "./report-full-data.ts";
import {
  headline,
  headlineGroup,
  machineSentence,
  renderHtml,
  validityOf,
} from "./report-words.ts";

const full = fullResults();
/** With CPU time by mode of all but one contender, and more cells that are not ranked. */
const unranked = {
  ...full,
  cells: full.cells.map((cell, index): Cell => {
    const cost = cell.metrics.serverCpuPerMessage?.median ?? null;
    const isKnown = cost !== null && cell.contender !== "cpp:poll";
    const status = cell.status === "ok" && index % 5 === 0 ? "inconclusive" : cell.status;
    const byMode = isKnown
      ? {
          serverUserCpuPerMessage: metric("us", 0.3 * cost),
          serverSystemCpuPerMessage: metric("us", 0.7 * cost),
        }
      : {};
    return { ...cell, status, metrics: { ...cell.metrics, ...byMode } };
  }),
};
const named = (contender: string) => ({ contender, ...kindOf(contender) });

describe("markup", () => {
  it("lets no foreign text be markup", () => {
    expect(text(`<b a="1">&'`)).toBe("&lt;b a=&quot;1&quot;&gt;&amp;&#39;");
    expect(text("a\u0000b\u001b[31mc")).toBe("a bc");
    expect(element("p", { title: `"><script>` }, text("x"))).toBe(
      '<p title="&quot;&gt;&lt;script&gt;">x</p>',
    );
  });

  it("keeps outer spaces, one each, and leaves out what is nothing", () => {
    expect(join([text(" and "), null, text("x")])).toBe(" and x");
    expect(element("a", { href: null, hidden: true, id: false, x: 1.26 })).toBe(
      '<a hidden="" x="1.3"></a>',
    );
    expect(element("path", { d: "M0 0" })).toBe('<path d="M0 0"/>');
  });

  it("refuses a script that ends its element, and makes ids of anything", () => {
    expect(() => raw("script", "'</SCRIPT>'")).toThrow("</script");
    expect(identifier("cpu", "10,000 connections / 64 B!")).toBe("cpu-10-000-connections-64-b");
  });
});

describe("scales", () => {
  const log = makeScale({ kind: "log", values: [1, 100], start: 0, end: 100, padding: 0 });

  it("put values where they belong, and what is outside at the ends", () => {
    expect([1, 10, 100, 0.001, 1e9, 0, -5].map((value) => position(log, value))).toEqual([
      0, 50, 100, 0, 100, 0, 0,
    ]);
    const linear = makeScale({ kind: "linear", values: [4, 8], start: 100, end: 0, padding: 0 });
    expect([0, 4, 8].map((value) => position(linear, value))).toEqual([100, 50, 0]);
  });

  it("hold all their values, one value and none", () => {
    for (const values of [[0.98, 1.03], [5], [], [0, -1], [1e-6, 1e9], [Number.NaN, 2]]) {
      for (const kind of ["log", "linear"] as const) {
        const scale = makeScale({ kind, values, start: 0, end: 300 });
        expect(scale.low, `${kind} ${values}`).toBeLessThan(scale.high);
        for (const value of values.filter((one) => one > 0)) {
          expect(position(scale, value)).toBeGreaterThanOrEqual(0);
          expect(value).toBeGreaterThanOrEqual(scale.low);
          expect(value).toBeLessThanOrEqual(scale.high);
        }
      }
    }
  });

  it("have round ticks, apart, within, and at least two", () => {
    expect(ticks(log, 30)).toEqual([1, 10, 100]);
    const ratios = makeScale({ kind: "log", values: [0.77, 1.75], start: 0, end: 500 });
    expect(ticks(ratios, 40)).toEqual([0.8, 1, 1.2, 1.5]);
    const close = makeScale({ kind: "log", values: [0.995, 1.004], start: 0, end: 300 });
    expect(ticks(close, 34).length).toBeGreaterThanOrEqual(2);
    const kib = makeScale({ kind: "linear", values: [61_000], start: 0, end: 600, padding: 0 });
    expect(ticks(kib, 80, 1024).map((value) => value / 1024)).toEqual([0, 10, 20, 30, 40, 50]);
    for (const high of [1e-6, 0.3, 7, 12_345, 1e12]) {
      for (const kind of ["log", "linear"] as const) {
        const scale = makeScale({ kind, values: [high / 50, high], start: 0, end: 340 });
        const found = ticks(scale, 34);
        expect(found.length, `${kind} ${high}`).toBeGreaterThanOrEqual(2);
        expect(found.length).toBeLessThanOrEqual(12);
        expect([...found].sort((a, b) => a - b)).toEqual(found);
        for (const value of found) expect(value).toBeLessThanOrEqual(scale.high * 1.0001);
      }
    }
  });

  it("write ticks without zeros that say nothing", () => {
    const words = shortest(metricWords("latencyP99", "us").format);
    const times = [0, 1, 1500, 200, 2e6, 41_250];
    expect(times.map(words)).toEqual(["0", "1 µs", "1.5 ms", "200 µs", "2 s", "41.3 ms"]);
    const rates = shortest(metricWords("throughput", "1/s").format);
    expect([0.25, 12, 100_000].map(rates)).toEqual(["0.25/s", "12/s", "100,000/s"]);
    const shares = shortest(metricWords("idleCpuPercent", "percent").format);
    expect([0.004, 2.5, 100].map(shares)).toEqual(["0.004 %", "2.5 %", "100 %"]);
    expect([512, 1536].map(shortest(bytes))).toEqual(["512 B", "1.5 KiB"]);
  });

  it("hold what lies below zero, too, with room beyond it", () => {
    const scale = makeScale({ kind: "linear", values: [-5, -2], start: 0, end: 100 });
    expect(scale.low).toBeLessThan(-5);
    expect(scale.high).toBe(0);
  });

  it("move names apart and keep them inside", () => {
    const moved = spread([50, 51, 52, 300], 0, 310);
    expect(moved[0]).toBe(50);
    for (const [index, height] of moved.entries()) {
      if (index > 0) expect(height - (moved[index - 1] ?? 0)).toBeGreaterThanOrEqual(17);
    }
    expect(Math.max(...spread([300, 305, 309], 0, 310))).toBeLessThanOrEqual(310);
  });
});

/** WCAG 2.2, contrast ratio. */
function contrast(left = "#000000", right = "#000000"): number {
  const luminance = (colour: string) => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
      const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [high, low] = [luminance(left), luminance(right)].sort((a, b) => b - a);
  return ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05);
}

/** The declarations of each class of the charts' style sheet. */
function rulesOf(sheet: string): Map<string, Record<string, string>> {
  return new Map(
    [...sheet.matchAll(/^\.([\w-]+)\{(.*)\}$/gm)].map(([, name = "", body = ""]) => [
      name,
      Object.fromEntries(body.split(";").map((one) => one.split(":") as [string, string])),
    ]),
  );
}

/** The class lists of all marks; of those that only guide the eye, and of cuts, none. */
function classesOf(markup: string): string[] {
  return [...markup.matchAll(/<(?:path|rect|circle|line) [^>]*class="([^"]*)"/g)]
    .map(([, classes = ""]) => classes)
    .filter((classes) => !["grid", "hit", "hatch s-surface"].includes(classes));
}

/** Of the stronger of fill and outline; a translucent one is mixed with the ground. */
function contrastOf(
  mark: string,
  { rules, ground }: { rules: Map<string, Record<string, string>>; ground: string },
): number {
  const classes = mark.split(" ");
  const style: Record<string, string> = {};
  for (const [name, own] of rules) if (classes.includes(name)) Object.assign(style, own);
  const { fill = "#000000", stroke = "none" } = style;
  const paints = [
    [fill, Number(style["fill-opacity"] ?? 1)],
    [stroke, Number(style["stroke-opacity"] ?? 1)],
  ] as const;
  const contrasts = paints.map(([paint, share]) =>
    paint === "none"
      ? 1
      : contrast(mixed(paint, ground, share * Number(style["opacity"] ?? 1)), ground),
  );
  return Math.max(...contrasts);
}

function mixed(paint: string, ground: string, share: number): string {
  const parts = [1, 3, 5].map((at) => {
    const [own = 0, other = 0] = [paint, ground].map((one) =>
      Number.parseInt(one.slice(at, at + 2), 16),
    );
    return Math.round(own * share + other * (1 - share));
  });
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

describe("colours", () => {
  it.each([
    ["light", lightTheme],
    ["dark", darkTheme],
  ])("have the contrast of WCAG AA: %s", (_name, theme: Theme) => {
    for (const name of markColours) {
      expect(contrast(theme[name], theme["surface"]), name).toBeGreaterThanOrEqual(3);
    }
    for (const ground of ["page", "surface", "good-back", "warn-back", "bad-back"]) {
      for (const ink of ["ink", "muted", "accent"]) {
        expect(contrast(theme[ink], theme[ground]), `${ink} on ${ground}`).toBeGreaterThanOrEqual(
          4.5,
        );
      }
    }
  });

  it.each([
    ["light", lightTheme],
    ["dark", darkTheme],
  ])("give every mark of every chart 3:1 by its fill or its outline: %s", (_name, theme: Theme) => {
    const rules = rulesOf(fileChartRules(theme));
    const drawn = sectionsOf(unranked).flatMap(({ charts }) => charts);
    const markup = drawn.flatMap((chart) => [860, 360].map((width) => drawChart(chart, width)));
    const marks = new Set(markup.flatMap(({ body }) => classesOf(body.join(""))));
    for (const needed of ["f-surface s-", "light", "hatch s-", "f-surface open s-", "soft"]) {
      expect([...marks].filter((mark) => mark.includes(needed)).length, needed).toBeGreaterThan(0);
    }
    for (const mark of marks) {
      expect(
        contrastOf(mark, { rules, ground: theme["surface"] ?? "" }),
        mark,
      ).toBeGreaterThanOrEqual(3);
    }
  });

  it("distinguish contenders by colour and shape, always the same", () => {
    const names = [...new Set(full.cells.map(({ contender }) => contender))];
    const looks = names
      .filter((name) => name.includes(":"))
      .map((name) => `${markOf(named(name)).colour} ${markOf(named(name)).shape}`);
    expect(new Set(looks).size).toBe(looks.length);
    expect(markColours).toContain(markOf(named("a user's own server")).colour);
    expect(markOf(named("rust:mio")).colour).toBe(markOf(named("rust:mio")).colour);
  });
});

const cellOf = (cells: readonly Cell[], contender: string, scale: Partial<Cell>) =>
  cells.find(
    (cell) =>
      cell.contender === contender &&
      Object.entries(scale).every(([name, value]) => cell[name as keyof Cell] === value),
  );

describe("sections", () => {
  const sections = sectionsOf(full);
  const section = (id: string) => sections.find((one) => one.id === id);

  it("stand in their order, each with its charts", () => {
    expect(sections.map(({ id }) => id)).toEqual([
      ...["cpu", "latency", "why", "crossover", "workload-memory", "workload-idle"],
      ...["workload-echo-capacity", "workload-connect-rate", "workload-pipelining"],
      ...[
        "workload-slow-readers",
        "workload-hot-connection",
        "workload-readiness",
        "claims",
        "timeline",
      ],
    ]);
    const ids = sections.flatMap(({ charts }) => charts.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("are left out if nothing of theirs was measured", () => {
    expect(sectionsOf(inventedResults()).map(({ id }) => id)).toEqual(["cpu", "latency", "why"]);
    expect(sectionsOf(inventedResults({ cells: [] }))).toEqual([]);
    const failed = [otherCell("cpp:reactor-epoll", "failed", "crashed")];
    expect(sectionsOf(inventedResults({ cells: failed }))).toEqual([]);
  });

  it("show a workload and a metric that this version does not know", () => {
    const strange = tenCells().map((cell) => ({
      ...cell,
      workload: "tea-time",
      metrics: { cupsPerHour: metric("cups", 12) } as Cell["metrics"],
    }));
    const [only] = sectionsOf(inventedResults({ cells: strange }));
    expect(only?.title).toBe("tea-time");
    expect(only?.charts[0]?.title).toMatch(/^Cups per hour: /);
  });

  it("have tables that equal the results", () => {
    const columns = {
      cpu: ["ratioToReference", "serverCpuPerMessage"],
      latency: ["latencyP50", "latencyP99"],
    };
    const scale = { connections: 10_000, payloadBytes: 64, workload: "echo-rate" };
    for (const [id, metrics] of Object.entries(columns)) {
      const chart = section(id)?.charts[0];
      expect(chart?.table.rows.length).toBeGreaterThan(10);
      for (const { name, values } of chart?.table.rows ?? []) {
        const cell = cellOf(full.cells, name, scale);
        for (const wanted of metrics) {
          const value = cell === undefined ? undefined : figure(cell, wanted)?.median;
          expect(
            values.map((one) => one.value),
            `${name} ${wanted}`,
          ).toContain(value);
        }
      }
    }
  });

  it("draw the crossover from its cells, and list the same in its table", () => {
    const chart = section("crossover")?.charts[0];
    if (chart?.spec.kind !== "lines") throw new Error("no lines");
    expect(chart.table.columns.slice(1)).toEqual(["10", "100", "1,000", "10,000"]);
    for (const { contender, points } of chart.spec.series) {
      const row = chart.table.rows.find(({ name }) => name === contender);
      expect(points.map(({ y }) => y)).toEqual(row?.values.map(({ value }) => value));
      const cells = full.cells.filter(
        (cell) =>
          cell.workload === "active-fraction" &&
          cell.contender === contender &&
          cell.connections === 10_000,
      );
      expect(points.map(({ x }) => x)).toEqual(cells.map((cell) => cell.activeConnections));
      expect(points.map(({ y }) => y)).toEqual(
        cells.map((cell) => figure(cell, "serverCpuPerMessage")?.median),
      );
    }
  });

  it("stack memory, and name who is missing with the reason", () => {
    const chart = section("workload-memory")?.charts[0];
    if (chart?.spec.kind !== "rows") throw new Error("no rows");
    const node = chart.spec.rows.find(({ contender }) => contender === "node:net");
    expect(node?.bars).toEqual([5_300, 3_300]);
    expect(section("cpu")?.charts[0]?.missing).toEqual([
      {
        contender: "cpp:process-per-connection",
        reason: "skipped: kernel.pid_max 8192 < 10100 needed; sudo sysctl kernel.pid_max=32768",
      },
    ]);
  });

  it("know no memory of less than nothing, and count in units of 1,024", () => {
    const cells = tenCells()
      .slice(1, 4)
      .map((cell, index) => ({
        ...cell,
        workload: "memory",
        metrics: {
          userBytesPerConnection: metric("bytes", 23),
          kernelBytesPerConnection: metric("bytes", index === 0 ? -59_000 : 141_357),
        },
      }));
    const [first] = sectionsOf(inventedResults({ cells }))[0]?.charts ?? [];
    if (first?.spec.kind !== "rows") throw new Error("no rows");
    expect(first.spec.rows.map(({ note }) => note)).toEqual([
      "23 B + not resolved",
      "23 B + 138 KiB · 10,000: 1.32 GiB",
      "23 B + 138 KiB · 10,000: 1.32 GiB",
    ]);
    expect(first.spec.axis.unit).toBe(1024);
    expect(first.table.rows[0]?.values[3]?.text).toBe("not resolved");
    expect(join(drawChart(first, 860).body)).toContain(">100 KiB<");
  });

  it("split CPU per message, sort by it, and mark what is saturated or not ranked", () => {
    const chart = section("cpu")?.charts[0];
    if (chart?.spec.kind !== "rows") throw new Error("no rows");
    const rows = new Map(chart.spec.rows.map((row) => [row.contender, row]));
    expect(rows.get("ts:poll")?.barKind).toBe("open");
    expect(rows.get("node:net")?.barKind).toBe("solid");
    const [polls] = sectionsOf(inventedResults())[0]?.charts ?? [];
    if (polls?.spec.kind !== "rows") throw new Error("no rows");
    expect(polls.spec.rows.find(({ contender }) => contender === "ts:busy-poll")).toMatchObject({
      ...{ barKind: "hatched", note: expect.stringContaining("saturated") },
    });
    const lengths = chart.spec.rows.map(({ bars = [] }) => bars.reduce((sum, one) => sum + one, 0));
    expect(lengths).toEqual([...lengths].sort((left, right) => left - right));
    const [cell] = full.cells.filter(
      ({ contender, workload }) => contender === "node:net" && workload === "echo-rate",
    );
    if (cell === undefined) throw new Error("no cell");
    const whole = { unit: "percent", median: 20, low: null, high: null, blocks: [10, 30] };
    const user = { ...whole, median: 5, blocks: [0, 10] };
    const split = {
      ...cell,
      metrics: { ...cell.metrics, serverCpuPercent: whole, serverUserCpuPercent: user },
    };
    expect(userShareOf(split)).toBe(25);
  });

  it("show lower bounds as such", () => {
    const chart = section("workload-echo-capacity")?.charts[0];
    if (chart?.spec.kind !== "rows") throw new Error("no rows");
    expect(chart.missing).toEqual([]);
    const row = chart.spec.rows.find(({ contender }) => contender === "cpp:io_uring");
    expect(row).toMatchObject({
      note: expect.stringMatching(/^at least 11\d,\d00\/s$/),
    });
    expect(row?.points?.map(({ filling }) => filling)).toEqual(["open"]);
    expect(chart.spec.legend.map(({ text }) => text).join()).toContain("not ranked");
    const told = chart.table.rows.find(({ name }) => name === "cpp:io_uring")?.values;
    expect(told?.map(({ text }) => text).join()).toContain("limited by the load generator");
  });

  it("count each round of the timeline once", () => {
    const chart = sectionsOf(smallResults()).find(({ id }) => id === "timeline")?.charts[0];
    if (chart?.spec.kind !== "timeline") throw new Error("no timeline");
    const rounds = smallResults().timeline ?? [];
    expect(chart.spec.rounds.length).toBe(rounds.length);
    expect(chart.table.rows.length).toBe(rounds.length);
    const dropped = chart.spec.rounds.filter(({ outcome }) => outcome === "dropped");
    expect(dropped.length).toBe(rounds.filter((one) => one.dropped === one.windows).length);
    expect(dropped.length).toBeGreaterThan(0);
    const many = section("timeline")?.charts[0];
    expect(many?.table.rows.length).toBeLessThan(500);
  });

  it("draw every chart at any width, with numbers only", () => {
    for (const chart of sections.flatMap(({ charts }) => charts)) {
      for (const width of [320, 360, 860, 1600]) {
        const { body, height } = drawChart(chart, width);
        const markup = join(body);
        expect(markup, chart.id).not.toMatch(/NaN|Infinity|undefined/);
        expect(height).toBeGreaterThan(60);
      }
    }
  });
});

/** Whether every element that opens also closes, in order: what XML asks for. */
function unbalanced(markup: string): string[] {
  const open: string[] = [];
  for (const [, end, name = "", closed] of markup.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (closed === "/") continue;
    if (end === "") open.push(name);
    else if (open.pop() !== name) return [`</${name}>`];
  }
  return open;
}

describe("charts as files", () => {
  const charts = sectionsOf(full).flatMap((section) => section.charts);

  it("stand alone: well-formed, titled, without variables or anything from elsewhere", () => {
    for (const theme of ["light", "dark"] as const) {
      for (const chart of charts) {
        const file = chartFile(chart, theme);
        expect(unbalanced(file.replace(/<\?xml[^>]*>/, "")), chart.id).toEqual([]);
        expect(file).not.toMatch(/var\(|url\(|<image|href=/);
        expect(file).toContain('<title id="title">');
        expect(file.replace(/xmlns="[^"]*"/, "")).not.toContain("http");
      }
    }
  });

  it("escape what a contender is called", () => {
    const evil = measuredCell("a<b>&\"c'", { cpu: 9, p50: 1, p99: 2, percent: 3 });
    const cells = [...tenCells(), evil];
    const [first] = sectionsOf(inventedResults({ cells }))[0]?.charts ?? [];
    if (first === undefined) throw new Error("no chart");
    expect(chartFile(first, "light")).toContain("a&lt;b&gt;&amp;&quot;c&#39;");
    expect(chartFile(first, "light")).not.toContain("a<b>");
  });
});

describe("a results.json made by hand", () => {
  it("makes no chart that XML does not allow", () => {
    const name = "a\u0001\u001b[31m\u007f\ufffe\ud800b";
    const evil = measuredCell(name, { cpu: 9, p50: 1, p99: 2, percent: 3 });
    const made = { ...fullResults(), cells: [...fullResults().cells, ...tenCells(), evil] };
    const charts = sectionsOf(made).flatMap((section) => section.charts);
    // Extensible Markup Language 1.0, "Char"; a lone surrogate is none either.
    const allowed = /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u;
    for (const chart of charts) expect(chartFile(chart, "light"), chart.id).toMatch(allowed);
  });
});

describe("the words before the charts", () => {
  it("are about the largest scale with the usual payload", () => {
    expect(headlineGroup(full)?.scale).toBe(
      "10,000 connections, 64-byte messages, 20,000 messages/s",
    );
    expect(headline(inventedResults())).toBe(
      "cpp:reactor-epoll spends 11.1 µs of server CPU per message; node:net spends 1.50 times " +
        "that. cpp:poll ties with cpp:reactor-epoll; 3 others cost from 1.24 (ts:reactor-epoll) " +
        "to 2.74 times (cpp:select) as much. cpp:busy-poll and ts:busy-poll saturate their cores " +
        "at this rate.",
    );
  });

  it("rank nothing without a reference, and say so if nothing was measured", () => {
    const single = tenCells().map((cell) => {
      const { ratioToReference: ratio, ...rest } = cell.metrics;
      if (ratio === undefined) return cell;
      return {
        ...cell,
        metrics: { ...rest, ratioToReference: { ...ratio, low: null, high: null } },
      };
    });
    expect(headline(inventedResults({ cells: single }))).toBe(
      "cpp:reactor-epoll spends 11.1 µs of server CPU per message; node:net is not ranked. " +
        "cpp:busy-poll and ts:busy-poll saturate their cores at this rate.",
    );
    const without = tenCells().filter(({ contender }) => contender !== "cpp:reactor-epoll");
    expect(headline(inventedResults({ cells: without }))).toContain("nothing is ranked");
    expect(headline(inventedResults({ cells: [] }))).toBe("Nothing was measured.");
    expect(headlineGroup(inventedResults({ cells: [] }))).toBeUndefined();
  });

  it("say how far to trust the rest", () => {
    const ok = tenCells().filter(({ status, dropped }) => status === "ok" && dropped === 0);
    expect(validityOf(inventedResults({ cells: ok })).level).toBe("sound");
    expect(validityOf(smallResults()).level).toBe("careful");
    const graded = ok.map((cell, index) => ({
      ...cell,
      confidence:
        index === 0
          ? { grade: "low" as const, doubts: [{ code: "wide" as const, halfWidth: 0.4 }] }
          : { grade: "high" as const, doubts: [] },
    }));
    expect(validityOf(inventedResults({ cells: graded }))).toMatchObject({
      ...{ level: "careful" },
      title: `Confidence: high in ${ok.length - 1} and low in 1 of ${ok.length} cells`,
    });
    expect(renderHtml(inventedResults({ cells: graded }))).toContain("intervals of ±40 %");
    expect(validityOf(inventedResults()).level).toBe("broken");
    expect(validityOf(inventedResults({ cells: [] })).title).toBe("Nothing was measured");
    expect(validityOf(inventedResults({ cells: ok, complete: false })).sentences).toContain(
      "The run was interrupted: this is what was measured until then.",
    );
    const late = "the load generator sent late";
    const noisy = [5, 9].map((windows) => ({
      ...otherCell(`a${windows}`, "inconclusive", ""),
      reason: `2 of 6 blocks dropped: ${late} (${windows} windows), stolen (3)`,
      cause: {
        ...{ code: "disturbed" as const, blocks: 2, planned: 6, reference: "", unpaired: 0 },
        rules: [
          { rule: "late" as const, windows },
          { rule: "stolen" as const, windows: 3 },
        ],
      },
    }));
    expect(validityOf(inventedResults({ cells: noisy })).exclusions).toMatchObject([
      { contenders: ["a5", "a9"], cells: 2, reason: expect.stringMatching(/; others similar$/) },
    ]);
    const [skipped] = validityOf(full).exclusions;
    expect(skipped).toMatchObject({ status: "skipped", cells: 4 });
  });

  it("say what the machine is, as far as is known", () => {
    expect(machineSentence(inventedResults())).toBe("Invented CPU @ 2.80GHz, 2 cores");
    const bare = inventedResults({ environment: { fingerprint: "0" } });
    expect(machineSentence(bare)).toBe("");
  });
});

describe("the last tables", () => {
  it("have every cell and every figure", () => {
    for (const workload of new Set(groupCells(full).map((group) => group.workload))) {
      const cells = full.cells.filter((cell) => cell.workload === workload);
      const { rows } = rawTable(cells);
      expect(rows.length).toBe(cells.length);
      for (const [index, cell] of cells.entries()) {
        const shown = rows[index]?.values.map(({ value }) => value);
        const lost = Object.keys(cell.metrics).filter((name) => {
          const median = figure(cell, name)?.median;
          return median !== undefined && shown?.includes(median) !== true;
        });
        expect(lost, cell.contender).toEqual([]);
      }
    }
  });
});
