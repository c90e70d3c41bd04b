// The measured rates of the gate: the page quotes the published tallies, and a tally that falls
// short says so.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { page, pageWithRates, ratesTable } from "./regression/published.ts";
import type { SeenRun } from "./regression/seen.ts";

const runsOf = (right: number, wrong: number, seconds = 60): SeenRun[] =>
  Array.from({ length: right + wrong }, (_, seed) => ({
    ...{ seed, right: seed < right, outcome: seed < right ? "pass" : "regression" },
    ...{ seconds, brief: "" },
  }));

const rowOf = (runs: readonly SeenRun[], file = "http-silent.jsonl") =>
  ratesTable([{ file, runs }])
    .split("\n")
    .slice(2)
    .map((row) => row.split("|").map((cell) => cell.trim()))
    .find((row) => row[3] !== "not measured") ?? [];

describe("the measured rates of the gate", () => {
  it("are quoted from the published tallies", () => {
    const text = readFileSync(page, "utf8");
    expect(text, "run: node --import ./test/typescript.mjs test/regression/publish.ts").toBe(
      pageWithRates(text),
    );
  });

  it("say what was reached, and what was not", () => {
    expect(rowOf(runsOf(30, 0)).slice(3, 7)).toEqual([
      ...["30 of 30", "pass 30", "60 s, up to 60 s", "yes"],
    ]);
    expect(rowOf(runsOf(29, 1)).slice(3, 7)).toEqual([
      ...["29 of 30", "pass 29, regression 1", "60 s, up to 60 s", "no"],
    ]);
    expect(rowOf(runsOf(12, 0)).at(6)).toBe("no: 12 of 30 runs");
    expect(rowOf(runsOf(30, 0, 601)).at(6)).toBe("no");
    expect(rowOf(runsOf(19, 1), "http-cpu.jsonl").at(6)).toBe("yes");
    expect(rowOf(runsOf(18, 2), "http-cpu.jsonl").at(6)).toBe("no");
  });

  it("name a question that was not asked", () => {
    expect(ratesTable([])).toMatch(/equal commits .* not measured \| {2}\| {2}\| {2}\|/);
  });
});
