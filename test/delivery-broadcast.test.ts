// The workload `broadcast`, short, with real processes: every message to every member, byte by
// byte; and what is missing or wrong fails the round.

import { describe, expect, it } from "vitest";
import { families } from "../bench/contenders/families.ts";
import { playBroadcast } from "../bench/delivery/broadcast/play-broadcast.ts";
import { rooms } from "../bench/delivery/broadcast/rooms.ts";

const settings = {
  connections: 8,
  payloadBytes: 64,
  ratePerSecond: 200,
  warmupMs: 50,
  windows: 2,
  windowMs: 100,
  serverCpu: null,
  clientCpu: null,
  block: 0,
  folder: "",
};

it("has a row in the catalogue for each of its servers", () => {
  const listed = families["broadcast"]?.map(({ name }) => name) ?? [];
  expect(listed.toSorted()).toEqual(rooms.map(({ name }) => name).toSorted());
});

describe.skipIf(process.platform !== "linux")("broadcast", () => {
  it.each(rooms.map(({ name }) => name))("by %s tells what each window cost", async (name) => {
    const { windows, messages, wrong, error } = await playBroadcast(name, settings);
    expect({ messages, wrong, error }).toEqual({ messages: 2 * 8 * 20, wrong: 0, error: null });
    expect(windows.map(({ index }) => index)).toEqual([0, 1]);
    for (const window of windows) {
      expect(window.completedMessages).toBe(8 * 20);
      expect(window.durationNs).toBeGreaterThan(0);
      expect(window.serverCpuNs).toBeGreaterThan(0);
      expect(window.serverRunQueueWaitNs).toBeGreaterThanOrEqual(0);
    }
  });

  it("does not begin without a server", async () => {
    await expect(playBroadcast("no such room", settings)).rejects.toThrow(/ended/);
  });
});
