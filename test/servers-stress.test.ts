// Every server under stress: peers that drip, flood, half-close, reset or never read. The server
// keeps little and loses no byte of the other connections.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { childrenOf } from "./bench-processes.ts";
import {
  endAll,
  expectEcho,
  open,
  peerRows,
  read,
  type ServerRow,
  serverRows,
  start,
} from "./server-processes.ts";

/** Bytes that a server may have received from a peer that does not read and keep in memory. */
const KEPT_BYTES_A_PEER = 64 << 10;
/** What is queued when a connection is paused, and what the same turn of the engine has received by
 * then: each is one event's receives, 64 KiB. */
const KEPT_BYTES_ENGINE = 128 << 10;
/** Before Linux 6.17 a receive of io_uring cannot be limited, only cancelled. */
const KEPT_BYTES_IO_URING = 34 * (16 << 10);
/** What its memory may grow by: buffers of fixed size are touched for the first time, and an engine
 * collects garbage when it likes, each process of a cluster by itself. The peers offer more than
 * twice as much. */
const GROWTH_BYTES = 64 << 20;

const rows = serverRows.map((row) => [row.name, row] as const);
const peers = peerRows();

describe("peers in other languages", () => {
  it("are here, or named with what is missing", () => {
    expect(peers.present.length + peers.absent.length).toBeGreaterThan(10);
  });
  for (const { name, missing } of peers.absent) it.skip(`${name}: ${missing}`, () => undefined);
});

/** Deno's accept fails for a connection that was reset before, so its program never sees it. */
const seesAllResets = (name: string) => name !== "peer:deno";

afterEach(endAll);

/** Anonymous memory of a process and its children, bytes. proc_pid_status(5) */
function anonymousBytes(pid: number): number {
  const kilobytes = (process: number) =>
    Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${process}/status`, "utf8"))?.[1] ?? 0);
  return [pid, ...childrenOf(pid)].reduce((sum, process) => sum + kilobytes(process) * 1024, 0);
}

const withPeers = [...rows, ...peers.present.map((row) => [row.name, row] as const)];

describe.each(withPeers)("%s under stress", (_, row: ServerRow) => {
  it("echoes a message byte by byte, and messages of 1 MiB on many connections", async () => {
    const server = await start(row.command);
    const dripping = await open(server.port);
    const large = Buffer.alloc(1 << 20, "The quick brown fox jumps over the lazy dog. ");
    const others = await Promise.all(Array.from({ length: 5 }, () => open(server.port)));
    const floods = others.map(async (peer) => {
      peer.write(large);
      expect((await read(peer, large.length)).equals(large)).toBe(true);
    });
    for (const byte of "one byte at a time") await expectEcho(dripping, byte);
    await Promise.all(floods);
    expect((await server.stop("SIGTERM")).code).toBe(0);
  });

  it("gives a peer that half-closes all of its echo, then closes", async () => {
    const server = await start(row.command);
    const message = Buffer.alloc(3 << 20, "0123456789");
    const peers = await Promise.all(Array.from({ length: 2 }, () => open(server.port)));
    for (const peer of peers) peer.end(message);
    await delay(50); // so that more than a window waits behind the end
    for (const peer of peers) {
      expect((await read(peer, message.length)).equals(message)).toBe(true);
      peer.resume();
      if (!peer.readableEnded) await once(peer, "end");
    }
    const { code, counters } = await server.stop("SIGTERM");
    expect(code).toBe(0);
    expect(counters["bytesSent"]).toBe(peers.length * message.length);
    expect(counters["connectionsClosed"]).toBe(peers.length);
  });

  it("keeps little for peers that never read, serves the others, and ends", async () => {
    const server = await start(row.command);
    const others = await Promise.all(Array.from({ length: 5 }, () => open(server.port)));
    await Promise.all(others.map((peer) => expectEcho(peer, "warm")));
    const before = anonymousBytes(server.pid);
    const flood = Buffer.alloc(1 << 20, "never read ");
    const deaf = await Promise.all(Array.from({ length: 6 }, () => open(server.port)));
    for (const peer of deaf) {
      peer.pause();
      for (let i = 0; i < 24; i++) peer.write(flood);
    }
    for (let round = 0; round < 20; round++) {
      await Promise.all(others.map((peer, i) => expectEcho(peer, `round ${round} of ${i}`)));
      await delay(20);
    }
    expect(anonymousBytes(server.pid) - before).toBeLessThan(GROWTH_BYTES);
    for (const peer of deaf) expect(peer.writableLength).toBeGreaterThan(0);
    const { code, counters } = await server.stop("SIGTERM");
    expect(code).toBe(0);
    expect(counters["connectionsClosed"]).toBe(counters["connectionsAccepted"]);
    const kept = (counters["bytesReceived"] ?? 0) - (counters["bytesSent"] ?? 0);
    const engine = /^(ts:connections|cpp:proactor)/.test(row.name) ? KEPT_BYTES_ENGINE : 0;
    const limit = row.counts === "waits" ? KEPT_BYTES_IO_URING : engine || KEPT_BYTES_A_PEER;
    const read = row.readBufferBytes ?? 0;
    expect(kept).toBeLessThanOrEqual(deaf.length * Math.max(limit, 2 * read));
  });

  it("survives peers that reset while they flood, and those that vanish unread", async () => {
    const server = await start(row.command);
    const steady = await open(server.port);
    const flood = Buffer.alloc(1 << 20, "gone ");
    for (let i = 0; i < 20; i++) {
      const peer = await open(server.port);
      peer.write(flood);
      if (i % 2 === 0) peer.pause();
      await delay(5);
      if (i % 4 < 2) peer.resetAndDestroy();
      else peer.destroy();
    }
    await expectEcho(steady, "still here");
    await expectEcho(await open(server.port), "the last one"); // the others are accepted by now
    const { code, counters } = await server.stop("SIGTERM");
    expect(code).toBe(0);
    expect(counters["connectionsClosed"]).toBe(counters["connectionsAccepted"]);
    if (seesAllResets(row.name)) expect(counters["connectionsAccepted"]).toBe(22);
  });
});
