// Every contender as a process: echoes, keeps what it cannot send, survives rude peers, counts, and
// leaves nothing behind.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { contenders } from "../bench/contenders/catalogue.ts";
import { packagePaths } from "../bench/paths.ts";

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  /** Asks it to end. @returns its exit code and its counters. */
  stop(signal: NodeJS.Signals): Promise<{ code: number | null; counters: Record<string, number> }>;
}

const paths = packagePaths();
const children = new Set<ChildProcess>();
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});

async function start(command: readonly string[]): Promise<Started> {
  const [file = "", ...args] = command;
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.add(child);
  const exited = once(child, "exit").finally(() => children.delete(child));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async () => JSON.parse((await lines.next()).value as string);
  const ready = await read();
  expect(ready).toMatchObject({ event: "ready", pid: child.pid });
  const stop = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const counters = await read();
    const [code] = await exited;
    return { code, counters };
  };
  return { child, port: ready.port, stop };
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  sockets.add(socket);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Reads exactly so many bytes. */
async function read(socket: Socket, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let total = 0;
  while (total < length) {
    const part: Buffer | null = socket.read();
    if (part === null) {
      await once(socket, "readable");
      continue;
    }
    parts.push(part);
    total += part.length;
  }
  return Buffer.concat(parts);
}

async function expectEcho(socket: Socket, text: string): Promise<void> {
  socket.write(text);
  expect((await read(socket, text.length)).toString()).toBe(text);
}

const native = (name: string) => name !== "node:net";

describe.each(contenders.map((row) => [row.name, row] as const))("%s", (name, row) => {
  it("echoes on many connections and counts what it did", async () => {
    const server = await start(row.command(paths));
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
    if (native(name)) {
      expect(counters["recvCalls"]).toBeGreaterThanOrEqual(150);
      expect(counters["sendCalls"]).toBeGreaterThanOrEqual(150);
    }
  });

  it("keeps what a slow reader does not take, serves others, and loses no byte", async () => {
    const server = await start(row.command(paths));
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
    const server = await start(row.command(paths));
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
    const { code, counters } = await server.stop("SIGINT");
    expect(code).toBe(0);
    expect(counters["connectionsAccepted"]).toBe(16);
    expect(counters["connectionsClosed"]).toBe(16);
  });
});
