// Servers that serve with several processes: none outlives its parent, none stays a zombie, one
// that dies is replaced, a full one leaves the rest to the others, and what they count adds up.

import { readdirSync } from "node:fs";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { packagePaths } from "../bench/paths.ts";
import { childrenOf, survivors } from "./bench-processes.ts";
import {
  endAll,
  expectEcho,
  open,
  type Started,
  serverRows,
  start,
  withDescriptors,
} from "./server-processes.ts";

const strategies = ["process-per-connection", "prefork", "prefork-reuseport"] as const;
const prefork = ["prefork", "prefork-reuseport"] as const;
const paths = packagePaths();

afterEach(endAll);

const command = (strategy: string, ...options: string[]) => [
  paths.echoServer,
  "--strategy",
  strategy,
  ...options,
];

const openMany = (server: Started, count: number) =>
  Promise.all(Array.from({ length: count }, () => open(server.port)));

async function until(met: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !met(); i++) await delay(20);
  expect(met()).toBe(true);
}

describe.runIf(process.platform === "linux")("processes that serve together", () => {
  it("are in the list of servers that every other test runs", () => {
    const names = serverRows.map(({ name }) => name);
    for (const strategy of strategies) expect(names).toContain(`cpp:${strategy}`);
  });

  it.each(strategies)("%s: die with their parent", async (strategy) => {
    const server = await start(command(strategy, "--workers", "3"));
    const peers = await openMany(server, 6);
    await Promise.all(peers.map((peer) => expectEcho(peer, "hello")));
    const workers = childrenOf(server.pid);
    expect(workers).toHaveLength(strategy === "process-per-connection" ? 6 : 3);
    server.child.kill("SIGKILL");
    expect(await survivors(workers, 10_000)).toEqual([]);
  });

  it.each(strategies)("%s: end with SIGTERM, though their peers do not read", async (strategy) => {
    const server = await start(command(strategy, "--workers", "2"));
    const peers = await openMany(server, 8);
    await Promise.all(peers.map((peer) => expectEcho(peer, "hello")));
    const workers = childrenOf(server.pid);
    for (const peer of peers) peer.pause().write(Buffer.alloc(16 << 20));
    await delay(200);
    const { code, counters } = await server.stop("SIGTERM");
    expect(code).toBe(0);
    expect(counters).toMatchObject({ connectionsAccepted: 8, connectionsClosed: 8 });
    expect(await survivors(workers, 0)).toEqual([]);
  });

  it("process-per-connection: leaves no zombie", async () => {
    const server = await start(command("process-per-connection"));
    const steady = await open(server.port);
    for (let round = 0; round < 5; round++) {
      const peers = await openMany(server, 10);
      await Promise.all(peers.map((peer) => expectEcho(peer, "hello")));
      for (const peer of peers) peer.destroy();
    }
    await until(() => childrenOf(server.pid).length === 1);
    await expectEcho(steady, "still here");
    const { counters } = await server.stop("SIGTERM");
    expect(counters).toMatchObject({ connectionsAccepted: 51, connectionsClosed: 51 });
    expect(counters["bytesSent"]).toBe(50 * "hello".length + "still here".length);
  });

  it("process-per-connection: counts what a child did that was killed", async () => {
    const server = await start(command("process-per-connection"));
    const peer = await open(server.port);
    for (let i = 0; i < 20; i++) await expectEcho(peer, "0123456789");
    const [child = 0] = childrenOf(server.pid);
    process.kill(child, "SIGKILL");
    await until(() => childrenOf(server.pid).length === 0);
    const { counters } = await server.stop("SIGTERM");
    expect(counters).toMatchObject({ bytesReceived: 200, bytesSent: 200, connectionsClosed: 1 });
  });

  it.each(prefork)("%s: a worker that dies is replaced, and what it did counts", async (name) => {
    const server = await start(command(name, "--workers", "2"));
    const before = childrenOf(server.pid);
    const peers = await openMany(server, 20);
    await Promise.all(peers.map((peer) => expectEcho(peer, "before")));
    for (const worker of before) process.kill(worker, "SIGKILL");
    const isNew = (pid: number) => !before.includes(pid);
    await until(() => childrenOf(server.pid).filter(isNew).length === 2);
    const after = await openMany(server, 20);
    await Promise.all(after.map((peer) => expectEcho(peer, "after")));
    expect(server.stderr()).toContain(`worker ${before[0]} has died`);
    const { code, counters } = await server.stop("SIGTERM");
    expect(code).toBe(0);
    expect(counters).toMatchObject({
      connectionsAccepted: 40,
      connectionsClosed: 40,
      peakConnections: 20,
      bytesSent: 20 * "before".length + 20 * "after".length,
    });
  });

  it("prefork: fills every worker; those that wait get what comes free", async () => {
    const workers = 4;
    const descriptors = 40;
    const options = ["--workers", String(workers)];
    const server = await start(withDescriptors(descriptors, command("prefork", ...options)));
    const peers: Socket[] = [];
    for (let i = 0; i < 2 * workers * descriptors; i++) peers.push(await open(server.port));
    const served = new Set<Socket>();
    const echoes = peers.map(async (peer) => {
      await expectEcho(peer, "hello");
      served.add(peer);
    });
    for (const echo of echoes) echo.catch(() => undefined); // of those that are destroyed below
    const areFull = () =>
      childrenOf(server.pid).every((pid) => openDescriptors(pid, descriptors) === descriptors);
    await until(areFull);
    expect(served.size).toBeLessThan(peers.length);
    const first = [...served];
    for (const peer of first.slice(0, first.length / 2)) peer.destroy();
    await until(() => areFull() && served.size > first.length);
    for (let i = 0; i < 100 && served.size < peers.length; i++) {
      for (const peer of served) peer.destroy();
      await delay(50);
    }
    expect(served.size).toBe(peers.length);
    const { counters } = await server.stop("SIGTERM");
    expect(counters["connectionsAccepted"]).toBe(peers.length);
    expect(counters["waitCalls"]).toBeLessThan(20_000);
  });

  it("prefork: what a full worker is woken for, another one takes at once", async () => {
    // One at a time: a later connection must not wake a second worker by chance.
    const server = await start(withDescriptors(40, command("prefork", "--workers", "2")));
    for (let i = 0; i < 50; i++) await expectEcho(await open(server.port), `number ${i}`);
    const { counters } = await server.stop("SIGTERM");
    expect(counters).toMatchObject({ connectionsAccepted: 50, peakConnections: 50 });
  });

  it("takes connections to any loopback address only if it listens on all", async () => {
    const server = await start(command("prefork", "--host", "0.0.0.0"));
    await expectEcho(await open(server.port, "127.0.0.9"), "hello");
    const narrow = await start(command("prefork"));
    const refused = open(narrow.port, "127.0.0.9");
    await expect(refused).rejects.toThrow(/ECONNREFUSED/);
    expect((await server.stop("SIGTERM")).code).toBe(0);
    expect((await narrow.stop("SIGTERM")).code).toBe(0);
  });
});

/** Below the limit: what was inherited above it does not count. */
const openDescriptors = (pid: number, limit: number) =>
  readdirSync(`/proc/${pid}/fd`).filter((fd) => Number(fd) < limit).length;
