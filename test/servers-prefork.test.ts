// The TypeScript servers of several processes: a worker that dies is replaced, and whatever ends
// the arbiter ends its workers.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { packagePaths } from "../bench/paths.ts";
import { childrenOf, killAll, killProcess, survivors } from "./bench-processes.ts";

const workers = 3;
const patienceMs = 20_000;
const started = new Set<ChildProcess>();

afterEach(() => killAll(started));

async function start(name: string): Promise<{ server: ChildProcess; port: number; pid: number }> {
  const server = spawn(
    process.execPath,
    [packagePaths().serve, name, "--workers", String(workers)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  started.add(server);
  const lines = createInterface({ input: server.stdout as NodeJS.ReadableStream });
  const [line] = (await once(lines, "line")) as [string];
  const ready = JSON.parse(line) as { port: number; pid: number };
  return { server, ...ready };
}

async function echoOnce(port: number, text: string): Promise<string> {
  const socket: Socket = connect(port, "127.0.0.1");
  try {
    socket.end(text);
    let back = "";
    for await (const bytes of socket) back += String(bytes);
    return back;
  } finally {
    socket.destroy();
  }
}

/** Until it holds or the patience is over: then the expectation after it says what was missing. */
async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; waited < patienceMs && !holds(); waited += 20) await delay(20);
}

describe.skipIf(process.platform !== "linux")("a server of several processes", () => {
  for (const name of ["ts:prefork", "node:cluster"]) {
    describe(name, () => {
      it("serves from its workers and sums up what they counted", async () => {
        const { server, port, pid } = await start(name);
        expect(childrenOf(pid)).toHaveLength(workers);
        for (let i = 0; i < 12; i++) expect(await echoOnce(port, `hello ${i}`)).toBe(`hello ${i}`);
        const lines = createInterface({ input: server.stdout as NodeJS.ReadableStream });
        const last = once(lines, "line") as Promise<[string]>;
        server.kill("SIGTERM");
        const counters = JSON.parse((await last)[0]) as Record<string, unknown>;
        expect(counters).toMatchObject({ event: "counters", connectionsAccepted: 12 });
        const [code] = (await once(server, "exit")) as [number];
        expect(code).toBe(0);
      });

      it("replaces a worker that was killed", async () => {
        const { port, pid } = await start(name);
        const before = childrenOf(pid);
        killProcess(before[0], "SIGKILL");
        await until(() => {
          const now = childrenOf(pid);
          return now.length === workers && !now.includes(before[0] ?? 0);
        });
        expect(childrenOf(pid)).toHaveLength(workers);
        expect(childrenOf(pid)).not.toContain(before[0]);
        // The new one is a child before it listens; the others serve all the while.
        expect(await echoOnce(port, "still here")).toBe("still here");
      });

      it("replaces all on the same port, and successors that were never ready", async () => {
        const { port, pid } = await start(name);
        const seen = new Set(childrenOf(pid));
        for (const worker of seen) process.kill(worker, "SIGKILL");
        // Each of their successors is killed as soon as there is one.
        for (let killed = 0; killed < workers; ) {
          await until(() => childrenOf(pid).some((child) => !seen.has(child)));
          const successors = childrenOf(pid).filter((child) => !seen.has(child));
          expect(successors).not.toEqual([]);
          for (const child of successors) {
            seen.add(child);
            process.kill(child, "SIGKILL");
            killed++;
          }
        }
        await until(() => childrenOf(pid).filter((child) => !seen.has(child)).length === workers);
        expect(childrenOf(pid).filter((child) => !seen.has(child))).toHaveLength(workers);
        const echoed = () => echoOnce(port, "back again").catch(() => "");
        let back = "";
        for (let waited = 0; waited < patienceMs && back === ""; waited += 20) {
          back = await echoed();
          if (back === "") await delay(20);
        }
        expect(back).toBe("back again");
      });

      it("ends at SIGTERM with a worker that is stopped", async () => {
        const { server, pid } = await start(name);
        const children = childrenOf(pid);
        killProcess(children[0], "SIGSTOP");
        server.kill("SIGTERM");
        expect(await once(server, "exit")).toEqual([0, null]);
        expect(await survivors(children, patienceMs)).toEqual([]);
      });

      it("leaves no worker behind where the arbiter is killed", async () => {
        const { server, pid } = await start(name);
        const children = childrenOf(pid);
        server.kill("SIGKILL");
        expect(children).toHaveLength(workers);
        expect(await survivors(children, patienceMs)).toEqual([]);
      });
    });
  }
});
