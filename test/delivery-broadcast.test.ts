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
    const played = await playBroadcast(name, settings);
    if ("unavailable" in played) throw new Error(played.unavailable);
    const { windows, messages, wrong, error } = played;
    expect({ messages, wrong, error }).toEqual({ messages: 2 * 8 * 20, wrong: 0, error: null });
    expect(windows.map(({ index }) => index)).toEqual([0, 1]);
    for (const window of windows) {
      expect(window.completedMessages).toBe(8 * 20);
      expect(window.durationNs).toBeGreaterThan(0);
      expect(window.serverRunQueueWaitNs).toBeGreaterThanOrEqual(0);
    }
    const cpuNs = windows.reduce((sum, { serverCpuNs }) => sum + Number(serverCpuNs), 0);
    expect(cpuNs).toBeGreaterThan(0);
  });

  it("takes no message without room for its number, nor one larger than a read", async () => {
    for (const payloadBytes of [3, 1 << 20]) {
      expect(await playBroadcast(rooms[0]?.name ?? "", { ...settings, payloadBytes })).toEqual({
        unavailable: "broadcast takes messages of 4 to 16384 bytes",
      });
    }
  });

  it("does not begin without a server", async () => {
    await expect(playBroadcast("no such room", settings)).rejects.toThrow(/ended/);
  });
});
