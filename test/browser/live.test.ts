// The live page in a real browser, in both colour schemes, on phone and desktop: it follows a run,
// reports no problem, connects to no other server, and ends with the report. Skipped by name
// without Chromium.

// What page.evaluate() runs is a page's program, and sees a page's globals.
/// <reference lib="dom" />

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Feed } from "../../bench/live/feed.ts";
import { LiveServer } from "../../bench/live/http.ts";
import { renderLivePage } from "../../bench/live/page.ts";
import { livePlan, progressOf } from "../live-data.ts";
import { smallResults } from "../report-full-data.ts";
import { renderHtml } from "../report-words.ts";
import {
  chromiumPath,
  faintMarks,
  type Look,
  launchChromium,
  openUrl,
  seriousFindings,
} from "./chromium.ts";

const executable = chromiumPath();

const looks: readonly Look[] = [
  { colorScheme: "light", width: 1400 },
  { colorScheme: "dark", width: 400 },
  { colorScheme: "light", width: 400 },
  { colorScheme: "dark", width: 1400 },
];

/** A feed as a run fills it, served. */
async function serve() {
  const plan = livePlan();
  let server: LiveServer | null = null;
  const feed = new Feed(plan, (message) => server?.send(message));
  server = await LiveServer.listen({
    ...{ port: 0, page: renderLivePage(plan), past: () => feed.past() },
  });
  const live = server;
  const tell = (rounds: number) => {
    for (const progress of progressOf(plan, rounds)) {
      feed.hear(progress);
      const step = "step" in progress ? progress.step : null;
      const contender = step?.contender ?? "";
      feed.add([
        { contender, cpuPercent: 30, memoryBytes: 3e6, agoMs: 250 },
        { contender, cpuPercent: 45, memoryBytes: 4e6, agoMs: 0 },
      ]);
    }
  };
  const finish = () => live.handOver(renderHtml(smallResults()), () => feed.finish());
  return { live, feed, tell, finish };
}

const textOf = (page: Page, selector: string) => page.locator(selector).innerText();

describe.skipIf(executable === undefined)("the live page in Chromium", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium(executable ?? "");
  }, 60_000);

  afterAll(() => browser?.close());

  it.each(looks)(
    "shows a run and ends with its report: $width pixels, $colorScheme",
    async (look) => {
      const { live, feed, tell, finish } = await serve();
      const { page, complaints } = await openUrl(browser, live.url, look);
      tell(2);
      await page.locator("#rounds tbody tr").nth(1).waitFor();
      await page.waitForFunction(() => document.getElementById("latency-now")?.textContent !== "–");
      expect(await textOf(page, "#doing")).toMatch(
        /: echo-rate, 100 connections, 2,000\/s, block 1 of 2$/,
      );
      expect(await textOf(page, "#cpu-now")).toBe("45 %");
      expect(await textOf(page, "#memory-now")).toBe("3.81 MiB");
      expect(await textOf(page, "#throughput-now")).toBe("2,000");
      const [first] = livePlan().parts[0]?.contenders ?? [];
      expect(await textOf(page, `#standing [data-name="${first?.name}"]`)).toMatch(
        /^\S+\s+echo-rate, 100 connections, 2,000\/s\s+1\s+2,000\s+10 µs\s+(\d+ µs\s+){2}\d of 2$/,
      );
      expect(await page.locator("#standing tbody tr").count()).toBe(livePlan().contenders.length);
      expect(await textOf(page, "#rounds tbody tr >> nth=0")).toMatch(/2,000\s+10 µs\s+\d+ µs/);
      const before = await page.locator("#latency .plot path").count();
      tell(2);
      await page.locator("#rounds tbody tr").nth(3).waitFor();
      feed.add([{ contender: "cpp:poll", cpuPercent: null, memoryBytes: null, agoMs: 0 }]);
      await page.waitForFunction(
        (count) => document.querySelectorAll("#latency .plot path").length > count,
        before,
      );
      const { scrollWidth, clientWidth } = await page.evaluate(() => ({
        scrollWidth: document.documentElement.scrollWidth,
        clientWidth: document.documentElement.clientWidth,
      }));
      expect(scrollWidth).toBeLessThanOrEqual(clientWidth);
      expect(
        await page
          .locator(".plot")
          .evaluateAll((plots) =>
            plots.every(
              (plot) =>
                plot.clientWidth > 200 && !(plot.getAttribute("aria-label") ?? "").endsWith("yet"),
            ),
          ),
      ).toBe(true);
      expect(await faintMarks(page)).toEqual([]);
      expect(await seriousFindings(page)).toEqual([]);
      await Promise.all([page.waitForURL(/\/report\.html$/), finish()]);
      expect(await textOf(page, "h1")).toContain("cpp:reactor-epoll spends");
      expect(complaints).toEqual([]);
      await page.context().close();
    },
  );

  it("tells a page that comes late what there was, and whom it cannot run", async () => {
    const { live, feed, tell, finish } = await serve();
    tell(3);
    const [part] = livePlan().parts;
    if (part === undefined) throw new Error("an empty plan");
    const cause = { code: "said", text: "RLIMIT_NOFILE <b>1</b> < 2" } as const;
    const refusal = { status: "skipped", cause } as const;
    feed.hear({ event: "refused", part, contenders: ["cpp:poll"], refusal });
    const { page, complaints } = await openUrl(browser, live.url, {
      ...{ colorScheme: "light", width: 1400 },
    });
    await page.locator("#rounds tbody tr").nth(2).waitFor();
    await page.locator("#note:not(:empty)").waitFor();
    expect(await textOf(page, "#note")).toBe("skipped: cpp:poll: RLIMIT_NOFILE <b>1</b> < 2");
    await Promise.all([page.waitForURL(/\/report\.html$/), finish()]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it("draws a trace per server if the load turns from one to the next", async () => {
    const { live, feed, finish } = await serve();
    const names = ["cpp:poll", "cpp:reactor-epoll"];
    for (const progress of progressOf(livePlan(), 2)) {
      if (progress.event === "round-started") feed.hear(progress);
    }
    for (const agoMs of [3_000, 2_000, 1_000, 0]) {
      const sample = { cpuPercent: 20, memoryBytes: 2 ** 20, agoMs };
      feed.add(names.map((contender) => ({ contender, ...sample })));
    }
    const { page, complaints } = await openUrl(browser, live.url, {
      ...{ colorScheme: "light", width: 1400 },
    });
    await page.waitForFunction(() => document.getElementById("cpu-now")?.textContent !== "–");
    for (const chart of ["cpu", "memory"]) {
      expect(await page.locator(`#${chart} path.trace`).count()).toBe(names.length);
    }
    expect(await textOf(page, "#cpu-now")).toBe("40 %");
    expect(await textOf(page, "#memory-now")).toBe("2 MiB");
    expect(await textOf(page, "#doing")).toMatch(/^2 servers in turn: echo-rate/);
    for (const list of [".legend li.now", "#standing tr.now"]) {
      expect(await page.locator(list).count()).toBe(names.length);
    }
    await Promise.all([page.waitForURL(/\/report\.html$/), finish()]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it("says so where the run is gone without a word", async () => {
    const { live, tell } = await serve();
    const { page } = await openUrl(browser, live.url, { colorScheme: "light", width: 1400 });
    tell(1);
    await page.locator("#rounds tbody tr").first().waitFor();
    await live.close();
    await page.getByRole("heading", { name: "The run has ended without a report." }).waitFor();
    await page.context().close();
  });
});
