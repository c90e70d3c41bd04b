// The system's Chromium for tests that look at pages as people do: where it is, how it is started,
// and what a test asks of a page. Nothing is downloaded; if there is no browser the tests are
// skipped by name.

// What page.evaluate() runs is a page's program, and sees a page's globals.
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";

const usualPlaces = [
  // Takes half the CPU time of a whole browser.
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/usr/local/bin/chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** CHROME_PATH, or a usual place; undefined if there is none. */
export function chromiumPath(): string | undefined {
  const told = process.env["CHROME_PATH"];
  if (told !== undefined && told !== "") return told;
  return usualPlaces.find((path) => existsSync(path));
}

/** @throws if it does not start. */
export function launchChromium(executablePath: string): Promise<Browser> {
  // The sandbox refuses root, which is who runs in containers.
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath, args: [...sandbox, "--disable-gpu"] });
}

export interface Look {
  readonly colorScheme: "light" | "dark";
  readonly width: number;
  readonly javaScript?: boolean;
}

/** A page that was opened, and all that it complained of: console errors, exceptions, requests. */
export interface OpenedPage {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** Opens a file with the network off. */
export function openFile(browser: Browser, path: string, look: Look): Promise<OpenedPage> {
  const url = pathToFileURL(path).href;
  return open(browser, url, { look, offline: true, allowed: ["file:", "data:"] });
}

/** Opens a page of a server on this machine; a request to any other server is a complaint. */
export function openUrl(browser: Browser, url: string, look: Look): Promise<OpenedPage> {
  return open(browser, url, { look, offline: false, allowed: [url, "data:"] });
}

/** Gives an open page another look: that takes a fraction of opening it again. */
export async function changeLook(page: Page, { colorScheme, width }: Look): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height: pageHeight });
}

const pageHeight = 900;

interface Opening {
  readonly look: Look;
  readonly offline: boolean;
  /** How an address that may be asked begins. */
  readonly allowed: readonly string[];
}

async function open(
  browser: Browser,
  url: string,
  { look, offline, allowed }: Opening,
): Promise<OpenedPage> {
  const { colorScheme, width, javaScript = true } = look;
  const context = await browser.newContext({
    colorScheme,
    offline,
    viewport: { width, height: pageHeight },
    javaScriptEnabled: javaScript,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    const asked = request.url();
    if (!allowed.some((start) => asked.startsWith(start))) complaints.push(`asks for ${asked}`);
  });
  await page.goto(url);
  return { page, complaints };
}

/**
 * Marks of charts whose contrast to their ground is below 3:1 (WCAG 2.2, 1.4.11), by the stronger
 * of fill and outline, as they are seen: what is translucent is mixed with the ground.
 */
export function faintMarks(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const numbers = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = (colour: readonly number[]) => {
      const [red = 0, green = 0, blue = 0] = colour.map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const faults = [...document.querySelectorAll("svg.chart, svg.plot")].flatMap((svg) => {
      if (svg.getClientRects().length === 0) return [];
      const figure = svg.closest("figure") ?? document.body;
      const ground = numbers(getComputedStyle(figure).backgroundColor).slice(0, 3);
      const contrast = (paint: string, share: number) => {
        if (paint === "none") return 1;
        const seen = numbers(paint).slice(0, 3);
        const mixed = seen.map((part, at) => part * share + (ground[at] ?? 0) * (1 - share));
        const both = [luminance(mixed), luminance(ground)];
        return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
      };
      return [...svg.querySelectorAll("path, rect, circle, line")].flatMap((mark) => {
        // Lines that guide the eye, what only hears the mouse, and cuts in other marks.
        if (mark.matches(".grid, .hit, .hatch.s-surface")) return [];
        const { fill, fillOpacity, stroke, strokeOpacity } = getComputedStyle(mark);
        let share = 1;
        for (let at: Element | null = mark; at !== null && at !== svg; at = at.parentElement) {
          share *= Number(getComputedStyle(at).opacity);
        }
        const found = [
          contrast(fill, share * Number(fillOpacity)),
          contrast(stroke, share * Number(strokeOpacity)),
        ];
        const name = svg.getAttribute("aria-label") ?? svg.querySelector("title")?.textContent;
        const best = Math.max(...found);
        return best >= 3 ? [] : [`${name}: ${mark.getAttribute("class")}: ${best.toFixed(2)}`];
      });
    });
    return [...new Set(faults)];
  });
}

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/**
 * What axe finds serious or critical on a page.
 * @param within a selector
 */
export async function seriousFindings(page: Page, within = "html"): Promise<string[]> {
  // The page's own policy lets nothing in from outside; what is evaluated is not from outside.
  const isThere = await page.evaluate(() => "axe" in globalThis);
  if (!isThere) await page.evaluate(readFileSync(axePath, "utf8"));
  return await page.evaluate(async (context) => {
    const { axe } = globalThis as unknown as {
      axe: {
        run: (
          context: string,
          options: object,
        ) => Promise<{
          violations: { id: string; impact: string; nodes: { html: string }[] }[];
        }>;
      };
    };
    // What passes is not described: that takes most of the time of a large page.
    const { violations } = await axe.run(context, { resultTypes: ["violations"] });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)}`);
  }, within);
}
