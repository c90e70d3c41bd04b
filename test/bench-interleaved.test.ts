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

async function measuredWindows(names: readonly string[], windows: number, windowMs: number) {
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
      ...{ environment: { fingerprint: "test" }, machine: readMachineLimits() },
      onProgress: () => {},
    },
  );
  for (const { mismatches } of results.cells) expect(mismatches).toBe(0);
  return host.windows.filter(({ ms }) => ms === windowMs).map(({ generator }) => generator);
}

const pairsOf = (windows: readonly number[]) =>
  windows.flatMap((own, index) => (index % 2 === 0 ? [[own, windows[index + 1] ?? 0]] : []));

describe.runIf(process.platform === "linux")("servers that take turns", () => {
  it("have each window beside one of the reference", async () => {
    const windows = await measuredWindows([reference, "cpp:poll", "cpp:select"], 6, 10);
    // Six of either contender, and as many of the reference.
    expect(windows).toHaveLength(24);
    const counts = new Map<number, number>();
    for (const one of windows) counts.set(one, (counts.get(one) ?? 0) + 1);
    expect([...counts.values()].toSorted((a, b) => a - b)).toEqual([6, 6, 12]);
    const [base = 0] = [...counts].find(([, times]) => times === 12) ?? [];
    const pairs = pairsOf(windows);
    for (const pair of pairs) expect(pair.filter((one) => one === base)).toHaveLength(1);
    // The reference is before the contender as often as after it.
    expect(pairs.filter(([first]) => first === base)).toHaveLength(6);
    // Three short windows are one turn.
    const others = pairs.map((pair) => pair.find((one) => one !== base));
    for (let turn = 0; turn < others.length; turn += 3)
      expect(new Set(others.slice(turn, turn + 3)).size).toBe(1);
  });

  it("have turns of one window if that is long", async () => {
    const windows = await measuredWindows([reference, "cpp:poll"], 3, 60);
    expect(windows).toHaveLength(6);
    for (const pair of pairsOf(windows)) expect(new Set(pair).size).toBe(2);
  });

  it("leave out a reference that is not asked for", async () => {
    const windows = await measuredWindows(["cpp:poll"], 3, 60);
    expect(windows).toHaveLength(3);
  });
});
