// What measuring decides without a process: options and plans, CPUs, discarded windows, and how
// cells end.

import { describe, expect, it } from "vitest";
import { type Contender, contenders, reference } from "../bench/contenders/catalogue.ts";
import { startedByCommand } from "../bench/contenders/foreign.ts";
import { peers } from "../bench/contenders/peers.ts";
import { groupByCore, parseCpuList, planCpus } from "../bench/host/cpus.ts";
import { parseEvent, type Snapshot, type Window } from "../bench/model/events.ts";
import type { Cell } from "../bench/model/results.ts";
import { activeFraction } from "../bench/model/workloads/active-fraction.ts";
import { blockingHandler } from "../bench/model/workloads/blocking-handler.ts";
import { echoCapacity } from "../bench/model/workloads/echo-capacity.ts";
import { echoRate } from "../bench/model/workloads/echo-rate.ts";
import { memory } from "../bench/model/workloads/memory.ts";
import type { OpenLoad, Workload } from "../bench/model/workloads/workload.ts";
import { cellsOf, type PartOutcome } from "../bench/run/cells.ts";
import { makePlan, type Part, type Plan } from "../bench/run/plan.ts";
import { describePlan } from "../bench/run/plan-words.ts";
import { profiles } from "../bench/run/profiles.ts";
import { nothingMeasured, type Round } from "../bench/run/round.ts";
import { closedWarmup, warmed, warmUpsAtOnce } from "../bench/run/warm-up.ts";
import { brokenRules } from "../bench/run/window-gate.ts";
import { decodeHistogram, encodeHistogram } from "../bench/statistics/hdr-encoding.ts";
import { Histogram } from "../bench/statistics/histogram.ts";
import { requestOf } from "./live-data.ts";

describe("a plan", () => {
  it("takes the request before the profile, figure by figure", () => {
    const plan = makePlan(
      requestOf({
        ...{ contenders: ["node:net", "cpp:select"], connections: [10, 1000], rate: 500 },
        ...{ payload: 1024, duration: 0.6, steady: 3, blocks: 2, seed: 7 },
      }),
    );
    expect(plan.contenders.map(({ name }) => name)).toEqual([
      "cpp:select",
      "cpp:reactor-epoll",
      "node:net",
    ]);
    const scenarios = plan.parts.flatMap((part) => part.scenarios);
    expect(scenarios.map(({ load }) => load)).toMatchObject([
      { mode: "open", connections: 10, payloadBytes: 1024, ratePerSecond: 500 },
      { mode: "open", connections: 1000, payloadBytes: 1024, ratePerSecond: 500 },
    ]);
    expect(plan).toMatchObject({ seed: 7, timing: { windows: 2, windowMs: 300 } });
    expect(plan.timing.steadyWithinMs).toBe(3000);
    for (const { blocks } of plan.parts) expect(blocks).toEqual({ minimum: 2, maximum: 2 });
  });

  it("has whole milliseconds, which the load generator takes, of any number of seconds", () => {
    for (const steady of [16.1, 32.3, 0.0505]) {
      const { steadyWithinMs } = makePlan(requestOf({ steady })).timing;
      expect(steadyWithinMs).toBe(Math.round(1000 * steady));
    }
  });

  it("states the blocks and windows of a workload that the profile does not have", () => {
    const idle = makePlan(requestOf({ workloads: ["idle"] }));
    expect(idle).toMatchObject({ blocks: { minimum: 3 }, timing: { windows: 5, windowMs: 400 } });
    expect(idle.parts.every(({ blocks }) => blocks.minimum === 3)).toBe(true);
    const scale = makePlan(requestOf({ workloads: ["scale"] }));
    expect(scale.parts[0]).toMatchObject({
      ...{ blocks: { minimum: 1 }, timing: { windows: 6, windowMs: 1000 } },
    });
  });

  it("leaves the rest to the profile", () => {
    const plan = makePlan(requestOf());
    const [quick] = profiles;
    expect(plan).toMatchObject({ profile: "quick", blocks: quick?.blocks, timing: quick?.timing });
    expect(plan.contenders.map(({ name }) => name)).toEqual(quick?.contenders);
  });

  it("is made of every profile, with the reference wherever there is a ratio", () => {
    for (const { name, rows } of profiles) {
      const plan = makePlan(requestOf({ profile: name }));
      expect(new Set(plan.parts.map(({ scenarios }) => scenarios[0]?.workload.name))).toEqual(
        new Set(rows.map(({ workload }) => workload)),
      );
      for (const { scenarios, contenders: chosen } of plan.parts) {
        expect(scenarios.length).toBeGreaterThan(0);
        const compares = scenarios.some(({ workload }) => workload.comparesToReference);
        if (compares) expect(chosen.map((row) => row.name)).toContain(reference);
      }
    }
    expect(profiles.find(({ name }) => name === "full")).toBeDefined();
  });

  it("finds a workload that the profile has not", () => {
    const plan = makePlan(requestOf({ workloads: ["idle", "readiness"], connections: [20] }));
    expect(plan.parts.map(({ scenarios }) => scenarios[0]?.workload.name)).toEqual([
      "idle",
      "readiness",
    ]);
    expect(plan.parts[1]?.contenders.map(({ name }) => name)).toContain("selector:epoll");
    expect(() => makePlan(requestOf({ workloads: ["nope"] }))).toThrow(/nope.*echo-rate/);
  });

  it("takes contenders that the caller brings, in their place", () => {
    const [own] = contenders;
    if (own === undefined) throw new Error("no contender");
    const guest = { ...own, name: "target" };
    const request = requestOf({ contenders: ["target"] });
    const plan = makePlan(request, [...contenders, guest]);
    expect(plan.contenders.map(({ name }) => name)).toEqual([reference, "target"]);
  });

  it("tells itself in words, and that few blocks give weak intervals", () => {
    const lines = describePlan(makePlan(requestOf({ blocks: 4 }))).join("\n");
    expect(lines).toMatch(/10,000 connections.*\n6 contenders, 4 blocks, .*about .* s, up to /);
    expect(describePlan(makePlan(requestOf())).join("\n")).toMatch(/about \d+ s, 57 s at most$/);
    const opened = makePlan(requestOf({ workloads: ["connect-rate"], blocks: 5 }));
    expect(describePlan(opened).join("\n")).toMatch(/fewer than 6 blocks: connect-rate/);
    const scales = makePlan(requestOf({ workloads: ["idle"], connections: [1, 20, 3000] }));
    expect(describePlan(scales)[0]).toMatch(/idle, 1, 20 and 3,000 connections/);
    expect(scales.parts).toHaveLength(3);
  });
});

describe("CPUs", () => {
  const siblings = (cores: number[][]) => (cpu: number) =>
    cores.find((core) => core.includes(cpu)) ?? null;

  it.each([
    ["two cores", [[0], [1]], { server: 1, client: 0, clientAlone: true, note: null }],
    [
      "two cores of two threads",
      [
        [0, 2],
        [1, 3],
      ],
      { server: 1, client: 0, note: null },
    ],
    ["four cores", [[0], [1], [2], [3]], { server: 3, client: 2, note: null }],
    ["one core of two threads", [[4, 5]], { server: 5, client: 4, clientAlone: false }],
    ["one CPU", [[3]], { server: 3, client: 3, note: expect.stringMatching(/nothing .* ranked/) }],
  ])("%s", (_, cores, expected) => {
    const allowed = cores.flat().sort((left, right) => left - right);
    expect(planCpus(groupByCore(allowed, siblings(cores)))).toMatchObject(expected);
  });

  it("are read from the kernel's lists", () => {
    expect(parseCpuList("0-3,8,10-11\n")).toEqual([0, 1, 2, 3, 8, 10, 11]);
  });
});

const oneLatency = new Histogram();
oneLatency.record(1_000_000, 500);

const quiet: Window = {
  event: "window",
  index: 0,
  durationNs: 250e6,
  intendedMessages: 5000,
  sentMessages: 5000,
  completedMessages: 5000,
  serverCpuNs: 50e6,
  serverUserCpuNs: 20e6,
  serverSystemCpuNs: 30e6,
  serverContextSwitches: 100,
  serverRunQueueWaitNs: 1e6,
  clientCpuNs: 100e6,
  clientRunQueueWaitNs: 1e6,
  sendLagNsP99: 50e3,
  stealNs: 0,
  latency: encodeHistogram(oneLatency),
  latencyUncorrected: encodeHistogram(oneLatency),
};

describe("a window", () => {
  it.each<[string, Partial<Window>, string[]]>([
    ["that is quiet", {}, []],
    ["in which the server waited for its CPU", { serverRunQueueWaitNs: 8e6 }, ["server-waited"]],
    ["in which the generator waited", { clientRunQueueWaitNs: 8e6 }, ["client-waited"]],
    [
      "in which a generator waited that had nothing to do most of the time",
      { clientRunQueueWaitNs: 8e6, clientCpuNs: 25e6, clientSpunNs: 200e6 },
      [],
    ],
    [
      "in which a generator waited that spun, and had work",
      { clientRunQueueWaitNs: 80e6, clientCpuNs: 25e6, clientSpunNs: 200e6 },
      ["client-waited"],
    ],
    [
      "in which both were only slow to be given a CPU that was free",
      {
        serverRunQueueWaitNs: 16e6,
        serverTakenNs: 0,
        clientRunQueueWaitNs: 9e6,
        clientTakenNs: 1e6,
      },
      [],
    ],
    [
      "in which others took what both wanted",
      { serverRunQueueWaitNs: 16e6, serverTakenNs: 8e6, clientTakenNs: 8e6 },
      ["server-waited", "client-waited"],
    ],
    ["that was stolen from", { stealNs: 20e6 }, ["stolen"]],
    ["with one tick of steal, however old", { stealNs: 10e6 }, []],
    ["that missed the rate", { completedMessages: 4800 }, ["rate"]],
    ["that still owes what was due at its end", { completedMessages: 4960 }, []],
    ["that was late", { sendLagNsP99: 2e6 }, ["late"]],
    [
      "of a full server, which makes the generator late",
      { completedMessages: 3000, serverCpuNs: 249e6, sendLagNsP99: 50e6 },
      [],
    ],
    [
      "of a busy server and a starved generator",
      { completedMessages: 3000, serverCpuNs: 249e6, clientRunQueueWaitNs: 50e6 },
      ["client-waited", "rate"],
    ],
    [
      "of a platform that does not tell",
      { serverCpuNs: null, serverRunQueueWaitNs: null, clientRunQueueWaitNs: null, stealNs: null },
      [],
    ],
  ])("%s", (_, change, rules) => {
    const judging = { rules: echoRate.rules, singleThreaded: true };
    expect(brokenRules({ ...quiet, ...change }, judging)).toEqual(rules);
  });

  it("keeps the windows in which a handler that blocks owes messages", () => {
    const owing = { ...quiet, completedMessages: 4800 };
    const judging = { rules: blockingHandler.rules, singleThreaded: true };
    expect(brokenRules(owing, judging)).toEqual([]);
    expect(brokenRules({ ...owing, sendLagNsP99: 2e6 }, judging)).toEqual(["late"]);
  });

  it("is judged by its workload's rules only", () => {
    const late = { ...quiet, sendLagNsP99: 2e6, serverRunQueueWaitNs: 8e6 };
    const judging = { rules: ["server-waited" as const], singleThreaded: true };
    expect(brokenRules(late, judging)).toEqual(["server-waited"]);
  });

  it("does not hold a server's threads against each other", () => {
    const judging = { rules: echoRate.rules, singleThreaded: false };
    const waited = { ...quiet, serverRunQueueWaitNs: 200e6 };
    expect(brokenRules(waited, judging)).toEqual([]);
    expect(brokenRules({ ...waited, serverTakenNs: 50e6 }, judging)).toEqual([]);
  });
});

describe("the warm-up of what is compiled while it runs", () => {
  const timing = { warmupMs: 100, steadyWithinMs: 0, windows: 1, windowMs: 100 };
  const load = (connections: number, ratePerSecond = 10_000): OpenLoad => ({
    mode: "open",
    connections,
    activeConnections: connections,
    payloadBytes: 64,
    ratePerSecond,
    schedule: "poisson",
  });
  const named = (name: string) => contenders.find((row) => row.name === name) as Contender;
  const foreign = startedByCommand({
    ...{ name: "own", command: "server {port}", readySeconds: 1, spoken: [] },
  });

  it.each([
    ["cpp:reactor-epoll", 100, 100],
    ["ts:reactor-epoll", 1_000, 400],
    ["node:net", 5_000, 300],
    ["node:net", 10_000, 300],
  ])("lasts until it has seen enough: %s with %d connections", (name, connections, ms) => {
    expect(warmed(named(name), timing, load(connections))).toEqual({ ...timing, warmupMs: ms });
  });

  it("is that of a server of which nothing is known, and has an end", () => {
    expect(warmed(foreign, timing, load(1_000))).toEqual({ ...timing, warmupMs: 400 });
    expect(warmed(foreign, timing, load(100, 2_000))).toEqual({ ...timing, warmupMs: 2_450 });
    expect(warmed(foreign, timing, load(100, 500))).toEqual({ ...timing, warmupMs: 5_000 });
  });

  it("is made side by side if the load is light", () => {
    const rates = [2_000, 5_000, 6_000, 20_000];
    expect(rates.map((rate) => warmUpsAtOnce(load(100, rate)))).toEqual([5, 2, 1, 1]);
  });

  it("begins with a closed loop for peers", () => {
    const peer = peers.find(({ name }) => name === "peer:java-nio") as Contender;
    expect(closedWarmup(peer, load(8))).toMatchObject({ inFlight: 8, messages: 40_000 });
    expect(closedWarmup(peer, load(1_000))).toMatchObject({ inFlight: 32 });
    expect(closedWarmup(named("node:net"), load(1_000))).toBeNull();
  });
});

describe("events", () => {
  it("are taken from lines that are complete, and from no others", () => {
    expect(parseEvent('{"event":"ready","port":1,"pid":2}')).toMatchObject({ port: 1, pid: 2 });
    for (const line of ["", "ready", "{", "null", '{"event":"ready","port":"1","pid":2}', "[1]"]) {
      expect(parseEvent(line)).toBeNull();
    }
    expect(parseEvent('{"event":"toString"}')).toBeNull();
  });
});

const noisy: Window = { ...quiet, clientRunQueueWaitNs: 100e6 };

const aScale = { connections: 10, payloadBytes: 64, ratePerSecond: 500 };
const scenariosOf = (workload: Workload) =>
  workload.loads(aScale).map((each) => ({ workload, ...each, ratePerSecond: 500 }));
const aLoad = echoRate.loads(aScale)[0]?.load ?? {
  mode: "idle" as const,
  ...aScale,
  activeConnections: 0,
};

/** One round a block: the server's CPU per message in each of its windows, in microseconds. */
function roundOf(contender: string, block: number, windows: readonly Window[]): Round {
  const messages = windows.reduce((sum, window) => sum + window.completedMessages, 0);
  return {
    ...nothingMeasured,
    contender,
    scenarioIndex: 0,
    load: aLoad,
    block,
    startedMs: 0,
    durationMs: 1,
    windows,
    result: {
      event: "result",
      messages,
      totalMessages: messages,
      mismatches: 0,
      missing: 0,
      mismatchDetail: null,
      connectionsLost: 0,
      error: null,
    },
  };
}

const costing = (cpuUs: number): Window => ({ ...quiet, serverCpuNs: cpuUs * 1000 * 5000 });

describe("cells", () => {
  const other = "cpp:select";
  const plan: Plan = makePlan(requestOf({ contenders: [other], blocks: 6 }));
  const blocks = [0, 1, 2, 3, 4, 5];

  const partOf = (workload: Workload): Part => ({
    scenarios: scenariosOf(workload),
    contenders: plan.contenders,
    blocks: { minimum: 6, maximum: 6 },
    timing: plan.timing,
  });

  const outcomeOf = (rounds: readonly Round[]): PartOutcome => ({
    rounds,
    refusals: [],
    planned: () => blocks.length,
    interrupted: false,
  });

  function cells(own: (block: number) => Window[], base: (block: number) => Window[]): Cell[] {
    const rounds = blocks.flatMap((block) => [
      roundOf(other, block, own(block)),
      roundOf(reference, block, base(block)),
    ]);
    return cellsOf(plan, partOf(echoRate), outcomeOf(rounds));
  }

  const find = (all: Cell[], name: string) => all.find(({ contender }) => contender === name);

  it("pair each block with the reference's", () => {
    // The machine is twice as slow in every other block: the ratio is 2 all the same.
    const slow = (block: number) => (block % 2 === 0 ? 1 : 2);
    const all = cells(
      (block) => [costing(20 * slow(block))],
      (block) => [costing(10 * slow(block))],
    );
    expect(find(all, other)).toMatchObject({ status: "ok", reason: null, blocks: 6, dropped: 0 });
    expect(find(all, other)?.metrics.ratioToReference?.median).toBeCloseTo(2);
    expect(find(all, other)?.metrics.ratioToReference?.low).toBeCloseTo(2);
    expect(find(all, other)?.metrics.latencyP50?.median).toBeCloseTo(1000, -1);
    expect(find(all, other)?.metrics.latencyP999?.median).toBeNull();
    expect(find(all, reference)).toMatchObject({ status: "ok", messages: 30_000 });
  });

  it("count calls only if the server does", () => {
    const snapshot = (calls: number): Snapshot => ({
      event: "snapshot",
      waitCalls: calls,
      eventsReturned: 2 * calls,
      recvCalls: calls,
      sendCalls: calls,
      acceptCalls: 0,
      controlCalls: calls / 10,
      vainLooks: calls / 2,
      bytesReceived: 64 * 5000,
      bytesSent: 64 * 5000,
      connectionsAccepted: 0,
      connectionsClosed: calls / 10,
      peakConnections: 0,
    });
    const accountOf = (calls: number) => ({
      account: {
        calls: snapshot(calls),
        switches: { voluntary: 10_000, involuntary: 500 },
      },
    });
    const crowded = { ...quiet, serverContextSwitches: null };
    const rounds = blocks.flatMap((block) => [
      { ...roundOf(other, block, [quiet]), ...accountOf(0) },
      { ...roundOf(reference, block, [crowded]), ...accountOf(5000) },
    ]);
    const all = cellsOf(plan, partOf(echoRate), outcomeOf(rounds));
    expect(find(all, other)?.metrics.systemCallsPerMessage?.median ?? null).toBeNull();
    expect(find(all, other)?.metrics.eventsPerWait?.median ?? null).toBeNull();
    const own: Cell["metrics"] = find(all, reference)?.metrics ?? {};
    expect(own.systemCallsPerMessage?.median).toBeCloseTo(3.2);
    expect(own.receiveCallsPerMessage?.median).toBeCloseTo(1);
    expect(own.controlCallsPerMessage?.median).toBeCloseTo(0.1);
    expect(own.vainLooksPerMessage?.median).toBeCloseTo(0.5);
    expect(own.eventsPerWait?.median).toBeCloseTo(2);
    // Too many threads for a look in each window: by the server's own account.
    expect(own.contextSwitchesPerMessage?.median).toBeCloseTo(2.1);
    expect(own.voluntarySwitchesPerMessage?.median).toBeCloseTo(2);
  });

  it("share the CPU time out by the samples of all blocks", () => {
    const sampled = (block: number) => ({
      ...costing(10),
      serverUserTickNs: block === 0 ? 4e6 : 0,
      serverSystemTickNs: block === 1 ? 12e6 : 0,
    });
    const all = cells(
      (block) => [sampled(block)],
      () => [costing(10)],
    );
    const own: Cell["metrics"] = find(all, other)?.metrics ?? {};
    expect(own.serverUserCpuPerMessage?.median).toBeCloseTo(2.5);
    expect(own.serverSystemCpuPerMessage?.median).toBeCloseTo(7.5);
  });

  it("tie if the interval lies within 5 % of the reference", () => {
    const all = cells(
      (block) => [costing(block % 2 === 0 ? 9.8 : 10.2)],
      () => [costing(10)],
    );
    expect(find(all, other)).toMatchObject({ status: "tie", reason: null });
  });

  it("are no tie if the interval reaches beyond 5 %", () => {
    const all = cells(
      (block) => [costing(block % 2 === 0 ? 9 : 11)],
      () => [costing(10)],
    );
    expect(find(all, other)).toMatchObject({
      status: "inconclusive",
      cause: { code: "unresolved" },
      confidence: { grade: "medium", doubts: [{ code: "wide" }] },
    });
    expect(find(all, other)?.metrics.serverCpuPerMessage?.median).toBeCloseTo(10);
  });

  it("are graded by the ratio, and the reference by its own figure", () => {
    const varying = (block: number) => (block % 2 === 0 ? 6 : 14);
    const all = cells(
      (block) => [costing(2 * varying(block))],
      (block) => [costing(varying(block))],
    );
    expect(find(all, other)).toMatchObject({ confidence: { grade: "high" } });
    expect(find(all, reference)).toMatchObject({
      confidence: { grade: "low", doubts: [{ code: "wide" }] },
    });
  });

  it("discard invalid windows, and count them", () => {
    const all = cells(
      () => [costing(20), { ...noisy, serverCpuNs: 1e9 }],
      () => [costing(10)],
    );
    expect(find(all, other)).toMatchObject({ status: "ok", blocks: 6, dropped: 6 });
    expect(find(all, other)?.metrics.serverCpuPerMessage?.median).toBeCloseTo(20);
  });

  it("have a figure of disturbed blocks, too, and say how many they were", () => {
    const all = cells(
      (block) => [block < 2 ? { ...noisy, serverCpuNs: 5000 * 20e3 } : costing(20)],
      () => [costing(10)],
    );
    expect(find(all, other)).toMatchObject({
      status: "ok",
      blocks: 6,
      dropped: 0, // they are used
      disturbedBlocks: 2,
      confidence: { grade: "medium", doubts: [{ code: "disturbed", blocks: 2, of: 6 }] },
    });
    expect(find(all, reference)).toMatchObject({ status: "ok", disturbedBlocks: 0 });
  });

  it("are as disturbed as the reference's blocks", () => {
    const all = cells(
      () => [costing(20)],
      (block) => [block < 2 ? { ...noisy, serverCpuNs: 5000 * 10e3 } : costing(10)],
    );
    expect(find(all, other)).toMatchObject({ blocks: 6, dropped: 0, disturbedBlocks: 2 });
  });

  it("use disturbed windows only if fewer than half are undisturbed", () => {
    const costly = { ...noisy, serverCpuNs: 5000 * 90e3 };
    const all = cells(
      () => [costing(20), costing(20), costly],
      () => [costing(10), costing(10), costly],
    );
    expect(find(all, other)).toMatchObject({ dropped: 6, disturbedBlocks: 0 });
    expect(find(all, other)?.metrics.ratioToReference?.median).toBeCloseTo(2);
  });

  it("pair interleaved windows pass by pass", () => {
    // Both drift alike, and one pass of the contender was disturbed.
    const passes = [0, 1, 2, 3, 4, 5, 6, 7];
    const roundIn = (contender: string, block: number, cost: (pass: number) => number) => ({
      ...roundOf(
        contender,
        block,
        passes.map((pass) => ({ ...costing(cost(pass)), index: pass })),
      ),
      windowsPerTurn: 1,
    });
    const rounds = blocks.flatMap((block) => [
      roundIn(other, block, (pass) => (pass === 3 ? 90 : 15 + 1.5 * pass)),
      roundIn(reference, block, (pass) => 10 + pass),
    ]);
    const all = cellsOf(plan, partOf(echoRate), outcomeOf(rounds));
    expect(find(all, other)?.metrics.ratioToReference?.median).toBeCloseTo(1.5);
    expect(find(all, other)).toMatchObject({ status: "ok", confidence: { grade: "high" } });
  });

  it("are no less sure beside a saturated server, whose ratio varies as the machine does", () => {
    const third = "cpp:busy-poll";
    const full = { ...quiet, completedMessages: 2000, serverCpuNs: quiet.durationNs };
    const slow = (block: number) => 1 + (block % 3) / 2;
    const twice = (block: number) => 20 * slow(block) * (block % 2 === 0 ? 1 : 1.02);
    const interleaved = (name: string, block: number, window: Window) => ({
      ...roundOf(name, block, [{ ...window, index: 0 }]),
      windowsPerTurn: 1,
    });
    const rounds = blocks.flatMap((block) => [
      interleaved(other, block, costing(twice(block))),
      interleaved(reference, block, costing(10 * slow(block))),
      interleaved(third, block, full),
    ]);
    const chosen = makePlan(requestOf({ contenders: [other, third], blocks: 6 }));
    const part = { ...partOf(echoRate), contenders: chosen.contenders };
    const beside = cellsOf(chosen, part, outcomeOf(rounds));
    const alone = cellsOf(plan, partOf(echoRate), outcomeOf(rounds));
    const intervalOf = (all: Cell[]) => find(all, other)?.metrics.ratioToReference;
    expect(intervalOf(beside)).toEqual(intervalOf(alone));
    expect(find(beside, third)).toMatchObject({ confidence: { doubts: [{ code: "wide" }] } });
  });

  it("have a figure of a saturated server, which is not disturbed", () => {
    const full = { ...quiet, completedMessages: 2000, serverCpuNs: 250e6 };
    const all = cells(
      () => [full],
      () => [costing(10)],
    );
    expect(find(all, other)).toMatchObject({ status: "ok", dropped: 0, disturbedBlocks: 0 });
    expect(find(all, other)?.metrics.serverCpuPercent?.median).toBeCloseTo(100);
    expect(find(all, other)).toMatchObject({ saturated: true });
  });

  it("say that a server is saturated that has all that other programs leave of its CPU", () => {
    const beside = (waitedNs: number): Window => ({
      ...quiet,
      serverCpuNs: 0.7 * quiet.durationNs,
      // Of several threads, which wait for each other, the sum says nothing.
      serverRunQueueWaitNs: 3 * quiet.durationNs,
      serverReadyNs: 0.7 * quiet.durationNs + waitedNs,
    });
    const saturatedWith = (waitedNs: number) =>
      find(
        cells(
          () => [beside(waitedNs)],
          () => [costing(10)],
        ),
        other,
      )?.saturated;
    expect(saturatedWith(0.29 * quiet.durationNs)).toBe(true);
    expect(saturatedWith(0.2 * quiet.durationNs)).toBe(false);
  });

  it("carry their headline, their histogram, and what so many blocks can tell", () => {
    const all = cells(
      (block) => [costing(20 + block)],
      () => [costing(10)],
    );
    const cell = find(all, other);
    expect(cell).toMatchObject({ headline: "serverCpuPerMessage", droppedBlocks: 0 });
    expect(cell?.detectableEffect).toBeGreaterThan(0);
    expect(decodeHistogram(cell?.latencyHistogram ?? "").count).toBe(6 * oneLatency.count);
  });

  it("say which difference would be ranked, which is more than the one that was not", () => {
    const all = cells(
      (block) => [costing(block % 2 === 0 ? 5 : 20)],
      () => [costing(10)],
    );
    expect(find(all, other)).toMatchObject({ status: "inconclusive" });
    expect(find(all, other)?.reason).toMatch(
      /^not ranked: a difference of \d+ % would be ranked in 8 of 10 runs$/,
    );
    const probable = cells(
      (block) => [costing([10.9, 11.3, 12.6, 10.8, 11.9, 13.5][block] ?? 11)],
      () => [costing(10)],
    );
    const { reason, detectableEffect, metrics } = find(probable, other) ?? {};
    const { median, low } = metrics?.ratioToReference ?? {};
    expect(low).toBeGreaterThan(1);
    expect(reason).toMatch(/^not ranked/);
    expect(detectableEffect).toBeGreaterThan((median ?? 9) - 1);
  });

  it("say that the warm-up found no steady state", () => {
    const rounds = blocks.flatMap((block) => [
      { ...roundOf(other, block, [costing(20)]), steady: block > 2 },
      { ...roundOf(reference, block, [costing(10)]), steady: true },
    ]);
    const all = cellsOf(plan, partOf(echoRate), outcomeOf(rounds));
    expect(find(all, other)).toMatchObject({ status: "inconclusive" });
    expect(find(all, other)?.reason).toMatch(/^no steady state .* in 3 of 6 blocks$/);
    expect(find(all, reference)?.status).toBe("ok");
  });

  it("give a capacity only if the server was full and the client was not", () => {
    const closed = (server: number, client: number): Window => ({
      ...quiet,
      serverCpuNs: server * quiet.durationNs,
      clientCpuNs: client * quiet.durationNs,
    });
    const rounds = blocks.flatMap((block) => [
      roundOf(other, block, [closed(0.7, 0.97)]),
      roundOf(reference, block, [closed(0.99, 0.6)]),
    ]);
    const all = cellsOf(plan, partOf(echoCapacity), outcomeOf(rounds));
    expect(find(all, reference)).toMatchObject({ status: "ok" });
    expect(find(all, reference)?.metrics.throughput?.median).toBeCloseTo(20_000);
    expect(find(all, reference)?.metrics.messagesPerCpuSecond?.median).toBeCloseTo(20_000 / 0.99);
    const bounded = find(all, other);
    expect(bounded).toMatchObject({ status: "inconclusive" });
    expect(bounded?.reason).toMatch(
      /^at least 20,000 messages\/s, limited by the load generator: .* 70 % .* 97 %$/,
    );
    expect(bounded?.metrics.throughput).toBeUndefined();
    expect(bounded?.metrics.throughputAtLeast?.median).toBeCloseTo(20_000);
    expect(bounded?.metrics.ratioToReference?.median ?? null).toBeNull();
  });

  it("give a capacity per CPU second where the server used up its part of the CPU", () => {
    const limited = (contender: string, block: number, server: number, waited = 0.6): Round => {
      const serverCpuNs = server * quiet.durationNs;
      // It waits for its part, and what others use of the CPU is not its own.
      const serverTakenNs = waited * quiet.durationNs;
      const serverReadyNs = serverCpuNs + serverTakenNs;
      const window = { ...quiet, serverCpuNs, serverTakenNs, serverReadyNs };
      return { ...roundOf(contender, block, [window]), cpuShare: 0.4 };
    };
    const rounds = blocks.flatMap((block) => [
      limited(other, block, 0.3, 0.2),
      limited(reference, block, 0.4),
    ]);
    const all = cellsOf(plan, partOf(echoCapacity), outcomeOf(rounds));
    const full = find(all, reference);
    expect(full).toMatchObject({ status: "ok", disturbedBlocks: 0 });
    expect(full?.metrics.messagesPerCpuSecond?.median).toBeCloseTo(20_000 / 0.4);
    expect(full?.metrics.throughput).toBeUndefined();
    expect(find(all, other)?.reason).toMatch(/^at least 20,000 messages\/s, neither side was sat/);
    expect(find(all, other)?.metrics.messagesPerCpuSecond).toBeUndefined();
    // Beside a neighbour it got less than its part, and was ready to run all the time.
    const beside = blocks.map((block) => limited(reference, block, 0.25, 0.74));
    const crowded = find(cellsOf(plan, partOf(echoCapacity), outcomeOf(beside)), reference);
    expect(crowded?.metrics.messagesPerCpuSecond?.median).toBeCloseTo(20_000 / 0.25);
  });

  it("compare a variant with its baseline in the same block", () => {
    const part = partOf(activeFraction);
    const rounds = blocks.flatMap((block) =>
      part.scenarios.flatMap(({ load, variant }, scenarioIndex) => {
        const windows = [costing(variant === "none silent" ? 10 : 30)];
        return [other, reference].map((name) => ({
          ...roundOf(name, block, windows),
          scenarioIndex,
          load,
        }));
      }),
    );
    const all = cellsOf(plan, part, outcomeOf(rounds));
    const own = all.filter(({ contender }) => contender === other);
    expect(own).toHaveLength(part.scenarios.length);
    for (const cell of own) {
      const ratio = cell.metrics.ratioToBaseline?.median;
      if (cell.variant === "none silent") expect(ratio).toBeUndefined();
      else expect(ratio).toBeCloseTo(3);
    }
  });

  const stages = (each: number) =>
    [1, 5, 10].map((connections) => ({
      event: "memory" as const,
      connections,
      serverPssBytes: 1e6 + each * connections,
      clientPssBytes: null,
      kernelBytes: 1e9 + 7000 * connections,
    }));

  it("have no confidence if memory per connection is lost in noise", () => {
    const rounds = blocks.flatMap((block) => [
      { ...roundOf(other, block, []), memory: stages(block % 2 === 0 ? -900 : -100) },
      { ...roundOf(reference, block, []), memory: stages(-300) },
    ]);
    const all = cellsOf(plan, partOf(memory), outcomeOf(rounds));
    expect(find(all, other)?.confidence).toBeNull();
  });

  it("take the memory per connection from the slope over the stages", () => {
    const rounds = blocks.flatMap((block) => [
      { ...roundOf(other, block, []), memory: stages(900) },
      { ...roundOf(reference, block, []), memory: stages(300) },
    ]);
    const all = cellsOf(plan, partOf(memory), outcomeOf(rounds));
    const { metrics, status } = find(all, other) ?? { metrics: {}, status: null };
    expect(status).toBe("ok");
    expect(metrics.userBytesPerConnection?.median).toBeCloseTo(900);
    expect(metrics.kernelBytesPerConnection?.median).toBeCloseTo(7000);
    expect(metrics.clientBytesPerConnection?.median).toBeNull();
    expect(metrics.ratioToReference?.median).toBeCloseTo(3);
  });
});
