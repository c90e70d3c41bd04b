// What a server says that it called is what strace(1) saw, so that system calls a message need no
// tracing. Enters: traffic on connections that stay open. Leaves: two counts.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { endAll, expectEcho, open, type ServerRow, serverRows, start } from "./server-processes.ts";

const hasStrace = spawnSync("strace", ["-V"]).status === 0;

/** What the counters stand for. */
const waits = ["select", "pselect6", "poll", "ppoll", "epoll_wait", "epoll_pwait", "epoll_pwait2"];
const counted: Readonly<Record<string, readonly string[]>> = {
  waitCalls: [...waits, "io_uring_enter"],
  recvCalls: ["recvfrom", "recv"],
  sendCalls: ["sendto", "send"],
  acceptCalls: ["accept", "accept4"],
};
const connections = 4;
const messages = 1500;

/** One process, one thread: only there the two counts begin and end together. */
const traced = serverRows.filter(
  ({ name, sleeps, counts }) =>
    name.startsWith("cpp:") && sleeps && counts !== "bytes" && !/thread|process|prefork/.test(name),
);

afterEach(endAll);

const title = "counts as strace does, within 1 %";

describe.each(traced.map((row) => [row.name, row] as const))("%s", (_, row) => {
  it.skipIf(!hasStrace)(hasStrace ? title : `${title} (skipped: no strace here)`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "calls-"));
    try {
      await check(row, join(folder, "trace"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

async function check(row: ServerRow, file: string): Promise<void> {
  // -D: strace is the child, so that the server keeps the id and gets our signals.
  const server = await start(["strace", "-D", "-f", "-qq", "-o", file, ...row.command]);
  const peers = await Promise.all(Array.from({ length: connections }, () => open(server.port)));
  for (let i = 0; i < messages / connections; i++) {
    await Promise.all(peers.map((peer) => expectEcho(peer, "a message")));
  }
  const { code, counters } = await server.stop("SIGTERM");
  expect(code).toBe(0);
  const calls = await callsIn(file);
  const sum = (names: readonly string[]) =>
    names.reduce((total, name) => total + (calls.get(name) ?? 0), 0);
  let ours = 0;
  for (const [name, stands] of Object.entries(counted)) {
    const count = counters[name] ?? 0;
    ours += count;
    // A signal ends a wait that is begun anew.
    expect(Math.abs(count - sum(stands)), name).toBeLessThanOrEqual(2);
  }
  // Nothing else is called for a message, save to set up and close the server and its connections.
  const everything = sum([...calls.keys()]) - (calls.get("before") ?? 0);
  const besides = 16 * connections + 40;
  expect(everything - besides).toBeLessThanOrEqual(ours * 1.01);
  expect(everything).toBeGreaterThanOrEqual(ours * 0.99);
  expect(ours).toBeGreaterThan(messages / 2 / connections);
}

/** Calls by name; all until the ready line is written go under "before". The tracer ends a moment
 * after the server: its file is complete with the line that says how that ended. */
async function callsIn(file: string): Promise<Map<string, number>> {
  let text = readFileSync(file, "utf8");
  for (let i = 0; i < 200 && !/\+\+\+ exited with/.test(text); i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    text = readFileSync(file, "utf8");
  }
  const calls = new Map<string, number>();
  let ready = false;
  for (const [, name = "", rest = ""] of text.matchAll(/^\d+ +(\w+)\((.*)$/gm)) {
    const key = ready ? name : "before";
    calls.set(key, (calls.get(key) ?? 0) + 1);
    if (name === "write" && rest.includes("ready")) ready = true;
  }
  return calls;
}
