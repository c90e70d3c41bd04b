// The micro benchmarks: that every case measures something in both languages, and that figures and
// verdicts follow from what was measured. How long anything takes decides nothing here.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { cases, casesFor, findCase } from "../bench/micro/figures.ts";
import type { Measured } from "../bench/micro/rounds.ts";
import { figuresOf, type MicroFigure } from "../bench/micro/verdict.ts";
import { availableBackends } from "../src/index.ts";

const runFile = promisify(execFile);

/** @returns its exit code and output, whatever the code is. */
async function micro(...args: string[]) {
  const argv = ["dist/bench/micro/cli.js", ...args];
  const run = runFile(process.execPath, argv, { timeout: 100_000 });
  const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error);
  return { code: run.child.exitCode, stdout, stderr };
}

describe("npm run bench:micro", () => {
  const small = casesFor(
    availableBackends()
      .filter(({ available }) => available)
      .map(({ name }) => name),
  )
    .map(({ name }) => name)
    .filter((name) => !/-1000\d*$/.test(name));

  it("measures every case in TypeScript and natively", async () => {
    const { code, stdout, stderr } = await micro(
      ...["--json", "--rounds", "1", "--ms", "1", "--cases", small.join()],
    );
    expect(stderr).toContain(`round 1 of 1: ${small[0]}`);
    const { schemaVersion, figures } = JSON.parse(stdout) as {
      schemaVersion: number;
      figures: MicroFigure[];
    };
    expect(schemaVersion).toBe(1);
    expect(new Set(figures.map((figure) => figure.case))).toEqual(new Set(small));
    for (const { case: name, failure, typescriptNs, baselineNs, ratio } of figures) {
      expect(`${name}: ${failure}`).toBe(`${name}: null`);
      expect(typescriptNs?.median).toBeGreaterThan(0);
      if (findCase(name)?.hasBaseline === true) {
        expect(baselineNs?.median).toBeGreaterThan(0);
        expect(ratio?.median).toBeGreaterThan(0);
      } else {
        expect([baselineNs, ratio]).toEqual([null, null]);
      }
    }
    expect(code).toBe(0);
  });

  it("prints a table", async () => {
    const { code, stdout } = await micro("--rounds", "1", "--ms", "1", "--cases", "crossing");
    expect(stdout).toMatch(/fileno\(\): .* \d/);
    expect(code).toBe(0);
  });

  it.each([
    [["--cases", "no-such"], 'unknown case "no-such"'],
    [["--rounds", "0"], '--rounds: "0"'],
    [["--ms", "fast"], '--ms: "fast"'],
    [["--frobnicate"], "--frobnicate"],
  ])("refuses %j", async (args, message) => {
    const { code, stderr } = await micro(...args);
    expect(stderr).toContain(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(2);
  });

  it("explains itself", async () => {
    const { code, stdout } = await micro("--help");
    expect(stdout).toContain("--rounds N");
    expect(code).toBe(0);
  });

  it("says what a case failed of, and measures the rest", async () => {
    const kqueue = availableBackends().find(({ name }) => name === "kqueue");
    const names = "wait-kqueue-100,crossing";
    const { code, stdout } = await micro("--rounds", "1", "--ms", "1", "--cases", names);
    if (!kqueue?.available) expect(stdout).toMatch(/kqueue .*ENOSYS/);
    expect(stdout).toMatch(/fileno\(\): .* \d/);
    expect(code).toBe(0);
  });
});

describe("a figure", () => {
  const epoll = cases.filter(({ name }) => /^(ready|register|modify|wait-epoll)/.test(name));

  interface Entry {
    readonly ns?: readonly number[];
    readonly baseline?: readonly number[];
    readonly waited?: readonly number[];
    readonly failure?: string;
  }

  /** The same nanoseconds a round for every operation of a case. */
  function measured(entries: Record<string, Entry>) {
    return new Map(
      epoll.map(({ name, operations }): [string, Measured] => {
        const { ns = [100], baseline = [], waited = [], failure = null } = entries[name] ?? {};
        const rounds = ns.map((value, i) => ({
          typescriptNs: Object.fromEntries(operations.map((operation) => [operation.name, value])),
          baselineNs: baseline[i] ?? 100,
          waited: waited[i] ?? 0,
        }));
        return [name, { rounds, failure }];
      }),
    );
  }

  function figure(entries: Record<string, Entry>, name: string): MicroFigure {
    const found = figuresOf(epoll, measured(entries)).find((row) => row.case === name);
    if (found === undefined) throw new Error(`no figure for ${name}`);
    return found;
  }

  it("pairs what was measured in the same round", () => {
    const { ratio, typescriptNs } = figure(
      { "register-unregister": { ns: [120, 240, 360], baseline: [100, 200, 300] } },
      "register-unregister",
    );
    expect(typescriptNs).toEqual({ median: 240, low: 180, high: 300 });
    expect(ratio).toEqual({ median: 1.2, low: 1.2, high: 1.2 });
  });

  it.each([
    ["ratio", "register-unregister", { "register-unregister": { ns: [130] } }, 1.3, true],
    ["ratio", "register-unregister", { "register-unregister": { ns: [131] } }, 1.31, false],
    ["added", "ready-64", { "ready-64": { ns: [740] } }, 10, true],
    ["added", "ready-64", { "ready-64": { ns: [804] } }, 11, false],
    ["flat", "wait-epoll-10000", { "wait-epoll-10000": { ns: [110] } }, 1.1, true],
    ["flat", "wait-epoll-10000", { "wait-epoll-100": { ns: [90] } }, 100 / 90, false],
  ])("is held against its %s (%s %j)", (kind, name, entries, value, met) => {
    const { verdict } = figure(entries, name);
    expect(verdict).toMatchObject({ kind, met });
    expect(verdict?.value.median).toBeCloseTo(value, 10);
  });

  it.each([
    ["all but those that had to wait", [120, 900, 130], [0, 0.5, 0.02], 125, 1, true],
    ["the quietest half where all did", [900, 120, 800, 130], [0.9, 0.2, 0.8, 0.3], 125, 4, true],
    ["all of them on a quiet machine", [120, 130, 140, 150], [0, 0, 0, 0], 135, 0, false],
    ["no fewer for one of many", [120, 130, 140, 900], [0, 0, 0, 0.1], 130, 1, false],
  ])("counts %s", (_case, ns, waited, median, dropped, noisy) => {
    const { typescriptNs, ...rest } = figure({ modify: { ns, waited } }, "modify");
    expect(typescriptNs?.median).toBe(median);
    expect(rest).toMatchObject({ dropped, noisy });
  });

  it("has none of the numbers where its case failed", () => {
    const failed = figure({ "ready-64": { failure: "EMFILE" } }, "ready-64");
    expect(failed).toMatchObject({
      typescriptNs: null,
      baselineNs: null,
      ratio: null,
      verdict: null,
      failure: "EMFILE",
    });
  });

  it("has no verdict where what it is held against was not measured", () => {
    const rows = epoll.filter(({ name }) => name === "wait-epoll-1000");
    const all = measured({});
    all.delete("wait-epoll-100");
    for (const { verdict } of figuresOf(rows, all)) expect(verdict).toBeNull();
  });
});
