// Contenders that misbehave, limits that are too low, and an end that comes too early: what a run
// makes of them. Drives bench/run/run.ts with a catalogue of its own.

import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Contender, contenders, reference } from "../bench/contenders/catalogue.ts";
import { chooseCpus } from "../bench/host/cpus.ts";
import type { MachineLimits } from "../bench/host/limits.ts";
import { LocalHost } from "../bench/host/local.ts";
import { readMachineLimits } from "../bench/host/machine-limits.ts";
import type { Cell, Results } from "../bench/model/results.ts";
import { echoRate } from "../bench/model/workloads/echo-rate.ts";
import { exitCodeOf } from "../bench/run/exit-code.ts";
import { faultOf } from "../bench/run/faults.ts";
import { makePlan, type Plan } from "../bench/run/plan.ts";
import { type RunContext, type RunProgress, run } from "../bench/run/run.ts";
import { childrenOf } from "./bench-processes.ts";
import { requestOf } from "./live-data.ts";

const faultyServer = fileURLToPath(new URL("./programs/faulty-echo.mjs", import.meta.url));

function contender(name: string, argv: readonly string[]): Contender {
  return {
    name,
    runtime: "node",
    strategy: name,
    command: () => argv,
    concurrency: "single",
    platforms: [process.platform],
    summary: "of the tests",
  };
}

const faulty = (fault: string) => contender(fault, [process.execPath, faultyServer, fault]);
const good = contenders.filter(({ name }) => name === reference);

function planOf(rows: readonly Contender[], blocks = 1): Plan {
  const scale = { connections: 20, payloadBytes: 64, ratePerSecond: 5_000 };
  const part = {
    scenarios: echoRate
      .loads(scale)
      .map((each) => ({ workload: echoRate, ...each, ratePerSecond: 5_000 })),
    contenders: rows,
    blocks: { minimum: blocks, maximum: blocks },
    timing: { warmupMs: 100, steadyWithinMs: 0, windows: 2, windowMs: 100 },
  };
  return {
    profile: "test",
    parts: [part],
    contenders: rows,
    reference,
    blocks: part.blocks,
    timing: part.timing,
    seed: 1,
    options: {},
  };
}

/** A machine that tells nothing, and so forbids nothing. */
const unlimited: MachineLimits = readMachineLimits(() => null);

async function measure(plan: Plan, context: Partial<RunContext> = {}) {
  const progress: RunProgress[] = [];
  const results = await run(plan, {
    host: new LocalHost(),
    cpus: chooseCpus(),
    signal: new AbortController().signal,
    readyTimeoutMs: 10_000,
    environment: { fingerprint: "test" },
    machine: unlimited,
    onProgress: (event) => progress.push(event),
    ...context,
  });
  if (process.platform === "linux") expect(childrenOf(process.pid)).toEqual([]);
  return { results, progress };
}

function cellOf({ cells }: Results, name: string): Cell {
  const cell = cells.find(({ contender: own }) => own === name);
  if (cell === undefined) throw new Error(`no cell for ${name}`);
  return cell;
}

interface Fault {
  readonly row: Contender;
  readonly reason: RegExp;
  readonly context?: Partial<RunContext>;
  /** Whether its process ends under the load; by default not. */
  readonly died?: boolean;
}

const faults: readonly Fault[] = [
  {
    row: faulty("crashes-at-start"),
    reason: /^exited with code 3 before it was ready; stderr: first words \| last words$/,
  },
  {
    row: faulty("floods-stderr"),
    reason: /^exited with code 3 before it was ready; stderr: ….{100,600} \| the end$/,
  },
  {
    row: faulty("never-ready"),
    reason: /^no ready line within 3 s$/,
    // The reference has no more time than this.
    context: { readyTimeoutMs: 3_000 },
  },
  {
    row: contender("missing", ["/nonexistent/server"]),
    reason: /^exited with code 127 before it was ready; stderr: .*\/nonexistent\/server/,
  },
  {
    row: faulty("exits-during-load"),
    reason: /^exited with code 4 during the load; stderr: out of messages$/,
    died: true,
  },
  {
    row: faulty("announces-no-process"),
    reason: /^announced process 4194305, which does not exist$/,
  },
  {
    row: faulty("drops-connections"),
    reason: /connections? lost|closed or reset every connection/,
  },
  {
    row: faulty("corrupts-a-byte"),
    reason: /^echoed wrong bytes: connection \d+: message \d+: byte \d+ is 0x..,.* \(1 message\)$/,
  },
  { row: faulty("swallows-messages"), reason: /^\d+ messages never came back$/ },
  {
    row: faulty("ignores-sigterm"),
    reason: /^did not stop within 3 s of SIGTERM$/,
    context: { stopTimeoutMs: 3_000 },
  },
  { row: faulty("fails-to-stop"), reason: /^exited with code 5 when asked to stop$/ },
];

describe("a contender", () => {
  it.each(faults)("that fails ($row.name) is a row that says why", async ({ row, ...fault }) => {
    const { results, progress } = await measure(planOf([...good, row]), fault.context);
    const deaths = progress.filter((event) => event.event === "round-ended" && event.round.died);
    expect(deaths).toHaveLength(fault.died === true ? 1 : 0);
    const cell = cellOf(results, row.name);
    expect(cell).toMatchObject({ status: "failed", reason: expect.stringMatching(fault.reason) });
    expect(cellOf(results, reference)).toMatchObject({
      mismatches: 0,
      messages: expect.any(Number),
    });
    expect(cellOf(results, reference).messages).toBeGreaterThan(0);
    expect(cellOf(results, reference).status).not.toBe("failed");
    expect(exitCodeOf(results)).toBe(1);
    expect(results.complete).toBe(true);
  });

  it("that a full or missing folder holds up is a row that says why", async () => {
    const plan = makePlan(requestOf({ workloads: ["event-delivery"], contenders: ["fifo:open"] }));
    const parts = plan.parts.map((part) => ({ ...part, blocks: { minimum: 1, maximum: 1 } }));
    const { TMPDIR: before } = process.env;
    process.env["TMPDIR"] = "/nonexistent";
    try {
      const { results } = await measure({ ...plan, parts });
      expect(cellOf(results, "fifo:open")).toMatchObject({
        status: "unavailable",
        reason: "mkdtemp failed: ENOENT: no such file or directory",
      });
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
    }
  });

  it("that answers later than its limit has failed", () => {
    const found = (late: number, missing: number) =>
      faultOf(
        {
          result: {
            ...{ protocol: "http", mismatches: 0, missing, connectionsLost: 0, error: null },
            faults: { late: { count: late, first: "request 1 of connection 0" } },
          } as never,
          windows: [],
          memory: [],
        },
        { mode: "open" } as never,
      );
    expect(found(7, 0)).toBe("7 answers too late; the first: request 1 of connection 0");
    expect(found(7, 6)).toMatch(/^6 messages never came back; 1 answer too late; /);
    expect(found(7, 7)).toBe("7 messages never came back");
  });

  it("of which its machine does not answer whether it lives has not died", async () => {
    const host = Object.assign(new LocalHost(), { alive: async () => null });
    const { results } = await measure(planOf(good), { host });
    expect(cellOf(results, reference)).toMatchObject({ reason: null, mismatches: 0 });
    expect(cellOf(results, reference).status).not.toBe("failed");
  });

  it("that failed is not run again, and does not stop the others", async () => {
    const { results, progress } = await measure(planOf([...good, faulty("crashes-at-start")], 3));
    const rounds = progress.flatMap((event) =>
      event.event === "round-ended" ? [event.round.contender] : [],
    );
    expect(rounds.filter((name) => name === "crashes-at-start")).toHaveLength(1);
    expect(rounds.filter((name) => name === reference)).toHaveLength(3);
    expect(exitCodeOf(results)).toBe(1);
  });

  it("is inconclusive where the reference failed: nothing compares", async () => {
    const crashing = { ...faulty("crashes-at-start"), name: reference };
    const { results } = await measure(planOf([crashing, faulty("none")]));
    const cell = cellOf(results, "none");
    expect(cell.metrics.ratioToReference?.median ?? null).toBeNull();
    expect(cell.status).toBe("inconclusive");
  });
});

describe("a machine", () => {
  const tooFewFiles = { ...unlimited, openFiles: { soft: 64, hard: 64 } };
  const tooFewMaps = { ...unlimited, maxMapCount: 256 };

  it("whose limit stops all skips every row, with the figure and the command", async () => {
    const { results, progress } = await measure(planOf(good), { machine: tooFewFiles });
    expect(cellOf(results, reference)).toMatchObject({ status: "skipped", blocks: 0, messages: 0 });
    expect(cellOf(results, reference).reason).toMatch(
      /RLIMIT_NOFILE 64 < \d+ needed; to lift it: .*\d+/,
    );
    expect(progress.map(({ event }) => event)).toEqual(["refused", "rounds-planned"]);
    expect(exitCodeOf(results)).toBe(1);
  });

  it("whose limit stops one contender runs the others", async () => {
    const threads: Contender = { ...faulty("none"), name: "threads", concurrency: "thread" };
    const plan = planOf([...good, faulty("none"), threads]);
    const { results } = await measure(plan, { machine: tooFewMaps });
    expect(cellOf(results, "threads").status).toBe("skipped");
    expect(cellOf(results, reference).messages).toBeGreaterThan(0);
    expect(exitCodeOf(results)).toBe(0);
  });

  it("of another platform has no such contender", async () => {
    const foreign: Contender = { ...faulty("none"), name: "foreign", platforms: ["aix"] };
    const { results } = await measure(planOf([...good, foreign]));
    expect(cellOf(results, "foreign")).toMatchObject({ status: "unavailable" });
    expect(exitCodeOf(results)).toBe(1); // beside the reference none could run
  });
});

describe("an interruption", () => {
  it("keeps the rounds that ended and says which cells are not finished", async () => {
    const controller = new AbortController();
    const { results } = await measure(planOf([...good, faulty("none")], 5), {
      signal: controller.signal,
      onProgress: (event) => {
        if (event.event === "round-ended" && event.step.block === 2) controller.abort();
      },
    });
    expect(results.complete).toBe(false);
    expect(results.cells.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^interrupted after [12] of 5 blocks$/),
      expect.stringMatching(/^interrupted after [12] of 5 blocks$/),
    ]);
    expect(cellOf(results, reference).messages).toBeGreaterThan(0);
  });

  it("leaves the figures of cells with enough blocks", async () => {
    const controller = new AbortController();
    const { results } = await measure(planOf(good, 9), {
      signal: controller.signal,
      onProgress: (event) => {
        if (event.event === "round-ended" && event.step.block === 5) controller.abort();
      },
    });
    expect(results.complete).toBe(false);
    for (const { reason, metrics, confidence } of results.cells) {
      expect(reason ?? "").not.toMatch(/^interrupted/);
      expect(metrics.serverCpuPerMessage?.median).toBeGreaterThan(0);
      expect(confidence?.grade).toMatch(/^(high|medium|low)$/);
    }
  });

  it("ends the children at once, whatever they are doing", async () => {
    const controller = new AbortController();
    const started = Date.now();
    const { results } = await measure(planOf([faulty("never-ready")]), {
      signal: controller.signal,
      readyTimeoutMs: 60_000,
      onProgress: () => setTimeout(() => controller.abort(), 200),
    });
    expect(Date.now() - started).toBeLessThan(20_000);
    expect(results.complete).toBe(false);
    expect(cellOf(results, "never-ready").reason).toBe("interrupted after 0 of 1 blocks");
  });
});
