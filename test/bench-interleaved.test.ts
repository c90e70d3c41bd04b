// The order of the windows of servers that take turns: each window of a contender is next to one of
// the reference. Drives bench/run/interleaved.ts against real servers and notes what their load
// generators are told.

import { describe, expect, it } from "vitest";
import { contenders, reference } from "../bench/contenders/catalogue.ts";
import { chooseCpus } from "../bench/host/cpus.ts";
import type { HostProcess, StartOptions } from "../bench/host/host.ts";
import { LocalHost } from "../bench/host/local.ts";
import { readMachineLimits } from "../bench/host/machine-limits.ts";
import { echoRate } from "../bench/model/workloads/echo-rate.ts";
import { run } from "../bench/run/run.ts";

/** Notes the windows that load generators are told to measure, in their order. */
class NotingHost extends LocalHost {
  readonly windows: { readonly generator: number; readonly ms: number }[] = [];

  override start(argv: readonly string[], options: StartOptions): HostProcess {
    const started = super.start(argv, options);
    const send = started.send.bind(started);
    started.send = (line) => {
      const ms = /^window ms=(\d+)/.exec(line)?.[1];
      if (ms !== undefined) this.windows.push({ generator: started.pid, ms: Number(ms) });
      send(line);
    };
    return started;
  }
}

async function measuredWindows(
  names: readonly string[],
  windows: number,
  windowMs: number,
  machine = readMachineLimits(),
) {
  const rows = contenders.filter(({ name }) => names.includes(name));
  const loads = echoRate.loads({ connections: 20, payloadBytes: 64, ratePerSecond: 2_000 });
  const blocks = { minimum: 1, maximum: 1 };
  const timing = { warmupMs: 40, steadyWithinMs: 0, windows, windowMs };
  const scenarios = loads.map((each) => ({ workload: echoRate, ...each, ratePerSecond: 2_000 }));
  const part = { scenarios, contenders: rows, blocks, timing };
  const host = new NotingHost();
  const results = await run(
    {
      ...{ profile: "test", parts: [part], contenders: rows, reference, blocks },
      ...{ timing, seed: 1, options: {} },
    },
    {
      ...{ host, cpus: chooseCpus(), signal: new AbortController().signal },
      ...{ environment: { fingerprint: "test" }, machine },
      onProgress: () => {},
    },
  );
  for (const { mismatches } of results.cells) expect(mismatches).toBe(0);
  return host.windows.filter(({ ms }) => ms === windowMs).map(({ generator }) => generator);
}

/** By so many: those that belong together. */
const inGroupsOf = (size: number, windows: readonly number[]) =>
  windows.flatMap((_, index) => (index % size === 0 ? [windows.slice(index, index + size)] : []));

function counted(values: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const one of values) counts.set(one, (counts.get(one) ?? 0) + 1);
  return counts;
}

describe.runIf(process.platform === "linux")("servers that take turns", () => {
  it("have each window beside one of the reference, which two of them share", async () => {
    const windows = await measuredWindows([reference, "cpp:poll", "cpp:select"], 6, 10);
    expect(windows).toHaveLength(18);
    const rounds = inGroupsOf(3, windows);
    for (const round of rounds) expect(new Set(round).size).toBe(3);
    expect(new Set(rounds.map(([, between]) => between)).size).toBe(1);
    // Either contender is before the reference as often as after it.
    const firsts = counted(rounds.map(([first = 0]) => first));
    expect([...firsts.values()]).toEqual([3, 3]);
  });

  it("have the reference to themselves if their number is odd", async () => {
    const names = [reference, "cpp:poll", "cpp:select", "cpp:busy-poll"];
    const windows = await measuredWindows(names, 3, 10);
    // Three short windows are one turn: three times two that share, and three times one.
    expect(windows).toHaveLength(3 * 3 + 3 * 2);
    const [base] = [...counted(windows)].find(([, times]) => times === 6) ?? [];
    const [shared, own] = [inGroupsOf(3, windows.slice(0, 9)), inGroupsOf(2, windows.slice(9))];
    for (const round of [...shared, ...own]) {
      expect(new Set(round).size).toBe(round.length);
      expect(round.filter((one) => one === base)).toHaveLength(1);
    }
    for (const rounds of [shared, own])
      expect(new Set(rounds.map((round) => round.toSorted().join())).size).toBe(1);
  });

  it("have turns of one window if that is long", async () => {
    const windows = await measuredWindows([reference, "cpp:poll"], 3, 60);
    expect(windows).toHaveLength(6);
    for (const pair of inGroupsOf(2, windows)) expect(new Set(pair).size).toBe(2);
  });

  it("are in groups if the machine does not let all of them be open together", async () => {
    const machine = readMachineLimits();
    // 20 threads and 20 processes, of which 30 fit.
    const small = { ...machine, pidMax: (machine.threads ?? 0) + 64 + 30 };
    const names = [reference, "cpp:thread-per-connection", "cpp:process-per-connection"];
    const windows = await measuredWindows(names, 3, 60, small);
    expect(windows).toHaveLength(12);
    const [first, second] = [windows.slice(0, 6), windows.slice(6)].map((half) => new Set(half));
    expect([first?.size, second?.size]).toEqual([2, 2]);
    expect(new Set(windows).size).toBe(3);
  });

  it("leave out a reference that is not asked for", async () => {
    const windows = await measuredWindows(["cpp:poll"], 3, 60);
    expect(windows).toHaveLength(3);
  });
});
