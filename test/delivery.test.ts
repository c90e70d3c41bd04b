// The ways to deliver an event, each played once with real processes; and what the figures make of
// receipts that are late, missing, double or without bytes.

import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { measureDelivery } from "../bench/delivery/cells.ts";
import { deliveriesOf, type Receipt, type Send } from "../bench/delivery/figures.ts";
import { tableOf } from "../bench/delivery/table.ts";
import { decodeEvents, encodeEvent, type Way } from "../bench/delivery/way.ts";
import { wayNamed, ways } from "../bench/delivery/ways.ts";

describe("the figures of a block", () => {
  const sends: Send[] = [1, 2, 3].map((sequence) => ({
    event: 0,
    sequence,
    atNs: sequence * 1000,
    taken: null,
  }));
  const receipt = (sequence: number | null, atNs: number): Receipt => ({
    event: 0,
    sequence,
    atNs,
  });

  it("take the last of all listeners, and only where all had it", () => {
    const one = [receipt(1, 1100), receipt(2, 2100), receipt(3, 3100)];
    const other = [receipt(1, 1500), receipt(3, 3050)];
    expect(deliveriesOf(sends, [one, other])).toEqual({
      lastNs: [500, 100],
      expected: 6,
      lost: 1,
      duplicated: 0,
    });
  });

  it("give what came without bytes to the newest event before it", () => {
    const one = [receipt(null, 1100), receipt(null, 1200), receipt(null, 3900), receipt(2, 9000)];
    expect(deliveriesOf(sends, [one])).toEqual({
      lastNs: [100, 7000, 900],
      expected: 3,
      lost: 0,
      duplicated: 1,
    });
  });

  it("leave out what belongs to no event of these", () => {
    const foreign = [receipt(null, 5), receipt(77, 1000), { event: 1, sequence: null, atNs: 3000 }];
    expect(deliveriesOf(sends, [foreign])).toMatchObject({ lost: 3, duplicated: 0, lastNs: [] });
  });
});

it("finds events that ran together", () => {
  const bytes = Buffer.concat([encodeEvent(3, 17), encodeEvent(0, 18)]);
  expect(decodeEvents(bytes)).toEqual([
    { event: 3, sequence: 17 },
    { event: 0, sequence: 18 },
  ]);
  expect(() => wayNamed("pigeon")).toThrow(/pigeon is none of signal:all/);
});

const linux = existsSync("/proc/self/schedstat");
const plan = { processes: 4, events: 20, gapMs: 5, blocks: 1, seed: 1, eventTypes: 50 };

describe.skipIf(!linux)("delivery by", () => {
  it.concurrent.each(ways.map((way) => [way.name, way] as const))(
    "%s",
    async (_, way) => {
      const [cell] = await measureDelivery({ ...plan, ways: [way] });
      expect(cell).toMatchObject({ status: "ok", reason: null, blocks: 1, connections: 4 });
      const figure = (name: keyof NonNullable<typeof cell>["metrics"]) =>
        cell?.metrics[name]?.median ?? Number.NaN;
      expect(cell?.messages).toBe(2 * 20 * 2);
      expect(cell?.facts?.heldEventTypes).toBe(50);
      expect(cell?.facts?.knowsNobody).toBe(way.known !== "nothing");
      expect(figure("lastListenerP50")).toBeGreaterThan(0);
      expect(figure("listenerCpuPerEvent")).toBeGreaterThan(0);
      expect(figure("senderCpuPerEvent")).toBeGreaterThan(0);
      // What queues in the kernel or in a library loses nothing at this pace; the rest may.
      const queues = !/^(signal|fifo)/.test(way.name);
      if (queues) expect([figure("lostPercent"), figure("duplicatedPercent")]).toEqual([0, 0]);
      else expect(figure("lostPercent")).toBeLessThan(100);
      if (way.wakesOthers) expect(figure("othersCpuPerEvent")).toBeGreaterThan(0);
      else expect(figure("othersCpuPerEvent")).toBeLessThan(figure("listenerCpuPerEvent"));
      const table = tableOf(cell === undefined ? [] : [cell]).split("\n");
      expect(table).toHaveLength(3);
      expect(new Set(table.map((line) => line.split("|").length)).size).toBe(1);
      expect(table[2]).not.toContain("| — |");
    },
    60_000,
  );

  it("has a row with the reason for a way that fails, and goes on", async () => {
    const broken: Way = {
      ...wayNamed("unix:datagram"),
      prepare: () => {
        throw new Error("no room");
      },
    };
    const cells = await measureDelivery({ ...plan, ways: [broken] });
    expect(cells).toMatchObject([
      { status: "failed", reason: "no room", metrics: {}, facts: null },
    ]);
    expect(tableOf(cells)).toContain("failed: no room");
  });

  it("stops when it is told to", async () => {
    const cells = await measureDelivery({ ...plan, signal: AbortSignal.abort() });
    expect(cells.map(({ status }) => status)).toEqual(ways.map(() => "inconclusive"));
  });
});
