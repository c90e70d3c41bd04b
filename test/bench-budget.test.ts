// The budget of time: which blocks run, by the clock and the rules of validity alone; what a part
// has of it; and what a run comes to as an exit code. No process, no real time.

import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { anySignal } from "../bench/host/interrupt.ts";
import { Disturbances } from "../bench/live/disturbances.ts";
import type { Cell, Results, Status } from "../bench/model/results.ts";
import { PartClock } from "../bench/run/budget.ts";
import { exitCodeOf } from "../bench/run/exit-code.ts";
import { countingBlocks, type PairedBlock } from "../bench/run/judge.ts";
import { makePlan, refuseUnused } from "../bench/run/plan.ts";
import { describePlan } from "../bench/run/plan-words.ts";
import { profiles } from "../bench/run/profiles.ts";
import { livePlan, progressOf, requestOf } from "./live-data.ts";
import { smallResults } from "./report-full-data.ts";

describe("a part's clock", () => {
  function clockOf(seconds: number, bindsPlanned: boolean) {
    let nowMs = 0;
    const clock = new PartClock({ seconds, bindsPlanned }, () => nowMs);
    const block = (blockSeconds: number) =>
      clock.time(async () => {
        nowMs += blockSeconds * 1000;
      });
    return { clock, block };
  }

  it("lets the first block run whatever it takes, and further ones while they fit", async () => {
    const { clock, block } = clockOf(10, true);
    expect(clock.hasTimeForPlanned()).toBe(true);
    await block(4);
    expect(clock.hasTimeForPlanned()).toBe(true);
    await block(3);
    // 7 s are gone, and the longest block took 4.
    expect(clock.hasTimeForPlanned()).toBe(false);
    expect(clock.hasTimeToMakeUp(1)).toBe(false);
    expect(clock.hasTimeToMakeUp(0.5)).toBe(true);
  });

  it("tries a second block if half of it fits, as one block ranks nothing", async () => {
    const fitting = clockOf(10, true);
    await fitting.block(6.6);
    expect(fitting.clock.hasTimeForPlanned()).toBe(true);
    await fitting.block(1);
    expect(fitting.clock.hasTimeForPlanned()).toBe(false);
    const slower = clockOf(10, true);
    await slower.block(6.7);
    expect(slower.clock.hasTimeForPlanned()).toBe(false);
  });

  it("binds only what makes up where the blocks were asked for", async () => {
    const { clock, block } = clockOf(10, false);
    await block(30);
    expect(clock.hasTimeForPlanned()).toBe(true);
    expect(clock.hasTimeToMakeUp(0.1)).toBe(false);
  });

  it("keeps the last 6 % for closing", async () => {
    const { clock, block } = clockOf(10, true);
    await block(9.3);
    expect([clock.mustClose(), clock.leftMs()]).toEqual([false, expect.closeTo(700)]);
    await block(0.2);
    expect(clock.mustClose()).toBe(true);
    await block(5);
    expect(clock.leftMs()).toBe(0);
    const unbound = clockOf(10, false);
    await unbound.block(30);
    // A part whose time was over before it began.
    expect(new PartClock({ seconds: 0, bindsPlanned: true }, () => 7).mustClose()).toBe(true);
    expect([unbound.clock.mustClose(), unbound.clock.leftMs()]).toEqual([false, Infinity]);
  });

  it("counts a block once, however many of its scenarios were hurried", async () => {
    const { clock } = clockOf(10, true);
    for (let block = 0; block < 2; block++) {
      await clock.time(async () => {
        for (let scenario = 0; scenario < 3; scenario++) clock.hurried("shortened");
      });
    }
    expect(clock.hurry).toEqual({ shortened: 2, abandoned: 0 });
  });

  it("without a budget makes up for nothing", async () => {
    const clock = new PartClock(null, () => 5);
    expect(clock.hasTimeForPlanned()).toBe(true);
    expect(clock.hasTimeToMakeUp(0)).toBe(false);
  });
});

describe("the budget of a plan", () => {
  it("is the profile's, shown in its words, and bounds a run that is the profile's", () => {
    for (const { name, budgetSeconds } of profiles) {
      const plan = makePlan(requestOf({ profile: name }));
      expect(plan.budget).toEqual({ seconds: budgetSeconds, bindsPlanned: true });
      expect(describePlan(plan).join("\n")).toMatch(/ at most/);
    }
  });

  it("never promises less than the first block", () => {
    const words = (budget: number) => describePlan(makePlan(requestOf({ budget }))).join("\n");
    expect(words(1)).toMatch(/about \d+ s: the first block always runs, the budget is 1 s$/m);
    expect(words(50)).toMatch(/about \d+ s, 50 s at most$/m);
  });

  it("bounds no blocks that were asked for, unless it was asked for, too", () => {
    const own = makePlan(requestOf({ blocks: 40 }));
    expect(own.budget?.bindsPlanned).toBe(false);
    const bound = makePlan(requestOf({ blocks: 40, budget: 30 }));
    expect(bound.budget).toEqual({ seconds: 30, bindsPlanned: true });
  });
});

describe("the rows of a plan", () => {
  it("are one if the command line replaces everything in which they differ", () => {
    const scales = (connections: number[]) =>
      makePlan(requestOf({ workloads: ["replicas"], connections })).parts.flatMap((part) =>
        part.scenarios.map(({ load }) => load.connections),
      );
    expect(scales([2])).toEqual([2]);
    expect(scales([1, 4])).toEqual([1, 4]);
  });
});

describe("what a plan does not use", () => {
  const refuse = (changes: Partial<Parameters<typeof requestOf>[0]>) => {
    const request = requestOf(changes);
    refuseUnused(makePlan(request), request);
  };

  it.each([
    [{ workloads: ["event-delivery"], payload: 4096 }, /--payload: event-delivery has no message/],
    [{ workloads: ["memory"], duration: 10 }, /--duration: memory takes the time/],
    [{ workloads: ["readiness"], steady: 5 }, /--steady: no warm-up is watched in readiness/],
    [{ workloads: ["memory"], rate: 100 }, /--rate: there is no rate in memory/],
  ])("is refused: %j", (changes, message) => {
    expect(() => refuse(changes)).toThrow(message);
  });

  it("is not refused if a workload uses it", () => {
    const all = { payload: 4096, duration: 10, steady: 5, rate: 100 };
    expect(() => refuse({ workloads: ["echo-rate", "memory"], ...all })).not.toThrow();
  });
});

describe("blocks that were made up for", () => {
  const block = (disturbed: boolean) => ({ disturbed }) as PairedBlock;

  it("are left out once there are as many undisturbed ones as were planned", () => {
    const paired = [true, false, true, false, false].map(block);
    expect(countingBlocks(paired, 3)).toHaveLength(3);
    expect(countingBlocks(paired, 3).some(({ disturbed }) => disturbed)).toBe(false);
    expect(countingBlocks(paired, 4)).toBe(paired);
  });
});

describe("the exit code", () => {
  function codeOf(statuses: readonly Status[], workload = "echo-rate", blocks = 5): number {
    const base = smallResults();
    const [some] = base.cells;
    if (some === undefined) throw new Error("no cells");
    const cells = statuses.map(
      (status, index): Cell => ({
        ...some,
        workload,
        status,
        contender: index === 0 ? base.reference : `other:${index}`,
      }),
    );
    return exitCodeOf({ ...base, settings: { blocks }, cells } as Results);
  }

  it.each([
    ["one is ranked", ["ok", "ok", "inconclusive"], 0],
    ["one is as good as the reference", ["ok", "tie"], 0],
    ["one failed", ["ok", "ok", "failed"], 1],
    ["none could run", ["skipped", "unavailable"], 1],
    ["none could run but the reference", ["ok", "skipped", "unavailable"], 1],
    ["noise left nothing ranked", ["ok", "inconclusive", "inconclusive"], 3],
    ["only refusals are beside that", ["ok", "inconclusive", "skipped"], 3],
    ["only the reference was asked for", ["ok"], 0],
  ] as const)("where %s", (_, statuses, code) => {
    expect(codeOf(statuses)).toBe(code);
  });

  it("is that of an answer where a workload compares nothing, or one block was asked for", () => {
    expect(codeOf(["ok", "ok"], "memory")).toBe(0);
    expect(codeOf(["inconclusive", "inconclusive"], "memory")).toBe(3);
    expect(codeOf(["ok", "inconclusive"], "echo-rate", 1)).toBe(0);
  });
});

describe("the count of disturbed windows", () => {
  it("says once that half of them are", () => {
    const plan = livePlan();
    const disturbances = new Disturbances(plan);
    const said = progressOf(plan, 5).flatMap((progress) => {
      if (progress.event !== "round-ended") return [];
      const windows = progress.round.windows.map((window) => ({ ...window, stealNs: 1e8 }));
      return [disturbances.hear({ ...progress, round: { ...progress.round, windows } })];
    });
    // After three rounds of two windows each.
    expect(said.map((text) => text !== null)).toEqual([false, false, true, false, false]);
    expect(said[2]).toContain("6 of 6 windows disturbed");
    expect(said[2]).toContain("the hypervisor took CPU time");
    expect(disturbances.text()).toBe("10 of 10 windows disturbed");
  });

  it("is silent while nothing is", () => {
    const plan = livePlan();
    const disturbances = new Disturbances(plan);
    for (const progress of progressOf(plan, 5)) expect(disturbances.hear(progress)).toBeNull();
    expect(disturbances.text()).toBe("");
  });
});

it("starts many servers under one signal without a warning", async () => {
  const warnings: Error[] = [];
  const heard = (warning: Error) => warnings.push(warning);
  process.on("warning", heard);
  const controller = new AbortController();
  const signal = anySignal(controller.signal, new AbortController().signal);
  let aborted = 0;
  for (let i = 0; i < 30; i++) signal.addEventListener("abort", () => aborted++);
  await setImmediate();
  process.off("warning", heard);
  controller.abort();
  expect({ warnings, aborted }).toEqual({ warnings: [], aborted: 30 });
});
