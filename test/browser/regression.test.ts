// The pages of the gate and of its history in a real browser, with the network off: both colour
// schemes, phone and desk. Skipped by name if there is no Chromium.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordOfGate } from "../../bench/gate/history.ts";
import { renderGateHtml } from "../../bench/gate/html.ts";
import { trendsOf } from "../../bench/gate/trend.ts";
import { renderTrends } from "../../bench/gate/trend-page.ts";
import { gateResult } from "../regression-data.ts";
import { chromiumPath, type Look, launchChromium, openFile, seriousFindings } from "./chromium.ts";

const executable = chromiumPath();

const looks: readonly Look[] = [
  { colorScheme: "light", width: 1400 },
  { colorScheme: "dark", width: 400 },
];

describe.skipIf(executable === undefined)("the gate's pages in Chromium", () => {
  let browser: Browser;
  let folder = "";

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "io-selectors-gate-page-"));
    const records = [1, 2, 3].map((run) =>
      recordOfGate(gateResult({ finishedAt: `2026-01-0${run}T00:00:00.000Z` })),
    );
    writeFileSync(join(folder, "gate.html"), renderGateHtml(gateResult()));
    writeFileSync(join(folder, "trend.html"), renderTrends(trendsOf(records)));
    browser = await launchChromium(executable ?? "");
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  describe.each(looks)("at $width pixels, $colorScheme", (look) => {
    it.each(["gate", "trend"])("use the width for the %s, and no more", async (name) => {
      const { page, complaints } = await openFile(browser, join(folder, `${name}.html`), look);
      const { viewport, all, main } = await page.evaluate(() => ({
        viewport: document.documentElement.clientWidth,
        all: document.documentElement.scrollWidth,
        main: document.querySelector("main")?.getBoundingClientRect().width ?? 0,
      }));
      expect(all).toBeLessThanOrEqual(viewport);
      expect(main).toBeGreaterThan(0.75 * viewport);
      expect(await seriousFindings(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await page.context().close();
    });
  });
});
