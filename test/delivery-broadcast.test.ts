// The workload `broadcast`, short, with real processes: every message to every member, byte by
// byte; and what is missing or wrong fails the round.

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { families } from "../bench/contenders/families.ts";
import type { BroadcastLoadResult } from "../bench/delivery/broadcast/load.ts";
import { playBroadcast } from "../bench/delivery/broadcast/play-broadcast.ts";
import { rooms } from "../bench/delivery/broadcast/rooms.ts";
import { Peer } from "../bench/delivery/peers.ts";

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

  it("counts a message that comes twice to one member as wrong, not for another", async () => {
    const members: Socket[] = [];
    let doubles = false;
    const server = createServer((member) => {
      members.push(member);
      member.on("data", (bytes) => {
        for (const each of members) each.write(bytes);
        if (doubles) members[1]?.write(bytes);
      });
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const { payloadBytes } = settings;
    const told = { port, members: 4, gapMs: 2, payloadBytes, warmupMs: 50 };
    const load = new Peer("bench/delivery/broadcast/load", [JSON.stringify(told)]);
    try {
      await load.hear();
      doubles = true;
      load.ask({ messages: 20 });
      const { deliveries, wrong } = await load.hear<BroadcastLoadResult>();
      expect(deliveries).toBe(4 * 20);
      // All but the last come before a message that each member has to have.
      expect(wrong).toBeGreaterThanOrEqual(19);
    } finally {
      await load.kill();
      for (const member of members) member.destroy();
      server.close();
    }
  });

  it("does not begin without a server", async () => {
    await expect(playBroadcast("no such room", settings)).rejects.toThrow(/ended/);
  });
});
