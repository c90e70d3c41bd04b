// The delivery tables have every way and every column, in whatever form: terminals of any width,
// Markdown, HTML.

import { describe, expect, it } from "vitest";
import { ways } from "../bench/delivery/ways.ts";
import type { Cell } from "../bench/model/results.ts";
import { eventDelivery } from "../bench/model/workloads/event-delivery.ts";
import { factTitle, metricWords } from "../bench/report/metric-words.ts";
import { inventedResults, metric, otherCell } from "./report-data.ts";
import { renderHtml, renderMarkdown, renderTerminal } from "./report-words.ts";

const { headline, metrics } = eventDelivery;
const columns = [headline, ...metrics];

const cells: Cell[] = ways.map(({ name, known, bytesReach, holds }) => ({
  ...otherCell(name, "ok", ""),
  workload: "event-delivery",
  reason: null,
  headline,
  connections: 6,
  activeConnections: 3,
  payloadBytes: 0,
  ratePerSecond: 300,
  blocks: 3,
  metrics: Object.fromEntries(columns.map((column, i) => [column, metric("us", 1000 + i)])),
  facts: { senderKnows: known, bytesReach, wakesOthers: "no", holds },
}));
const results = inventedResults({ cells });
const titles = columns.map((column) => metricWords(column, "us").title);
const facts = ["senderKnows", "bytesReach", "wakesOthers", "holds"].map(factTitle);

/** Titles may stand in two lines, words broken anywhere: each word is there. */
const plain = (text: string) => text.replace(/\s+/g, " ");

describe("the delivery table", () => {
  it.each([80, 120, 200])("has all its columns in a terminal of %i", (width) => {
    const text = renderTerminal(results, { colour: false, width });
    for (const word of [...titles, ...facts].flatMap((title) => title.split(" "))) {
      expect(text).toContain(word);
    }
    for (const { name, known, holds } of ways) {
      expect(text).toContain(name);
      expect(text).toContain(known);
      expect(plain(text)).toContain(holds);
    }
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(width);
  });

  it.each([
    ["Markdown", renderMarkdown],
    ["HTML", renderHtml],
  ])("has all of them in %s", (_, render) => {
    const text = plain(render(results)).replaceAll("&#39;", "'");
    for (const title of [...titles, ...facts]) expect(text).toContain(title);
    for (const { name, known, holds } of ways) {
      for (const word of [name, known, holds]) expect(text).toContain(word);
    }
  });

  it("leaves other workloads to their one table", () => {
    const text = renderTerminal(inventedResults(), { colour: false, width: 120 });
    expect(text).not.toContain("one listener more");
    expect(text.match(/contender/g)).toHaveLength(1);
  });
});
