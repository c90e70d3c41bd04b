// Every server as a process: echoes, keeps what it cannot send, survives rude peers, counts, and
// leaves nothing behind.

import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { endAll, expectEcho, open, read, serverRows, start } from "./server-processes.ts";

afterEach(endAll);

describe.each(serverRows.map((row) => [row.name, row] as const))("%s", (_, { command, counts }) => {
  it("echoes on many connections and counts what it did", async () => {
    const server = await start(command);
    const peers = await Promise.all(Array.from({ length: 50 }, () => open(server.port)));
    for (let round = 0; round < 3; round++) {
      await Promise.all(peers.map((peer, i) => expectEcho(peer, `hello ${round} from ${i}`)));
    }
    const { code, counters } = await server.stop("SIGTERM");
    expect(code).toBe(0);
    expect(counters).toMatchObject({
      event: "counters",
      connectionsAccepted: 50,
      connectionsClosed: 50,
      peakConnections: 50,
    });
    expect(counters["bytesReceived"]).toBe(counters["bytesSent"]);
    expect(counters["bytesSent"]).toBe(
      [0, 1, 2].flatMap((round) => peers.map((_, i) => `hello ${round} from ${i}`)).join("").length,
    );
    if (counts === "calls") {
      expect(counters["recvCalls"]).toBeGreaterThanOrEqual(150);
      expect(counters["sendCalls"]).toBeGreaterThanOrEqual(150);
      expect(counters["acceptCalls"]).toBeGreaterThanOrEqual(50);
    }
    if (counts === "waits") {
      expect(counters["waitCalls"]).toBeGreaterThanOrEqual(3);
      expect(counters["eventsReturned"]).toBeGreaterThanOrEqual(200);
    }
  });

  it("keeps what a slow reader does not take, serves others, and loses no byte", async () => {
    const server = await start(command);
    const slow = await open(server.port);
    const other = await open(server.port);
    slow.pause();
    const flood = Buffer.alloc(8 << 20, "0123456789abcdef");
    slow.write(flood);
    await delay(100);
    await expectEcho(other, "still here");
    slow.resume();
    slow.pause();
    expect((await read(slow, flood.length)).equals(flood)).toBe(true);
    await expectEcho(slow, "and on it goes");
    expect((await server.stop("SIGTERM")).code).toBe(0);
  });

  it("survives peers that reset, half-close and vanish", async () => {
    const server = await start(command);
    const steady = await open(server.port);
    for (let i = 0; i < 5; i++) {
      const reset = await open(server.port);
      reset.write("x");
      reset.resetAndDestroy();
      const half = await open(server.port);
      half.end("bye");
      half.resume();
      await once(half, "close");
      (await open(server.port)).destroy();
    }
    await expectEcho(steady, "still here");
    await expectEcho(await open(server.port), "the last one"); // the others are accepted by now
    const { code, counters } = await server.stop("SIGINT");
    expect(code).toBe(0);
    expect(counters["connectionsAccepted"]).toBe(17);
    expect(counters["connectionsClosed"]).toBe(17);
  });
});
