// What the engine makes of a machine that is not quiet, and of two servers that are the same: it
// has a figure all the same, says how sure it is, and does not rank. Drives bench/run/run.ts
// against real servers.

import { type ChildProcess, spawn } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { type Contender, contenders, reference } from "../bench/contenders/catalogue.ts";
import { chooseCpus } from "../bench/host/cpus.ts";
import { LocalHost } from "../bench/host/local.ts";
import { readMachineLimits } from "../bench/host/machine-limits.ts";
import type { Cell } from "../bench/model/results.ts";
import { connectRate } from "../bench/model/workloads/connect-rate.ts";
import { echoRate } from "../bench/model/workloads/echo-rate.ts";
import type { Workload } from "../bench/model/workloads/workload.ts";
import { packagePaths } from "../bench/paths.ts";
import type { Part, Plan } from "../bench/run/plan.ts";
import { run } from "../bench/run/run.ts";

const linux = process.platform === "linux";
const paths = packagePaths();
const cpus = chooseCpus();
const neighbours = new Set<ChildProcess>();

afterEach(() => {
  for (const neighbour of neighbours) neighbour.kill("SIGKILL");
  neighbours.clear();
});

function named(name: string): Contender {
  const found = contenders.find((row) => row.name === name);
  if (found === undefined) throw new Error(`no contender ${name}`);
  return found;
}

function planOf(rows: readonly Contender[], blocks: number, workload: Workload = echoRate): Plan {
  const scale = { connections: 50, payloadBytes: 64, ratePerSecond: 2_000 };
  const part: Part = {
    scenarios: workload.loads(scale).map((each) => ({ workload, ...each, ratePerSecond: 2_000 })),
    contenders: rows,
    blocks: { minimum: blocks, maximum: blocks },
    timing: { warmupMs: 50, steadyWithinMs: 0, windows: 2, windowMs: 100 },
  };
  const { timing } = part;
  return {
    ...{ profile: "test", parts: [part], contenders: rows, reference, blocks: part.blocks },
    ...{ timing, seed: 1, options: {} },
  };
}

async function measure(plan: Plan): Promise<readonly Cell[]> {
  const { cells } = await run(plan, {
    host: new LocalHost(),
    cpus,
    signal: new AbortController().signal,
    environment: { fingerprint: "test" },
    machine: readMachineLimits(),
    onProgress: () => {},
  });
  return cells;
}

/** Wants the server's CPU all the time, and dies with us. */
function spinBesideTheServer(): void {
  const pin = ["launch", "--cpu", String(cpus.server), "--parent", String(process.pid), "--"];
  const spin = [paths.node, "-e", "for (;;);"];
  neighbours.add(spawn(paths.loadGenerator, [...pin, ...spin], { stdio: "ignore" }));
}

describe.runIf(linux && cpus.server !== null)("a busy neighbour on the server's CPU", () => {
  it("makes figures of low confidence, not none and not wrong ones", async () => {
    spinBesideTheServer();
    // It would take the whole CPU, and gets half: nothing could be clearer.
    const cells = await measure(planOf([named("cpp:busy-poll")], 2));
    expect(cells).toHaveLength(1);
    for (const cell of cells) {
      expect(cell).toMatchObject({ mismatches: 0, blocks: 2, disturbedBlocks: 2, dropped: 0 });
      expect(cell.metrics.serverCpuPerMessage?.median).toBeGreaterThan(0);
      expect(cell.confidence?.grade).toBe("low");
      expect(cell.confidence?.doubts).toContainEqual({ code: "disturbed", blocks: 2, of: 2 });
      expect(cell.messages).toBeGreaterThan(0);
    }
  });
});

describe.runIf(linux && cpus.server !== null)("a busy neighbour while connections come", () => {
  it("is not taken for the kernel's own work with them", async () => {
    spinBesideTheServer();
    const cells = await measure(planOf([named(reference)], 2, connectRate));
    expect(cells).toHaveLength(2);
    for (const cell of cells) {
      expect(cell).toMatchObject({ mismatches: 0, blocks: 2, disturbedBlocks: 2 });
      expect(cell.confidence?.doubts).toContainEqual({ code: "disturbed", blocks: 2, of: 2 });
    }
  });
});

describe.runIf(linux)("the reference under another name", () => {
  it("is a tie, or too noisy to be one; it is never ranked", async () => {
    const again = { ...named(reference), name: "again" };
    const cells = await measure(planOf([named(reference), again], 6));
    const cell = cells.find(({ contender }) => contender === "again");
    expect(["tie", "inconclusive"]).toContain(cell?.status);
    expect(cell?.mismatches).toBe(0);
  });
});
