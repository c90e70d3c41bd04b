// The report's section on servers in other languages: there if a run measured some, with those and
// the reference only.

import { describe, expect, it } from "vitest";
import { sectionsOf } from "../bench/report/charts/sections.ts";
import { inventedResults } from "./report-data.ts";

const peersOf = (results: ReturnType<typeof inventedResults>) =>
  sectionsOf(results).find(({ id }) => id === "peers");

describe("the section on what a user would use otherwise", () => {
  it("is missing in a run without peers", () => {
    expect(peersOf(inventedResults())).toBeUndefined();
  });

  it("does not draw again what the chart of all contenders shows", () => {
    const results = inventedResults();
    const cells = results.cells.map((cell) =>
      cell.contender === results.reference ? cell : { ...cell, runtime: "peer" as const },
    );
    const sections = sectionsOf({ ...results, cells });
    expect(sections.find(({ id }) => id === "peers")).toBeUndefined();
    expect(sections.find(({ id }) => id === "cpu")?.lead).toContain("include their language's");
  });

  it("has the peers and the reference, in a chart with a name of its own", () => {
    const results = inventedResults();
    const cells = results.cells.map((cell) =>
      cell.contender === "node:net"
        ? { ...cell, contender: "peer:go", runtime: "peer" as const, strategy: "go" }
        : cell,
    );
    const sections = sectionsOf({ ...results, cells });
    const [chart] = sections.find(({ id }) => id === "peers")?.charts ?? [];
    const names = chart?.table.rows.map(({ name }) => name).sort();
    expect(names).toEqual(["cpp:reactor-epoll", "peer:go"]);
    const ids = sections.flatMap(({ charts }) => charts.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });
});
