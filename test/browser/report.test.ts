// report.html in a real browser, with the network off: both colour schemes, phone and desk, with
// and without script; what is shown equals results.json; axe finds nothing serious. Skipped by name
// if there is no Chromium.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Results } from "../../bench/model/results.ts";
import { figure, scaleText } from "../../bench/report/groups.ts";
import { parseResults, serializeResults } from "../../bench/report/json.ts";
import { inventedProfile, inventedResults, otherCell } from "../report-data.ts";
import { fullResults, smallResults } from "../report-full-data.ts";
import { renderHtml } from "../report-words.ts";
import {
  changeLook,
  chromiumPath,
  faintMarks,
  type Look,
  launchChromium,
  type OpenedPage,
  openFile,
  seriousFindings,
} from "./chromium.ts";

const executable = chromiumPath();

const looks: readonly [Look, Look, Look, Look] = [
  { colorScheme: "light", width: 1400 },
  { colorScheme: "dark", width: 1400 },
  { colorScheme: "light", width: 400 },
  { colorScheme: "dark", width: 400 },
];

async function unfold(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
}

/** What is wrong with the charts that are shown: none, empty, or without a name. */
function chartFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const shown = [...document.querySelectorAll("svg.chart")].filter(
      (svg) => svg.getClientRects().length > 0,
    );
    const faults = shown.flatMap((svg) => {
      const { width, height } = svg.getBoundingClientRect();
      const name = svg.querySelector(":scope > title")?.textContent ?? "";
      const desc = svg.querySelector(":scope > desc")?.textContent ?? "";
      const marks = svg.querySelectorAll("[data-contender] path, [data-contender] rect").length;
      const sound = width > 200 && height > 100 && name !== "" && desc !== "" && marks > 1;
      return sound ? [] : [`${name}: ${width} × ${height}, ${marks} marks`];
    });
    return shown.length === 0 ? ["no chart is visible"] : faults;
  });
}

/** Text of a chart that sticks out of it, and names that their figures cover. */
function lostWords(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("svg.chart")].flatMap((svg) => {
      if (svg.getClientRects().length === 0) return [];
      const outer = svg.getBoundingClientRect();
      const title = svg.querySelector("title")?.textContent;
      const out = [...svg.querySelectorAll("text")].flatMap((word) => {
        const box = word.getBoundingClientRect();
        const sticks = box.left < outer.left - 3 || box.right > outer.right + 3;
        return sticks ? [`${title}: ${word.textContent} sticks out`] : [];
      });
      const covered = [...svg.querySelectorAll("g[data-contender]")].flatMap((row) => {
        const [name, figure] = [...row.querySelectorAll("text")];
        if (name === undefined || figure === undefined) return [];
        const overlap = name.getBoundingClientRect().right - figure.getBoundingClientRect().left;
        return overlap > 0 ? [`${title}: ${figure.textContent} covers ${name.textContent}`] : [];
      });
      return [...out, ...covered];
    }),
  );
}

describe.skipIf(executable === undefined)("report.html in Chromium", () => {
  let browser: Browser;
  let folder = "";
  const files: Record<string, string> = {};
  const written: Record<string, Results> = {
    ...{ full: fullResults(), small: smallResults() },
    profiled: { ...smallResults(), cpuProfiles: [inventedProfile("cpp:reactor-epoll")] },
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "io-selectors-page-"));
    for (const [name, results] of Object.entries(written)) {
      files[name] = join(folder, `${name}.html`);
      // By way of the file, as a reader of it would.
      const read = parseResults(serializeResults(results), "results.json");
      writeFileSync(files[name], renderHtml(read));
    }
    browser = await launchChromium(executable ?? "");
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (name: string, look: Look) => openFile(browser, files[name] ?? "", look);

  describe.each(["full", "small"])("the %s report", (name) => {
    let opened: OpenedPage;

    beforeAll(async () => {
      opened = await open(name, looks[0]);
    });

    afterAll(() => opened?.page.context().close());

    it.each(looks)("is whole and has no complaint: $width pixels, $colorScheme", async (look) => {
      const { page, complaints } = opened;
      await changeLook(page, look);
      expect(await chartFaults(page)).toEqual([]);
      expect(await lostWords(page)).toEqual([]);
      expect(await faintMarks(page)).toEqual([]);
      const { scrollWidth, clientWidth } = await page.evaluate(() => ({
        scrollWidth: document.documentElement.scrollWidth,
        clientWidth: document.documentElement.clientWidth,
      }));
      expect(scrollWidth).toBeLessThanOrEqual(clientWidth);
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      expect(background).toBe(
        look.colorScheme === "dark" ? "rgb(15, 18, 21)" : "rgb(247, 247, 245)",
      );
      expect(complaints).toEqual([]);
    });
  });

  it("has nothing serious for axe, light and wide, dark and narrow, all of it open", async () => {
    const { page } = await open("small", looks[0]);
    await unfold(page);
    // Both schemes and both widths: no element has colours of its own at a width.
    for (const look of [looks[0], looks[3]]) {
      await changeLook(page, look);
      expect(await seriousFindings(page), JSON.stringify(look)).toEqual([]);
    }
    await page.context().close();
  });

  it("says everything without script", async () => {
    const { page, complaints } = await open("small", {
      ...{ colorScheme: "light", width: 1400 },
      javaScript: false,
    });
    expect(complaints).toEqual([]);
    expect(await page.locator("svg.chart.wide").first().isVisible()).toBe(true);
    expect(await page.locator("h1").innerText()).toContain("cpp:reactor-epoll spends");
    expect(await page.locator("#controls").innerText()).toBe("");
    await page.context().close();
  });

  it("has tables that equal results.json", async () => {
    const { page } = await open("full", { colorScheme: "light", width: 1400 });
    const shown = await page.evaluate(() =>
      [...document.querySelectorAll("#raw table")].map((table) => ({
        heads: [...table.querySelectorAll("thead th")].map((head) => head.textContent ?? ""),
        rows: [...table.querySelectorAll("tbody tr")].map((row) =>
          [...row.children].map((field) => {
            const data = field.querySelector("data");
            return data === null ? (field.textContent ?? "") : Number(data.value);
          }),
        ),
      })),
    );
    const rows = shown.flatMap(({ heads, rows: all }) =>
      all.map((fields) => new Map(heads.map((head, index) => [head, fields[index]]))),
    );
    const { cells } = written["full"] as Results;
    const workloads = [...new Set(cells.map(({ workload }) => workload))];
    const ordered = workloads.flatMap((name) => cells.filter(({ workload }) => workload === name));
    expect(rows.length).toBe(ordered.length);
    for (const [index, cell] of ordered.entries()) {
      const row = rows[index];
      expect(row?.get("contender")).toBe(cell.contender);
      expect(row?.get("scale")).toBe(scaleText(cell));
      expect(row?.get("status")).toBe(cell.status);
      expect(row?.get("messages")).toBe(cell.messages);
      const cost = figure(cell, "serverCpuPerMessage")?.median;
      if (cost !== undefined) {
        const found = Number(row?.get("server CPU per message"));
        expect(Math.abs(found / cost - 1)).toBeLessThan(1e-5);
      }
    }
    // A cell without a figure is last, in both directions.
    const column = "p99.9";
    const kinds = await page.evaluate((name) => {
      for (const one of document.querySelectorAll<HTMLDetailsElement>("#raw details")) {
        one.open = true;
      }
      return [...document.querySelectorAll<HTMLTableElement>("#raw table")].flatMap((table) => {
        const heads = [...table.querySelectorAll("thead th")];
        const at = heads.findIndex(({ textContent }) => textContent === name);
        const sorter = heads[at]?.querySelector("button");
        if (sorter === null || sorter === undefined) return [];
        return [0, 1].map(() => {
          sorter.click();
          const fields = [...(table.tBodies[0]?.rows ?? [])].map(({ children }) => children[at]);
          return fields.map((field) => (field?.querySelector("data") ? "figure" : "none"));
        });
      });
    }, column);
    expect(new Set(kinds.flat())).toEqual(new Set(["figure", "none"]));
    for (const shown of kinds)
      expect(shown.lastIndexOf("figure")).toBeLessThan(shown.indexOf("none"));
    await changeLook(page, { colorScheme: "light", width: 390 });
    const claims = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("#claims thead th")].map(
        (head) => head.offsetWidth,
      ),
    );
    expect(Math.min(...claims)).toBeGreaterThan(60);
    await page.context().close();
  });

  it("changes its theme, shows words at the pointer, fades contenders and sorts", async () => {
    const { page, complaints } = await open("small", { colorScheme: "light", width: 1400 });
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.locator("#theme").click();
    await page.locator("#theme").click();
    expect(await page.locator("#theme").innerText()).toBe("Theme: dark");
    expect(await background()).toBe("rgb(15, 18, 21)");
    const row = page.locator('#cpu svg.wide g[data-contender="node:net"]');
    await row.hover();
    expect(await page.locator("#tip").innerText()).toMatch(
      /^node:net: \d+\.\d µs \(.*; \d\.\d\d× \(/,
    );
    await page.getByRole("button", { name: "node:net", exact: true }).click();
    expect(await row.getAttribute("class")).toBe("off");
    await page.getByRole("button", { name: "all", exact: true }).click();
    expect(await row.getAttribute("class")).toBe("");
    const table = page.locator("#cpu figure").first().locator("details.data");
    await table.locator("summary").click();
    await table.getByRole("button", { name: "ratio" }).click();
    await table.getByRole("button", { name: "ratio" }).click();
    const first = table.locator("tbody tr").first().locator("th");
    expect(await first.innerText()).toBe("ts:busy-poll");
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it("has flame graphs that the keyboard walks and enlarges", async () => {
    const { page, complaints } = await open("profiled", looks[0]);
    await unfold(page);
    for (const look of [looks[0], looks[3]]) {
      await changeLook(page, look);
      expect(await seriousFindings(page, ".profiles")).toEqual([]);
      const beyond = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return scrollWidth - clientWidth;
      });
      expect(beyond).toBeLessThanOrEqual(0);
      const graph = page.getByRole("tree", { name: "Flame graph of cpp:reactor-epoll" });
      const boxes = graph.getByRole("treeitem");
      const width = async (index: number) => (await boxes.nth(index).boundingBox())?.width ?? 0;
      const whole = await width(0);
      expect((await width(3)) / whole).toBeCloseTo(0.6, 1);
      await boxes.nth(0).focus();
      for (const key of ["ArrowUp", "ArrowUp", "Enter"]) await page.keyboard.press(key);
      const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
      expect(await focused()).toBe("send: 60 %");
      expect(await boxes.count()).toBe(3); // "wait" beside it is hidden
      expect(await width(2)).toBeCloseTo(whole, 0);
      await page.keyboard.press("Escape");
      expect(await boxes.count()).toBe(4);
      await page.keyboard.press("ArrowLeft");
      expect(await focused()).toBe("<wait>: 30 %");
      expect(complaints).toEqual([]);
    }
    await page.context().close();
  });

  it("is reached by the keyboard from its start", async () => {
    const { page } = await open("small", { colorScheme: "light", width: 1400 });
    await page.keyboard.press("Tab");
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
    expect(await focused()).toBe("To the report");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    await page.context().close();
  });

  it("prints on white with its charts, whatever the screen's theme", async () => {
    const { page } = await open("full", { colorScheme: "dark", width: 1400 });
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
      "rgb(255, 255, 255)",
    );
    expect(await page.locator("#cpu svg.wide").first().isVisible()).toBe(true);
    expect(await page.locator("#controls").isVisible()).toBe(false);
    expect((await page.pdf()).length).toBeGreaterThan(10_000);
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    expect(await page.locator("section:not(.closed) details.folded[open]").count()).toBeGreaterThan(
      0,
    );
    expect(await page.locator("section.closed details[open]").count()).toBe(0);
    expect(await page.locator("#validity details[open]").count()).toBe(0);
    // A4 less its margins, at 96 pixels per inch: the verdict and the first chart on one page.
    await page.setViewportSize({ width: 718, height: 1046 });
    const charts = await page.evaluate(() =>
      [...document.querySelectorAll<SVGSVGElement>("main svg.chart")]
        .filter((svg) => svg.getClientRects().length > 0)
        .map((svg) => {
          const { top, bottom } = svg.getBoundingClientRect();
          const sizes = [...svg.querySelectorAll("text")].map((word) => {
            const pixels = Number.parseFloat(getComputedStyle(word).fontSize);
            return pixels * (word.getScreenCTM()?.a ?? 0) * 0.75;
          });
          const name = svg.querySelector("title")?.textContent;
          return { name, height: bottom - top, end: bottom + scrollY, points: Math.min(...sizes) };
        }),
    );
    expect(charts[0]?.end).toBeLessThan(1046);
    expect(charts.filter(({ points, height }) => points < 6 || height > 900)).toEqual([]);
    // A table that is too wide makes the printer shrink every page.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(718);
    await page.context().close();
  });

  it("runs nothing that a results.json smuggles in", async () => {
    const act = "document.title='taken'";
    const evil = `<img src=x onerror="${act}"></script><script>${act}</script>`;
    const results = inventedResults({
      profile: evil,
      cells: [...inventedResults().cells, otherCell(evil, "failed", evil)],
      environment: { fingerprint: evil, cpuModel: evil, [evil]: evil },
      settings: { [evil]: evil },
    });
    const path = join(folder, "evil.html");
    writeFileSync(path, renderHtml(results));
    const { page, complaints } = await openFile(browser, path, {
      ...{ colorScheme: "light", width: 400 },
    });
    expect(await page.title()).toContain("<img src=x");
    expect(await page.locator("img").count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
