// What a server says that it called is what strace(1) saw, so that system calls per message need no
// tracing.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { countedCalls } from "../bench/model/call-counts.ts";
import { childrenOf } from "./bench-processes.ts";
import { endAll, expectEcho, open, type ServerRow, serverRows, start } from "./server-processes.ts";

const hasStrace = spawnSync("strace", ["-V"]).status === 0;

const connections = 4;
const messages = 600;

/** One process, one thread: only there the two counts begin and end together. */
const traced = serverRows.filter(
  ({ name, sleeps, counts }) =>
    name.startsWith("cpp:") && sleeps && counts !== "bytes" && !/thread|process|prefork/.test(name),
);

afterEach(endAll);

/** With threads and processes, too: what two snapshots differ by lies between their lines. */
const compared = serverRows.filter(({ name, sleeps }) => name.startsWith("cpp:") && sleeps);
const betweenTitle = "counts between two snapshots as strace does, within 1 %, at 100 connections";

describe.each(compared.map((row) => [row.name, row] as const))("%s", (_, row) => {
  const skipped = hasStrace ? "" : " (skipped: no strace here)";
  it.skipIf(!hasStrace)(betweenTitle + skipped, () =>
    inFolder((file) => checkBetween(row, file, 100)),
  );
});

describe.each(serverRows.map((row) => [row.name, row] as const))("%s", (name, row) => {
  it.skipIf(/ts:prefork|node:cluster/.test(name))("counts the messages between", async () => {
    const server = await start(row.command);
    const peers = await Promise.all(Array.from({ length: 3 }, () => open(server.port)));
    const echo = () => Promise.all(peers.map((peer) => expectEcho(peer, "a message")));
    const bytes = 3 * "a message".length;
    /** Of a process or a thread of its own the counters may come after the echo. */
    const countersOf = async (echoes: number) => {
      let counters = await server.snapshot();
      const behind = () =>
        (counters["bytesReceived"] ?? 0) < echoes * bytes ||
        (counters["connectionsAccepted"] ?? 0) < peers.length;
      for (let look = 0; look < 100 && behind(); look++) counters = await server.snapshot();
      return counters;
    };
    await echo();
    const before = await countersOf(1);
    await echo();
    let after = await countersOf(2);
    const difference = (field: string) => (after[field] ?? 0) - (before[field] ?? 0);
    expect(difference("bytesReceived")).toBe(bytes);
    expect(difference("connectionsAccepted")).toBe(0);
    // A thread counts its next receive when it begins it, perhaps after the first look.
    const receives = () => row.counts !== "calls" || difference("recvCalls") >= 3;
    for (let look = 0; look < 100 && !receives(); look++) after = await server.snapshot();
    expect(receives()).toBe(true);
    expect((await server.stop("SIGTERM")).code).toBe(0);
  });
});

/**
 * -D: strace is the child, so that the server keeps the id and gets our signals. One -q: no word of
 * attached threads, but of how each ended.
 */
const strace = (file: string) => ["strace", "-D", "-f", "-q", "-o", file];

async function checkBetween(row: ServerRow, file: string, count: number): Promise<void> {
  const server = await start([...strace(file), ...row.command]);
  const peers = await Promise.all(Array.from({ length: count }, () => open(server.port)));
  const echo = () => Promise.all(peers.map((peer) => expectEcho(peer, "a message")));
  await echo(); // every connection has been accepted
  await asleep(server.pid);
  const before = await server.snapshot();
  for (let i = 0; i < messages / count; i++) await echo();
  await asleep(server.pid);
  const after = await server.snapshot();
  expect((await server.stop("SIGTERM")).code).toBe(0);
  const calls = await callsIn(file, { pid: server.pid, event: "snapshot" });
  let all = 0;
  for (const [name, stands] of Object.entries(countedCalls)) {
    const ours = (after[name] ?? 0) - (before[name] ?? 0);
    const seen = stands.reduce((total, call) => total + (calls.get(call) ?? 0), 0);
    all += seen;
    // A wait or two that the signals end, and those that are under way.
    expect(Math.abs(ours - seen), name).toBeLessThanOrEqual(Math.max(4, 0.01 * seen));
  }
  expect(all).toBeGreaterThan(messages / count);
  expect((after["bytesReceived"] ?? 0) - (before["bytesReceived"] ?? 0)).toBe(
    Math.ceil(messages / count) * count * "a message".length,
  );
}

/**
 * Until each thread of the server and of its children waits in the kernel again: one that has yet
 * to begin its next call would be counted on the wrong side of a snapshot. proc_pid_stat(5)
 */
async function asleep(pid: number): Promise<void> {
  const stateOf = (process: number, thread: string) =>
    readFileSync(`/proc/${process}/task/${thread}/stat`, "latin1").replace(/^.*\) /s, "")[0];
  const states = () =>
    [pid, ...childrenOf(pid)].flatMap((process) =>
      readdirSync(`/proc/${process}/task`).map((thread) => stateOf(process, thread)),
    );
  await vi.waitFor(() => expect(new Set(states())).toEqual(new Set(["S"])), {
    ...{ timeout: 60_000, interval: 20 },
  });
}

async function inFolder(work: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "calls-"));
  try {
    await work(join(folder, "trace"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const title = "counts as strace does, within 1 %";

describe.each(traced.map((row) => [row.name, row] as const))("%s", (_, row) => {
  it.skipIf(!hasStrace)(hasStrace ? title : `${title} (skipped: no strace here)`, () =>
    inFolder((file) => check(row, file)),
  );
});

async function check(row: ServerRow, file: string): Promise<void> {
  const server = await start([...strace(file), ...row.command]);
  const peers = await Promise.all(Array.from({ length: connections }, () => open(server.port)));
  for (let i = 0; i < messages / connections; i++) {
    await Promise.all(peers.map((peer) => expectEcho(peer, "a message")));
  }
  const { code, counters } = await server.stop("SIGTERM");
  expect(code).toBe(0);
  const calls = await callsIn(file, { pid: server.pid, event: "ready" });
  const sum = (names: readonly string[]) =>
    names.reduce((total, name) => total + (calls.get(name) ?? 0), 0);
  let ours = 0;
  for (const [name, stands] of Object.entries(countedCalls)) {
    const count = counters[name] ?? 0;
    ours += count;
    // A signal ends a wait that is begun again.
    expect(Math.abs(count - sum(stands)), name).toBeLessThanOrEqual(2);
  }
  // Nothing else is called for a message, save to set up and close the server and its connections.
  const everything = sum([...calls.keys()]) - (calls.get("before") ?? 0);
  const besides = 16 * connections + 40;
  expect(everything - besides).toBeLessThanOrEqual(ours * 1.01);
  expect(everything).toBeGreaterThanOrEqual(ours * 0.99);
  expect(ours).toBeGreaterThan(messages / 2 / connections);
}

/**
 * Calls by name from one line of that event, written to standard output, to the next if there is
 * one; all others go under "before". The tracer ends a moment after the server: its file is
 * complete with the line that says how the server's first process ended.
 */
async function callsIn(
  file: string,
  { pid, event }: { readonly pid: number; readonly event: string },
): Promise<Map<string, number>> {
  const text = await vi.waitFor(() => traceOf(file, pid), { timeout: 60_000, interval: 10 });
  const calls = new Map<string, number>();
  let between = false;
  for (const [, name = "", rest = ""] of text.matchAll(/^\d+ +(\w+)\((.*)$/gm)) {
    const key = between ? name : "before";
    calls.set(key, (calls.get(key) ?? 0) + 1);
    if (name === "write" && rest.includes(event)) between = !between;
  }
  return calls;
}

/** @throws {Error} if the trace does not say yet how the process ended. */
function traceOf(file: string, pid: number): string {
  const text = readFileSync(file, "utf8");
  const ended = new RegExp(`^${pid} +\\+\\+\\+ exited with`, "m");
  if (!ended.test(text)) throw new Error(`the trace does not have the end of process ${pid}`);
  return text;
}
