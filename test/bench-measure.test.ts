// What measuring decides without a process: options and plans, CPUs, windows that do not count,
// and how cells end.

import { describe, expect, it } from "vitest";
import { contenders, reference } from "../bench/contenders/catalogue.ts";
import { cellsOf } from "../bench/measure/cells.ts";
import { groupByCore, parseCpuList, planCpus } from "../bench/measure/cpus.ts";
import { parseEvent, type Window } from "../bench/measure/events.ts";
import { brokenRules } from "../bench/measure/gate.ts";
import type { Round } from "../bench/measure/round.ts";
import { parseCommand, type Request } from "../bench/options.ts";
import { describePlan, makePlan, type Plan } from "../bench/plan.ts";
import { profiles } from "../bench/profiles.ts";
import type { Cell } from "../bench/results.ts";
import { encodeHistogram } from "../bench/statistics/hdr-encoding.ts";
import { Histogram } from "../bench/statistics/histogram.ts";

function requestOf(...argv: string[]): Request {
  const command = parseCommand(argv);
  if (command.name !== "run") throw new Error(`parsed as ${command.name}`);
  return command.request;
}

describe("the command line", () => {
  it("overrides the profile, figure by figure", () => {
    const plan = makePlan(
      requestOf(
        ...["--contenders", "node:net,cpp:select", "--connections", "10,1000", "--rate=500"],
        ...["--payload", "1024", "--duration", "0.6", "--blocks", "2", "--seed", "7"],
      ),
    );
    expect(plan.contenders.map(({ name }) => name)).toEqual([
      "cpp:select",
      "cpp:reactor-epoll",
      "node:net",
    ]);
    expect(plan.scenarios.map(({ load }) => load)).toMatchObject([
      { mode: "open", connections: 10, payloadBytes: 1024, ratePerSecond: 500 },
      { mode: "open", connections: 1000, payloadBytes: 1024, ratePerSecond: 500 },
    ]);
    expect(plan).toMatchObject({ blocks: 2, seed: 7, timing: { windows: 2, windowMs: 300 } });
  });

  it("leaves the rest to the profile", () => {
    const plan = makePlan(requestOf());
    const [quick] = profiles;
    expect(plan).toMatchObject({ profile: "quick", blocks: quick?.blocks, timing: quick?.timing });
    expect(plan.contenders).toEqual(contenders);
  });

  it("tells the plan, and that few blocks give weak intervals", () => {
    const lines = describePlan(makePlan(requestOf("--blocks", "5"))).join("\n");
    expect(lines).toMatch(
      /10,000 connections.*\n10 contenders, 5 blocks, .*about .*\nfewer than 6/,
    );
    expect(describePlan(makePlan(requestOf())).join("\n")).not.toMatch(/fewer/);
  });
});

describe("CPUs", () => {
  const siblings = (cores: number[][]) => (cpu: number) =>
    cores.find((core) => core.includes(cpu)) ?? null;

  it.each([
    ["two cores", [[0], [1]], { server: 1, client: 0, note: null }],
    [
      "two cores of two threads",
      [
        [0, 2],
        [1, 3],
      ],
      { server: 1, client: 0, note: null },
    ],
    ["four cores", [[0], [1], [2], [3]], { server: 3, client: 2, note: null }],
    ["one core of two threads", [[4, 5]], { server: 5, client: 4 }],
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
    ["that was stolen from", { stealNs: 20e6 }, ["stolen"]],
    ["with one tick of steal, however old", { stealNs: 10e6 }, []],
    ["that missed the rate", { completedMessages: 4800 }, ["rate"]],
    ["that still owes what was due at its end", { completedMessages: 4960 }, []],
    ["that was late", { sendLagNsP99: 2e6 }, ["late"]],
    [
      "of a full server, which makes the generator late",
      { completedMessages: 3000, serverCpuNs: 249e6, sendLagNsP99: 50e6 },
      ["full"],
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
    expect(brokenRules({ ...quiet, ...change }, true)).toEqual(rules);
  });

  it("does not hold a server's threads against each other", () => {
    expect(brokenRules({ ...quiet, serverRunQueueWaitNs: 200e6 }, false)).toEqual([]);
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

/** One round a block: the server's CPU a message in each of its windows, in microseconds. */
function roundOf(contender: string, block: number, windows: readonly Window[]): Round {
  const messages = windows.reduce((sum, window) => sum + window.completedMessages, 0);
  return {
    contender,
    block,
    connectMs: 1,
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
    counters: null,
    failure: null,
  };
}

const costing = (cpuUs: number): Window => ({ ...quiet, serverCpuNs: cpuUs * 1000 * 5000 });

describe("cells", () => {
  const other = "cpp:select";
  const plan: Plan = makePlan(requestOf("--contenders", other, "--blocks", "6"));
  const [scenario] = plan.scenarios;
  const blocks = [0, 1, 2, 3, 4, 5];

  function cells(own: (block: number) => Window[], base: (block: number) => Window[]): Cell[] {
    if (scenario === undefined) throw new Error("no scenario");
    const rounds = blocks.flatMap((block) => [
      roundOf(other, block, own(block)),
      roundOf(reference, block, base(block)),
    ]);
    return cellsOf(plan, scenario, { rounds, refusals: new Map(), interrupted: false });
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

  it("count calls only where the server does", () => {
    if (scenario === undefined) throw new Error("no scenario");
    const counters = (calls: number): Round["counters"] => ({
      event: "counters",
      waitCalls: calls,
      eventsReturned: 2 * calls,
      recvCalls: calls,
      sendCalls: calls,
      acceptCalls: 0,
      bytesReceived: 64,
      bytesSent: 64,
      connectionsAccepted: 1,
      connectionsClosed: 1,
      peakConnections: 1,
    });
    const rounds = blocks.flatMap((block) => [
      { ...roundOf(other, block, [quiet]), counters: counters(0) },
      { ...roundOf(reference, block, [quiet]), counters: counters(5000) },
    ]);
    const all = cellsOf(plan, scenario, { rounds, refusals: new Map(), interrupted: false });
    expect(find(all, other)?.metrics.systemCallsPerMessage?.median ?? null).toBeNull();
    expect(find(all, other)?.metrics.eventsPerWait?.median ?? null).toBeNull();
    expect(find(all, reference)?.metrics.systemCallsPerMessage?.median).toBeCloseTo(3);
    expect(find(all, reference)?.metrics.eventsPerWait?.median).toBeCloseTo(2);
  });

  it("tie where the interval holds the reference", () => {
    const all = cells(
      (block) => [costing(block % 2 === 0 ? 9 : 11)],
      () => [costing(10)],
    );
    expect(find(all, other)).toMatchObject({ status: "tie", reason: null });
  });

  it("leave out the windows that do not count, and count them", () => {
    const all = cells(
      () => [costing(20), { ...noisy, serverCpuNs: 1e9 }],
      () => [costing(10)],
    );
    expect(find(all, other)).toMatchObject({ status: "ok", blocks: 6, dropped: 6 });
    expect(find(all, other)?.metrics.serverCpuPerMessage?.median).toBeCloseTo(20);
  });

  it("are inconclusive, and say why, where over 30 % of the blocks dropped", () => {
    const all = cells(
      (block) => [block < 2 ? noisy : costing(20)],
      () => [costing(10)],
    );
    expect(find(all, other)).toMatchObject({ status: "inconclusive", blocks: 4, dropped: 2 });
    expect(find(all, other)?.reason).toMatch(
      /^2 of 6 blocks dropped: the load generator waited .* \(2 windows\)$/,
    );
    expect(find(all, reference)?.status).toBe("ok");
  });

  it("drop with the reference's blocks", () => {
    const all = cells(
      () => [costing(20)],
      (block) => [block < 2 ? noisy : costing(10)],
    );
    expect(find(all, other)).toMatchObject({ status: "inconclusive", blocks: 4, dropped: 0 });
    expect(find(all, other)?.reason).toContain(reference);
  });

  it("say that a server was full, which is not noise", () => {
    const full = { ...quiet, completedMessages: 2000, serverCpuNs: 250e6 };
    const all = cells(
      () => [full],
      () => [costing(10)],
    );
    expect(find(all, other)?.reason).toMatch(/6 of 6 blocks dropped: the server's CPU was full/);
  });
});
