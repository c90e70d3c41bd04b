// How far a run is: the pace on a clock of the test's own, and the line on a screen of its own.

import { describe, expect, it } from "vitest";
import { ProgressLine, remainingText } from "../bench/live/progress.ts";
import { wrap, wrapLast } from "../bench/report/text-table.ts";
import { Pace } from "../bench/run/pace.ts";
import { livePlan, progressOf } from "./live-data.ts";
import { fullResults } from "./report-full-data.ts";
import { renderTerminal } from "./report-words.ts";

describe("the pace", () => {
  it("scales the plan's estimate by what the rounds really took", () => {
    let nowMs = 0;
    const plan = livePlan();
    const pace = new Pace(plan, () => nowMs);
    expect(pace.total).toBe(6);
    for (const progress of progressOf(plan, 2)) {
      if (progress.event === "round-ended") nowMs += 2_000;
      pace.hear(progress);
    }
    expect(pace.done).toBe(2);
    expect(pace.elapsedSeconds).toBe(4);
    expect(pace.remaining()).toEqual({ seconds: expect.closeTo(8), atLeast: false });
    expect(remainingText(pace.remaining())).toBe("about 0:08 left");
    nowMs += 60_000;
    expect(remainingText(pace.remaining())).toBe("time left unknown");
  });

  it("is never longer than a budget that ends the run", () => {
    let nowMs = 0;
    const plan = { ...livePlan(), budget: { seconds: 10, bindsPlanned: true } };
    const pace = new Pace(plan, () => nowMs);
    for (const progress of progressOf(plan, 2)) {
      if (progress.event === "round-ended") nowMs += 4_000;
      pace.hear(progress);
    }
    expect(remainingText(pace.remaining())).toBe("about 0:02 left");
  });

  it("says that it is at least so much until the pilot blocks have told", () => {
    const plan = livePlan();
    const [part] = plan.parts;
    if (part === undefined) throw new Error("an empty plan");
    const open = { ...plan, parts: [{ ...part, blocks: { minimum: 2, maximum: 30 } }] };
    const pace = new Pace(open, () => 0);
    expect(remainingText(pace.remaining())).toMatch(/^at least \d+:\d\d left$/);
  });
});

describe("the line", () => {
  function shown(inPlace: boolean, columns = 80): string {
    let text = "";
    const screen = {
      ...{ isTTY: inPlace, columns },
      write: (part: string) => {
        text += part;
      },
    };
    const plan = livePlan();
    const line = new ProgressLine(screen, plan, inPlace);
    const [part] = plan.parts;
    if (part === undefined) throw new Error("an empty plan");
    const reason = `RLIMIT_NOFILE 1 < 2 needed; ${"x".repeat(30)} sudo prlimit --nofile=2:2`;
    const cause = { code: "said", text: reason } as const;
    const refusal = { status: "skipped", cause } as const;
    // Every part that it meets tells it again.
    line.show({ event: "refused", part, contenders: ["cpp:poll"], refusal });
    line.show({ event: "refused", part, contenders: ["cpp:poll"], refusal });
    for (const progress of progressOf(plan, 3)) line.show(progress);
    line.end();
    return text;
  }

  it("is one line per round if nothing can be rewritten, without a control character", () => {
    const text = shown(false);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(text.match(/^\[\d\/6\] block \d\/2 .* µs per message, .* left$/gm)).toHaveLength(3);
    expect(text.match(/sudo prlimit --nofile=2:2/g)).toHaveLength(1);
  });

  it("names no single server if the load turns from one to the next", () => {
    let text = "";
    const screen = { isTTY: true, columns: 80, write: (part: string) => (text += part) };
    const plan = livePlan();
    const line = new ProgressLine(screen, plan, true);
    const starts = progressOf(plan, 2).filter(({ event }) => event === "round-started");
    for (const progress of starts) line.show(progress);
    line.end();
    expect(text.split("\r\u001b[K").at(-2)).toMatch(/ block 1\/2 2 servers in turn +0:00, /);
  });

  it("has 80 columns on a terminal that reports none", () => {
    expect(shown(true, 0).length).toBeGreaterThan(shown(true, 40).length);
  });

  it.each([40, 80, 140])("never fills the last of %i columns", (columns) => {
    const text = shown(true, columns);
    for (const line of text.replaceAll("\r\u001b[K", "\n").split("\n")) {
      expect(line.length).toBeLessThan(columns);
    }
    if (columns >= 80) expect(text).toMatch(/\[3\/6\] .*0:00, .* left/);
    if (columns >= 140) expect(text).toContain("; 2k/s");
    expect(text.endsWith("\r\u001b[K")).toBe(true);
  });
});

describe("the final tables", () => {
  const results = fullResults();

  it.each([80, 140])("fit into %i columns, and of several the verdict is last", (width) => {
    const text = renderTerminal(results, { colour: false, width });
    const long = text.split("\n").filter((line) => line.length > width);
    expect(long).toEqual([]);
    expect(text.startsWith("echo-rate: 10,000 connections")).toBe(true);
    const last = text.split("\n\n").at(-1)?.replaceAll("\n", " ");
    expect(last).toMatch(/^cpp:reactor-epoll spends .* µs of server CPU per message; node:net /);
    expect(last).toMatch(/Confidence: \d+ of \d+ cells measured; /);
    // A line per workload at most, so that all of it fits on a screen or two.
    expect(text.split("\n").length).toBeLessThan(100);
    expect(text).toMatch(/^\d+ more scales in the report\.$/m);
  });

  it("are about what a workload measures", () => {
    const cells = results.cells.filter(({ workload }) => workload === "idle");
    const text = renderTerminal({ ...results, cells }, { colour: false, width: 140 });
    expect(text).toContain("CPU while idle");
    expect(text).not.toContain("every byte checked");
  });

  it("go on below their last column where it is too long", () => {
    expect(wrapLast("  limit   20,000   at most so many threads", 31)).toEqual([
      "  limit   20,000   at most so",
      "                   many threads",
    ]);
    expect(wrapLast("    sudo sysctl -w a=1 && ulimit -n 1", 30)).toEqual([
      "    sudo sysctl -w a=1 &&",
      "    ulimit -n 1",
    ]);
    expect(wrapLast("short", 30)).toEqual(["short"]);
  });

  it("keep a number beside its percent sign", () => {
    expect(wrap("at most 95 % of it", 10)).toEqual(["at most", "95 % of it"]);
  });
});
