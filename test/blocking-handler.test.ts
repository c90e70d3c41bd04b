// Handlers that block: every server blocks for the messages that say so, answers each connection in
// order, and those with a pool serve other connections meanwhile.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { families } from "../bench/contenders/families.ts";
import { BlockingMessages, blockingArguments } from "../bench/contenders/servers/blocking.ts";
import type { Cell } from "../bench/model/results.ts";
import { blockingHandler } from "../bench/model/workloads/blocking-handler.ts";
import { packagePaths } from "../bench/paths.ts";
import { blockingSentence } from "../bench/report/blocking-words.ts";
import { sectionsOf } from "../bench/report/charts/sections.ts";
import { plain } from "../bench/report/sentence.ts";
import { canBeHeld, loadArguments, serverArguments } from "../bench/run/load-arguments.ts";
import { inventedResults, measuredCell } from "./report-data.ts";

const paths = packagePaths();
const messageBytes = 8;
const blocking = { ms: 20, below: 1, messageBytes };
/** Far longer than the answer to another connection takes, on any machine. */
const longMs = 2_000;
/** Longer than any test may take; and how long a server may take to end. */
const endlessMs = 600_000;
const patienceMs = 5_000;
/** By its first byte: 0 blocks. */
const message = (first: number, tag: number) => Buffer.alloc(messageBytes, tag).fill(first, 0, 1);

const running = new Set<ChildProcess>();
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await endServers();
});

async function endServers(): Promise<void> {
  for (const child of running) {
    running.delete(child);
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    const killing = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    expect(await ended).toEqual([0, null]);
    clearTimeout(killing);
  }
}

async function start(argv: readonly string[], ms = blocking.ms): Promise<number> {
  const [program = "", ...rest] = [...argv, ...blockingArguments({ ...blocking, ms })];
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
  running.add(child);
  for await (const line of createInterface({ input: child.stdout })) {
    return (JSON.parse(line) as { port: number }).port;
  }
  throw new Error("the server ended before it was ready");
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  sockets.add(socket);
  await once(socket, "connect");
  return socket;
}

/** Exchanges a message that does not block, after which the server knows the connection. */
async function greet(socket: Socket): Promise<Socket> {
  const greeting = take(socket, messageBytes);
  socket.write(message(9, 1));
  await greeting;
  return socket;
}

async function take(socket: Socket, bytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let had = 0; had < bytes; ) {
    const [part] = (await once(socket, "data")) as [Buffer];
    parts.push(part);
    had += part.length;
  }
  return Buffer.concat(parts);
}

const rows = (families[blockingHandler.name] ?? []).filter(({ platforms }) =>
  platforms.includes(process.platform),
);
/** More connections than a pool has threads: each has 4. */
const beyondPool = 12;
/** Those with a pool of threads for what blocks. */
const pools = ["cpp:reactor-workers", "ts:connections-workers", "node:net-workers"];
/** Those whose other connections are served while one blocks. */
const unaffected = ["cpp:thread-per-connection", ...pools];

describe.each(rows)("$name", ({ name, command }) => {
  it("answers a connection in order, whatever blocks and however it is cut", async () => {
    const socket = await dial(await start(command(paths, 2)));
    const sent = Buffer.concat([1, 0, 2, 0, 3, 4].map((first, i) => message(first, i + 10)));
    const began = performance.now();
    const answer = take(socket, sent.length);
    for (let at = 0; at < sent.length; at += 5) socket.write(sent.subarray(at, at + 5));
    expect(await answer).toEqual(sent);
    // Two of them slept, which never ends early but by the clocks' rounding.
    expect(performance.now() - began).toBeGreaterThan(2 * blocking.ms - 2);
  });

  it.runIf(unaffected.includes(name))("serves others while one blocks", async () => {
    const port = await start(command(paths, 2), longMs);
    const [blocked, other] = [await dial(port), await dial(port)];
    // Both are known to the server before one of them blocks.
    for (const socket of [blocked, other]) await greet(socket);
    const order: string[] = [];
    const slow = take(blocked, messageBytes).then(() => order.push("blocked"));
    blocked.write(message(0, 2));
    const quick = take(other, messageBytes).then(() => order.push("other"));
    other.write(message(9, 3));
    await Promise.all([slow, quick]);
    expect(order[0]).toBe("other");
  });

  it.runIf(pools.includes(name))("answers more connections than its pool has threads", async () => {
    const port = await start(command(paths, 2));
    const sockets = await Promise.all(Array.from({ length: beyondPool }, () => dial(port)));
    const sent = sockets.map((_, i) => Buffer.concat([message(0, i + 1), message(9, i + 1)]));
    const answers = sockets.map((socket) => take(socket, 2 * messageBytes));
    for (const [i, socket] of sockets.entries()) socket.end(sent[i] ?? "");
    expect(await Promise.all(answers)).toEqual(sent);
  });

  it.runIf(pools.includes(name))("goes on after a peer that resets while it blocks", async () => {
    const port = await start(command(paths, 2));
    const lost = await Promise.all(Array.from({ length: beyondPool }, () => dial(port)));
    const all = await Promise.all(lost.map(greet));
    for (const socket of all) socket.write(message(0, 2), () => socket.resetAndDestroy());
    const next = await greet(await dial(port));
    const answer = take(next, messageBytes);
    next.write(message(0, 3));
    expect(await answer).toEqual(message(0, 3));
  });

  it.runIf(pools.includes(name))("ends when asked while its handlers block", async () => {
    const port = await start(command(paths, 2), endlessMs);
    const blocked = await greet(await dial(port));
    blocked.write(message(0, 2));
    await greet(await dial(port));
    await endServers();
  });
});

describe("the report's sentence", () => {
  const cell = (contender: string, p99: number, variant = "1 in 32 blocks for 10 ms"): Cell => ({
    ...measuredCell(contender, { cpu: 10, p50: 100, p99, percent: 5 }),
    workload: blockingHandler.name,
    ratePerSecond: 1_600,
    variant,
  });
  const cells = [
    cell("cpp:reactor-epoll", 50_000),
    cell("cpp:reactor-epoll", 77_700, "undisturbed"),
    cell("cpp:prefork", 20_000),
    cell("cpp:reactor-workers", 1_500),
    cell("ts:connections-workers", 2_000),
    cell("cpp:thread-per-connection", 1_000),
  ];

  it("has the reason of each kind of server with the figures of its cells", () => {
    const sections = sectionsOf(inventedResults({ cells }));
    const summary = sections.find(({ id }) => id === "workload-blocking-handler")?.summary;
    const text = plain(summary ?? []);
    expect(text).toMatch(
      /one thread .* 50\.0 % of the time at this rate: p99 50\.0 ms with cpp:reactor-epoll\./,
    );
    expect(text).toMatch(/several processes only one stops.*: p99 20\.0 ms with cpp:prefork\./);
    expect(text).toMatch(
      /only a worker stops.*: p99 1\.50 ms with cpp:reactor-workers and 2\.00 ms/,
    );
    expect(text).toMatch(
      /only that connection stops: p99 1\.00 ms with cpp:thread-per-connection\./,
    );
    expect(text).not.toContain("77.7");
  });

  it("is empty if nothing was measured", () => {
    expect(blockingSentence([])).toEqual([]);
  });
});

describe("the messages that block", () => {
  it("are found in pieces of any size", () => {
    const sent = Buffer.concat([0, 1, 0, 0, 5].map((first) => message(first, 0)));
    for (const size of [1, 3, 8, 11, sent.length]) {
      const messages = new BlockingMessages(blocking);
      let found = 0;
      for (let at = 0; at < sent.length; at += size) {
        found += messages.countIn(sent.subarray(at, at + size));
      }
      expect(found, `pieces of ${size}`).toBe(3);
    }
  });

  it("are the same for the server and the load generator, and none in the baseline", () => {
    const scale = { connections: 10, payloadBytes: 64, ratePerSecond: 100 };
    const [baseline, blocked] = blockingHandler.loads(scale).map(({ load }) => {
      if (!canBeHeld(load)) throw new Error("measured window by window");
      return load;
    });
    if (baseline === undefined || blocked === undefined) throw new Error("two variants");
    const timing = { warmupMs: 1, steadyWithinMs: 0, windows: 1, windowMs: 1 };
    const target = { port: 1, pid: 1, timing, seed: 1 };
    expect(serverArguments(baseline)).toEqual([]);
    expect(loadArguments({ ...target, load: baseline })).not.toContain("--block-below");
    const below = (argv: readonly string[]) => argv[argv.indexOf("--block-below") + 1];
    expect(below(serverArguments(blocked))).toBe("8");
    expect(below(loadArguments({ ...target, load: blocked }))).toBe("8");
  });
});
