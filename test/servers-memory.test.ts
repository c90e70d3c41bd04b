// A server without memory for what a peer does not read closes that peer and goes on serving.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { endAll, expectEcho, open, serverRows, start } from "./server-processes.ts";

const PEERS = 40;
const SPARE_BYTES = 256 * 1024; // each peer may leave 16 KiB unread
/** One thread that holds what every peer has not read. */
const rows = serverRows.filter(({ name }) => /^cpp:(?!thread|process|prefork)/.test(name));
const limitable = spawnSync("prlimit", ["--version"]).status === 0;

afterEach(endAll);

/** From now on the process gets this many bytes more at most. prlimit(1), RLIMIT_AS */
function limitMemory(pid: number, spareBytes: number): void {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const usedBytes = Number(/^VmSize:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  const words = ["--pid", String(pid), `--as=${usedBytes + spareBytes}`];
  expect(spawnSync("prlimit", words).status).toBe(0);
}

const block = Buffer.alloc(64 * 1024);

/** Writes as long as the server takes it, and never reads. Resolves when the server closes it. */
async function stall(socket: Socket): Promise<void> {
  socket.pause();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const fill = () => {
    while (socket.write(block)) {
      // until the buffers of both ends are full
    }
  };
  socket.on("drain", fill);
  fill();
  await closed;
}

describe.skipIf(process.platform !== "linux" || !limitable)("with little memory", () => {
  it.each(rows)("$name closes a peer that it cannot keep, and serves on", async ({ command }) => {
    const { pid, port, stop, explained } = await start(command);
    const peers = await Promise.all(Array.from({ length: PEERS }, () => open(port)));
    limitMemory(pid, SPARE_BYTES);
    await explained(Promise.race(peers.map(stall)));
    for (const peer of peers) peer.destroy();
    await explained(open(port).then((peer) => expectEcho(peer, "still here")));
    expect((await stop("SIGTERM")).code).toBe(0);
  });
});
