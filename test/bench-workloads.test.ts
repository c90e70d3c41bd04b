// Every workload, really run, at a scale that takes moments: each gives its headline, or says why
// not. Shapes and bounds only; what a figure is worth depends on the machine.

import { afterEach, describe, expect, it, vi } from "vitest";
import { contenders } from "../bench/contenders/catalogue.ts";
import { families } from "../bench/contenders/families.ts";
import { chooseCpus } from "../bench/host/cpus.ts";
import type { HostProcess } from "../bench/host/host.ts";
import { LocalHost } from "../bench/host/local.ts";
import { readMachineLimits } from "../bench/host/machine-limits.ts";
import type { Cell, MetricName, Results } from "../bench/model/results.ts";
import { workloads } from "../bench/model/workloads/catalogue.ts";
import { echoRate } from "../bench/model/workloads/echo-rate.ts";
import type { LoadScale, Workload } from "../bench/model/workloads/workload.ts";
import type { Part, Plan } from "../bench/run/plan.ts";
import { run } from "../bench/run/run.ts";
import { childrenOf } from "./bench-processes.ts";

const linux = process.platform === "linux";
const scale: LoadScale = { connections: 40, payloadBytes: 64, ratePerSecond: 400 };

function planOf(workload: Workload, names: readonly string[], size: LoadScale = scale): Plan {
  const known = families[workload.name] ?? contenders;
  const chosen = known.filter(({ name }) => names.includes(name));
  const { ratePerSecond } = size;
  const part: Part = {
    scenarios: workload.loads(size).map((each) => ({ workload, ...each, ratePerSecond })),
    contenders: chosen,
    blocks: { minimum: 1, maximum: 1 },
    timing: { warmupMs: 50, steadyWithinMs: 0, windows: 2, windowMs: 60 },
  };
  return {
    profile: "test",
    parts: [part],
    contenders: chosen,
    reference: "cpp:reactor-epoll",
    blocks: part.blocks,
    timing: part.timing,
    seed: 1,
    options: {},
  };
}

/** The gate is for figures; these runs are for shapes, on a machine that runs other tests. */
const ungated = (workload: Workload): Workload => ({ ...workload, rules: [] });

/** What is written to the load generators, which stay connected, and each signal. */
class ListeningHost extends LocalHost {
  readonly sent: string[] = [];
  readonly signals: NodeJS.Signals[] = [];

  override start(...given: Parameters<LocalHost["start"]>): HostProcess {
    const child = super.start(...given);
    const send = child.send.bind(child);
    child.send = (line) => {
      this.sent.push(line);
      send(line);
    };
    const kill = child.kill.bind(child);
    child.kill = (signal) => {
      this.signals.push(signal);
      kill(signal);
    };
    return child;
  }
}

async function measure(plan: Plan, host = new LocalHost()): Promise<Results> {
  const results = await run(plan, {
    host,
    cpus: chooseCpus(),
    signal: new AbortController().signal,
    environment: { fingerprint: "test" },
    machine: readMachineLimits(),
    onProgress: () => {},
  });
  if (linux) expect(childrenOf(process.pid)).toEqual([]);
  return results;
}

const namesOf = ({ name }: Workload) => (families[name] ?? []).map((row) => row.name);

const median = ({ metrics }: Cell, name: MetricName) => metrics[name]?.median ?? null;

describe.runIf(linux && chooseCpus().clientAlone)("a load generator with a core of its own", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it.each([
    ["0", false],
    ["1", true],
  ])("spins unless IO_SELECTORS_SPIN is 0, and the settings say so: %s", async (value, spins) => {
    vi.stubEnv("IO_SELECTORS_SPIN", value);
    const host = new ListeningHost();
    const plan = planOf(ungated(echoRate), ["cpp:reactor-epoll"]);
    const { settings } = await measure(plan, host);
    const windows = host.sent.filter((line) => line.startsWith("window "));
    expect(windows.length).toBeGreaterThan(0);
    expect(windows.filter((line) => line.includes(" spin=1")).length).toBe(
      spins ? windows.length : 0,
    );
    expect(settings["loadGeneratorSpins"]).toBe(spins ? undefined : false);
  });
});

describe.runIf(linux)("a workload", () => {
  const servers: readonly Workload[] = workloads.filter(({ name }) => families[name] === undefined);

  it.each(servers)("$name gives its headline for each of its variants", async (workload) => {
    const plan = planOf(ungated(workload), ["cpp:reactor-epoll"]);
    const answered = ({ cells }: Results) =>
      cells.every(({ status, messages }) => status === "unavailable" || messages > 0);
    const counts = !["idle", "memory"].includes(workload.regime);
    let results = await measure(plan);
    // A machine that is busy may stand still for two windows of 60 ms.
    for (let again = 0; again < 4 && counts && !answered(results); again++) {
      results = await measure(plan);
    }
    const { cells, timeline } = results;
    expect(cells).toHaveLength(plan.parts[0]?.scenarios.length ?? 0);
    for (const cell of cells) {
      if (cell.capacityPercent !== undefined && cell.status === "unavailable") {
        // The load generator has one CPU, too, which other tests share.
        expect(cell.reason).toMatch(/ messages\/s; the load generator can send [\d,]+ on its CPU$/);
        continue;
      }
      expect(cell).toMatchObject({ workload: workload.name, mismatches: 0, blocks: 1 });
      expect(["ok", "inconclusive"], cell.reason ?? "").toContain(cell.status);
      if (cell.status === "inconclusive") expect(cell.reason).toMatch(/^at least /);
      const headline = workload.mustFill ? "throughputAtLeast" : workload.headline;
      const told = median(cell, workload.headline) ?? median(cell, headline);
      expect(told, `${workload.name} ${cell.variant ?? ""}`).not.toBeNull();
      if (counts) expect(cell.messages).toBeGreaterThan(0);
    }
    expect(new Set(cells.map(({ variant }) => variant)).size).toBe(cells.length);
    expect(timeline).toHaveLength(cells.length);
    const measured = new Set(cells.filter(({ blocks }) => blocks > 0).map((cell) => cell.variant));
    for (const { counted, failed, durationMs, variant } of timeline ?? []) {
      expect({ counted, failed }).toEqual({ counted: measured.has(variant), failed: false });
      expect(durationMs).toBeGreaterThan(0);
    }
  });

  it("readiness waits with every selector that works here", async () => {
    const readiness = workloads.filter(({ regime }) => regime === "readiness");
    expect(readiness).toHaveLength(1);
    for (const workload of readiness) {
      const names = namesOf(workload);
      const { cells } = await measure(planOf(workload, names));
      expect(cells).toHaveLength(names.length);
      const measured = cells.filter(({ status }) => status === "ok");
      expect(measured.map(({ contender }) => contender)).toContain("selector:epoll");
      for (const cell of measured) {
        for (const name of ["eventCost", "waitCost", "registerCost", "modifyCost"] as const) {
          expect(median(cell, name), name).toBeGreaterThan(0);
        }
        expect(median(cell, "eventsPerWait")).toBeCloseTo(cell.activeConnections);
      }
      const others = cells.filter(({ status }) => status !== "ok");
      for (const { status, reason } of others) {
        expect(status).toBe("unavailable");
        expect(reason).not.toBe("");
      }
    }
  });

  it.each([
    ["broadcast", 8],
    ["event-delivery", 4],
    ["replicas", 2],
  ])(
    "%s fills a cell for each of its contenders",
    async (name, connections) => {
      const workload = workloads.find((row) => row.name === name);
      if (workload === undefined) throw new Error(`there is no ${name}`);
      const names = namesOf(workload);
      const plan = planOf(ungated(workload), names, { ...scale, connections, ratePerSecond: 200 });
      const { cells, timeline } = await measure(plan);
      expect(cells.map(({ contender }) => contender)).toEqual(names);
      expect(timeline).toHaveLength(names.length);
      for (const cell of cells) {
        const { contender, status, reason, blocks, messages, mismatches } = cell;
        expect({ contender, status, reason }).toEqual({ contender, status: "ok", reason: null });
        expect({ blocks, mismatches }).toEqual({ blocks: 1, mismatches: 0 });
        expect(messages).toBeGreaterThan(0);
        for (const metric of [workload.headline, ...workload.metrics]) {
          if (metric === "senderCpuPerListener") continue; // may be lost in the noise
          expect(median(cell, metric), `${contender} ${metric}`).not.toBeNull();
        }
        expect(Object.keys(cell.facts ?? {}).length > 0).toBe(name !== "broadcast");
      }
    },
    120_000,
  );

  it("asks no idle server for its counters, which would wake it", async () => {
    const asked = async (name: string) => {
      const host = new ListeningHost();
      const chosen = workloads.filter((workload) => workload.name === name);
      for (const workload of chosen) {
        await measure(planOf(ungated(workload), ["cpp:reactor-epoll"]), host);
      }
      return host.signals.includes("SIGUSR2");
    };
    expect(await asked("echo-rate")).toBe(true);
    expect(await asked("idle")).toBe(false);
  });

  it("runs with every contender that there is", async () => {
    const idle = workloads.filter(({ name }) => name === "idle");
    for (const workload of idle) {
      const names = contenders.map(({ name }) => name);
      const { cells } = await measure(planOf(ungated(workload), names));
      const wrong = cells.filter(({ status }) => status === "failed");
      expect(wrong.map(({ contender, reason }) => `${contender}: ${reason}`)).toEqual([]);
    }
  });
});
