// The coordination of several generators against invented agents: what is answered late, by a host
// that slept, or not at all counts for nothing, and is measured again or reported.

import { describe, expect, it } from "vitest";
import type { Agent } from "../bench/agents/agent.ts";
import { HostClock } from "../bench/agents/clock.ts";
import { FactCollector } from "../bench/agents/facts.ts";
import { FleetProcess } from "../bench/agents/fleet-process.ts";
import type { Exit, HostProcess } from "../bench/host/host.ts";
import { encodeHistogram } from "../bench/statistics/hdr-encoding.ts";
import { Histogram } from "../bench/statistics/histogram.ts";

const empty = encodeHistogram(new Histogram());

/** An agent whose process answers each command as `answer` says. */
class InventedAgent {
  readonly clock = new HostClock();
  readonly commands: string[] = [];
  exchanges = 0;
  cpuLimited = false;
  #hear: (line: string) => void = () => {};
  #end: (exit: Exit) => void = () => {};

  constructor(
    readonly name: string,
    readonly answer: (index: number, agent: InventedAgent) => object | null,
    readonly sleptNs: (exchange: number) => number = () => 0,
  ) {}

  async exchange(): Promise<void> {
    this.exchanges++;
    const at = this.exchanges * 1e6;
    const slept = this.sleptNs(this.exchanges);
    const times = { sentNs: at, receivedNs: at + 1000, theirReceivedNs: at, theirSentNs: at };
    this.clock.add({ ...times, theirBootNs: at + slept });
  }

  start(onLine: (line: string) => void): HostProcess {
    this.#hear = onLine;
    const exited = new Promise<Exit>((resolve) => {
      this.#end = resolve;
    });
    return {
      pid: 1,
      ended: false,
      stderrTail: "",
      exited,
      send: (line) => {
        if (line === "end") {
          this.say({ event: "result", messages: 1, error: null });
          this.end(0);
          return;
        }
        this.commands.push(line);
        const answer = this.answer(this.commands.length - 1, this);
        if (answer !== null) this.say(answer);
      },
      kill: () => this.#end({ code: null, signal: "SIGKILL", error: null }),
    };
  }

  say(line: object): void {
    queueMicrotask(() => this.#hear(JSON.stringify(line)));
  }

  end(code: number): void {
    this.#end({ code, signal: null, error: null });
  }
}

const sound = (index: number) => ({
  event: "window",
  index,
  startedNs: 5e6,
  durationNs: 1e8,
  sentMessages: 10,
  clientCpuNs: 1e6,
  latency: empty,
});
const late = { event: "refused", command: "window", reason: "late by 2950.0 ms" };

function fleet(agents: readonly InventedAgent[]) {
  const facts = new FactCollector();
  const lines: Record<string, unknown>[] = [];
  let hear: () => void = () => {};
  const members = agents.map((agent) => ({
    agent: agent as unknown as Agent,
    cpuLimited: agent.cpuLimited,
    start: (onLine: (line: string) => void) => agent.start(onLine),
  }));
  const observer = members.at(-1);
  if (observer === undefined) throw new Error("no observer");
  const process = new FleetProcess({
    generators: members.slice(0, -1),
    observer,
    begins: "on-command",
    onLine: (line) => {
      lines.push(JSON.parse(line));
      hear();
    },
    facts,
  });
  const line = () =>
    new Promise<void>((resolve) => {
      hear = resolve;
    });
  return { process, facts, lines, line };
}

describe("a window of several generators", () => {
  it("is one line, at one instant in each host's time", async () => {
    const agents = ["a", "b", "s"].map((name) => new InventedAgent(name, sound));
    const { process, lines, line } = fleet(agents);
    const heard = line();
    process.send("window ms=100 settle-ms=10");
    await heard;
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ event: "window", sentMessages: 20, fullAgents: [] });
    const instants = agents.map(({ commands }) => commands[0]);
    expect(instants[0]).toMatch(/^window ms=100 settle-ms=10 at-ns=\d+$/);
    expect(new Set(instants).size).toBe(1);
  });

  it("is measured again if the command came too late for one of them", async () => {
    const agents = [
      new InventedAgent("a", sound),
      new InventedAgent("b", (index) => (index === 0 ? late : sound(index))),
      new InventedAgent("s", sound),
    ];
    const { process, facts, lines, line } = fleet(agents);
    const heard = line();
    process.send("window ms=100");
    await heard;
    expect(agents.map(({ commands }) => commands.length)).toEqual([2, 2, 2]);
    // What the others measured at the first instant is not mixed with the second.
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ sentMessages: 20, index: 1 });
    expect(facts.facts.faults).toEqual(["b: late by 2950.0 ms"]);
  });

  it("fails after three attempts, with the host's name", async () => {
    const agents = [
      new InventedAgent("a", sound),
      new InventedAgent("b", () => late),
      new InventedAgent("s", sound),
    ];
    const { process, facts, lines } = fleet(agents);
    process.send("window ms=100");
    const exit = await process.exited;
    expect(exit.code).toBeNull();
    expect(agents[1]?.commands).toHaveLength(3);
    expect(lines.filter(({ event }) => event === "window")).toEqual([]);
    expect(facts.facts.faults).toContain("b: late by 2950.0 ms (3 times)");
    // The answers came at once: it was the generator that had no time.
    expect(facts.facts.limitedByClients).toEqual([2]);
  });

  it("is not the agent's fault if other programs kept it from its start", async () => {
    const waited = { ...late, lateNs: 20e6, waitedNs: 60e6 };
    const agents = [
      new InventedAgent("a", sound),
      new InventedAgent("b", (index) => (index < 2 ? waited : sound(index))),
      new InventedAgent("s", sound),
    ];
    const { process, facts, line } = fleet(agents);
    const heard = line();
    process.send("window ms=100");
    await heard;
    expect(facts.facts.limitedByClients).toEqual([]);
    expect(facts.facts.disturbedAgents).toEqual([2]);
  });

  it("is the agent's fault if its own CPU limit may have kept it from its start", async () => {
    const waited = { ...late, lateNs: 20e6, waitedNs: 60e6 };
    const agents = ["a", "b", "s"].map((name) => new InventedAgent(name, sound));
    const limited = new InventedAgent("b", (index) => (index < 2 ? waited : sound(index)));
    limited.cpuLimited = true;
    agents[1] = limited;
    const { process, facts, line } = fleet(agents);
    const heard = line();
    process.send("window ms=100");
    await heard;
    expect(facts.facts.limitedByClients).toEqual([2]);
  });

  it("is measured again if a host slept meanwhile", async () => {
    const agents = [
      new InventedAgent("a", sound),
      // Between the exchange before the window and the one after it.
      new InventedAgent("b", sound, (exchange) => (exchange >= 2 ? 30e9 : 0)),
      new InventedAgent("s", sound),
    ];
    const { process, facts, lines, line } = fleet(agents);
    const heard = line();
    process.send("window ms=100");
    await heard;
    expect(lines.map(({ index }) => index)).toEqual([1]);
    expect(facts.facts.faults).toEqual(["b: its host was suspended during a window"]);
  });

  it("stops all of them if one ends, and keeps what the others came to", async () => {
    const agents = [
      new InventedAgent("a", sound),
      new InventedAgent("b", (_index, agent) => {
        agent.say({ event: "result", messages: 3, error: "RLIMIT_NOFILE 10 < 90 needed" });
        agent.end(1);
        return null;
      }),
      new InventedAgent("s", sound),
    ];
    const { process, facts, lines } = fleet(agents);
    process.send("window ms=100");
    await process.exited;
    expect(lines.at(-1)).toMatchObject({
      event: "result",
      messages: 3,
      error: "b: RLIMIT_NOFILE 10 < 90 needed",
    });
    expect(facts.facts.faults).toEqual(["b: RLIMIT_NOFILE 10 < 90 needed"]);
  });

  it("ends with one result of all", async () => {
    const agents = ["a", "b", "s"].map((name) => new InventedAgent(name, sound));
    const { process, lines } = fleet(agents);
    process.send("end");
    expect(await process.exited).toMatchObject({ code: 0 });
    expect(lines).toEqual([
      { event: "result", messages: 2, error: null, mismatchDetail: null, fairness: null },
    ]);
  });
});
