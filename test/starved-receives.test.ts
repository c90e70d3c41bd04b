// Many peers whose messages arrive within one turn, more than an engine has buffers for, and which
// then are silent: every byte is received, although no event follows.

import { afterEach, describe, it } from "vitest";
import { adopt, type Connection, close, send, socketPair } from "../src/index.ts";
import { engines } from "./connections/engines.ts";
import { until } from "./connections/pairs.ts";

const PEERS = 16;

const peers: number[] = [];
const connections: Connection[] = [];

afterEach(() => {
  for (const connection of connections.splice(0)) connection.destroy();
  for (const fd of peers.splice(0)) close(fd);
});

/** Fills a peer's send buffer. @returns bytes. */
function fill(fd: number): number {
  const bytes = Buffer.alloc(64 << 10, "all at once ");
  let sent = 0;
  for (let now = send(fd, bytes); now > 0; now = send(fd, bytes)) sent += now;
  return sent;
}

/** A connection and its peer's descriptor. */
function peerOf(way: Parameters<typeof adopt>[2], data: (bytes: Uint8Array) => void): number {
  const [ours, peer] = socketPair();
  peers.push(peer);
  connections.push(adopt(ours, { data: (_, bytes) => data(bytes) }, way));
  return peer;
}

describe.each(engines)("by %s", (_name, way) => {
  it("receives everything that arrived while a handler ran", async () => {
    let [sent, received] = [0, 0];
    const filled = Array.from({ length: PEERS }, () =>
      peerOf(way, (bytes) => {
        received += bytes.length;
      }),
    );
    const trigger = peerOf(way, () => {
      for (const peer of filled) sent += fill(peer);
    });
    for (let round = 1; round <= 10; round++) {
      send(trigger, Buffer.from("now"));
      await until(() => sent > round << 20 && received === sent, "every byte");
    }
  });
});
