// What a run does to end within its budget: servers are opened together, and a block that does not
// end in time is abandoned. Drives bench/run/run.ts
// against real servers.

import { describe, expect, it } from "vitest";
import { type Contender, contenders, reference } from "../bench/contenders/catalogue.ts";
import { chooseCpus } from "../bench/host/cpus.ts";
import type { HostProcess, StartOptions } from "../bench/host/host.ts";
import { LocalHost } from "../bench/host/local.ts";
import { readMachineLimits } from "../bench/host/machine-limits.ts";
import { echoRate } from "../bench/model/workloads/echo-rate.ts";
import type { Plan } from "../bench/run/plan.ts";
import { type RunProgress, run } from "../bench/run/run.ts";

const rows = contenders.filter(({ name }) => [reference, "cpp:poll"].includes(name));

function planOf(contendersOf: readonly Contender[], blocks: number, seconds: number): Plan {
  const scale = { connections: 20, payloadBytes: 64, ratePerSecond: 2_000 };
  const part = {
    scenarios: echoRate
      .loads(scale)
      .map((each) => ({ workload: echoRate, ...each, ratePerSecond: 2_000 })),
    contenders: contendersOf,
    blocks: { minimum: blocks, maximum: blocks },
    timing: { warmupMs: 50, steadyWithinMs: 0, windows: 2, windowMs: 100 },
  };
  const { timing } = part;
  return {
    ...{ profile: "test", parts: [part], contenders: contendersOf, reference, blocks: part.blocks },
    ...{ timing, budget: { seconds, bindsPlanned: true }, seed: 1, options: {} },
  };
}

async function measure(plan: Plan, host = new LocalHost()) {
  const progress: RunProgress[] = [];
  const results = await run(plan, {
    ...{ host, cpus: chooseCpus(), signal: new AbortController().signal },
    ...{ environment: { fingerprint: "test" }, machine: readMachineLimits() },
    onProgress: (event) => progress.push(event),
  });
  return { results, progress };
}

/** Its load generators connect as long as there are `sound` ones; those that follow hang. */
class HangingHost extends LocalHost {
  #sound: number;

  constructor(sound: number) {
    super();
    this.#sound = sound;
  }

  override start(argv: readonly string[], options: StartOptions): HostProcess {
    const hangs = argv[0] === this.paths.loadGenerator && argv[1] === "hold" && this.#sound-- <= 0;
    const hanging = [process.execPath, "-e", "setInterval(() => {}, 1000)"];
    return super.start(hangs ? hanging : argv, options);
  }
}

describe.runIf(process.platform === "linux")("a run whose time is over", () => {
  it("abandons the block under way, and keeps those before it", async () => {
    const { results, progress } = await measure(planOf(rows, 3, 20), new HangingHost(rows.length));
    expect(results.complete).toBe(true);
    expect(results.settings["hurry"]).toMatchObject({ abandoned: 1 });
    expect(results.cells).toHaveLength(rows.length);
    for (const cell of results.cells) {
      expect(cell).toMatchObject({ blocks: 1, mismatches: 0 });
      expect(cell.metrics.serverCpuPerMessage?.median).toBeGreaterThan(0);
    }
    expect(progress).toContainEqual(
      expect.objectContaining({ event: "budget-spent", blocks: 1, planned: 3 }),
    );
  });

  it("opens the servers of a block together", async () => {
    const slowly = rows.map(
      (row): Contender => ({
        ...row,
        command: (...of) => ["sh", "-c", 'sleep 1; exec "$0" "$@"', ...row.command(...of)],
      }),
    );
    const { results } = await measure(planOf(slowly, 1, 6));
    const first = (results.timeline ?? []).filter(({ block }) => block === 1);
    expect(first).toHaveLength(rows.length);
    // One after the other, they would begin a second or more apart.
    const starts = first.map(({ startedMs }) => startedMs);
    expect(Math.max(...starts) - Math.min(...starts)).toBeLessThan(900);
    for (const cell of results.cells)
      expect(cell.metrics.serverCpuPerMessage?.median).not.toBeNull();
  });
});
