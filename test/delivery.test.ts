// The ways to deliver an event, each played once with real processes; and what the figures make of
// receipts that are late, missing, double or without bytes.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { families } from "../bench/contenders/families.ts";
import { playEventDelivery } from "../bench/delivery/event-delivery.ts";
import { deliveriesOf, type Receipt, type Send } from "../bench/delivery/figures.ts";
import type { Played } from "../bench/delivery/played.ts";
import { decodeEvents, encodeEvent } from "../bench/delivery/way.ts";
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

  it("take the last of all listeners, and only if all had it", () => {
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

  it("leave what comes without bytes to later ones, once those have begun", () => {
    const one = [receipt(1, 1100), receipt(2, 2100), receipt(null, 3100), receipt(null, 5000)];
    expect(deliveriesOf(sends, [one], 5000)).toMatchObject({ lost: 0, duplicated: 0 });
    expect(deliveriesOf(sends, [one])).toMatchObject({ lost: 0, duplicated: 1 });
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
  expect(() => wayNamed("pigeon")).toThrow(/pigeon is not one of signal:all/);
});

it("has a row in the catalogue for each way", () => {
  const listed = families["event-delivery"]?.map(({ name }) => name);
  expect(listed).toEqual(ways.map(({ name }) => name));
});

const settings = {
  connections: 4,
  payloadBytes: 0,
  ratePerSecond: 200,
  warmupMs: 50,
  windows: 1,
  windowMs: 100,
  serverCpu: null,
  clientCpu: null,
};

async function play(name: string, block: number): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), "io-selectors-"));
  try {
    const played = await playEventDelivery(name, { ...settings, block, folder });
    if ("unavailable" in played) throw new Error(played.unavailable);
    return played;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe.skipIf(!existsSync("/proc/self/schedstat"))("delivery by", () => {
  it.concurrent.each(ways.map((way) => [way.name, way] as const))(
    "%s",
    async (name, way) => {
      const { figures, facts, messages, error, windows } = await play(name, 0);
      expect({ error, windows: windows.length }).toEqual({ error: null, windows: 1 });
      expect(facts).toMatchObject({ senderKnows: way.known, bytesReach: way.bytesReach });
      const figure = (metric: keyof typeof figures) => figures[metric] ?? Number.NaN;
      expect(messages).toBe(2 * 20 * 2);
      expect(figure("eventTypesHeld")).toBeGreaterThan(100);
      expect(figure("eventTypeCost")).toBeGreaterThan(0);
      expect(figure("lastListenerP50")).toBeGreaterThan(0);
      expect(figure("listenerCpuPerEvent")).toBeGreaterThan(0);
      expect(figure("senderCpuPerEvent")).toBeGreaterThan(0);
      // What queues in the kernel or in a library loses nothing at this pace; the rest may.
      const queues = !/^(signal|fifo)/.test(name);
      if (queues) expect([figure("lostPercent"), figure("duplicatedPercent")]).toEqual([0, 0]);
      else expect(figure("lostPercent")).toBeLessThan(100);
      if (way.wakesOthers) {
        expect(figure("othersCpuPerEvent")).toBeGreaterThan(0);
        return;
      }
      const share = (of: typeof figures) =>
        (of.othersCpuPerEvent ?? Number.NaN) / (of.listenerCpuPerEvent ?? Number.NaN);
      // Of a tenth of a second each: something else may disturb one of them.
      let least = share(figures);
      for (let again = 0; again < 2 && !(least < 1); again++) {
        least = share((await play(name, 0)).figures);
      }
      expect(least).toBeLessThan(1);
    },
    60_000,
  );

  it("tries once how many possible event types", async () => {
    const { figures } = await play("signal:all", 1);
    expect(figures.eventTypesHeld).toBeUndefined();
    expect(figures.lastListenerP50).toBeGreaterThan(0);
  });
});
