// An agent that is held up makes a run "limited by the clients"; a server that is held up never
// does. Both are held up in the same way: stopped for most of the time by signals.

import { afterEach, describe, expect, it } from "vitest";
import { FleetHost } from "../bench/agents/fleet-host.ts";
import { readText } from "../bench/host/kernel-files.ts";
import { childrenOf } from "../bench/host/usage.ts";
import type { Window } from "../bench/model/events.ts";
import { packagePaths } from "../bench/paths.ts";
import { brokenRules } from "../bench/run/window-gate.ts";

const paths = packagePaths();
const runs = Number(process.env["AGENTS_RUNS"] ?? 3);
let host: FleetHost | null = null;
let throttle: NodeJS.Timeout | undefined;

afterEach(async () => {
  clearInterval(throttle);
  await host?.close();
  host = null;
});

/** Stops a process for 30 ms of every 40. */
function holdUp(pid: number): void {
  let stopped = false;
  let turn = 0;
  throttle = setInterval(() => {
    const stops = turn++ % 4 !== 3;
    if (stops === stopped) return;
    stopped = stops;
    try {
      process.kill(pid, stops ? "SIGSTOP" : "SIGCONT");
    } catch {
      clearInterval(throttle);
    }
  }, 10);
}

interface Outcome {
  readonly limitedByClients: readonly number[];
  readonly windows: readonly Window[];
}

/** A short run over two agents, one of which is held up, or the server, or none. */
async function run(heldUp: "second agent" | "server" | "none"): Promise<Outcome> {
  const plan = { agents: ["local", "local"], server: "local", serverAddress: null };
  host = await FleetHost.open({ ...plan, sshConfig: null }, { paths });
  let announce: (line: string) => void = () => {};
  const ready = new Promise<string>((resolve) => {
    announce = resolve;
  });
  host.start([paths.echoServer, "--strategy", "reactor-epoll"], { onLine: announce });
  const { port, pid } = JSON.parse(await ready) as { readonly port: number; readonly pid: number };
  const windows: Window[] = [];
  let hear: () => void = () => {};
  const args = ["--port", port, "--server-pid", pid, "--connections", 20, "--rate", 400];
  const load = host.start([paths.loadGenerator, "hold", ...args.map(String)], {
    input: true,
    onLine: (line) => {
      const event = JSON.parse(line) as Window;
      if (event.event === "window") windows.push(event);
      hear();
    },
  });
  const line = () =>
    new Promise<void>((resolve) => {
      hear = resolve;
      void load.exited.then(() => resolve());
    });
  await line();
  const second = host.machines[1]?.agent.hello.pid ?? 0;
  const [generator = 0] = childrenOf(second, String(second), readText);
  if (heldUp !== "none") holdUp(heldUp === "server" ? pid : generator);
  for (let i = 0; i < 5; i++) {
    load.send("window ms=120 settle-ms=5 drain-ms=300");
    await line();
  }
  clearInterval(throttle);
  const { limitedByClients } = host.facts;
  await host.close();
  return { limitedByClients, windows };
}

describe.runIf(process.platform === "linux")("limited by the clients", () => {
  it("is a run with an agent that is held up", async () => {
    for (let i = 0; i < runs; i++) {
      const { limitedByClients, windows } = await run("second agent");
      expect(limitedByClients).toContain(2);
      const judging = { rules: [], singleThreaded: true };
      const rules = windows.flatMap((window) => brokenRules(window, judging));
      // None at all: it came too late for the start of each.
      if (windows.length > 0) expect(rules).toContain("clients-full");
    }
  });

  it("is no run with a server that is held up", async () => {
    // Other programs may hold up the agents as well: then they are disturbed, and not full.
    for (let i = 0; i < runs; i++) {
      const { limitedByClients, windows } = await run("server");
      expect(windows.length).toBeGreaterThan(0);
      expect(limitedByClients).toEqual([]);
    }
  });
});
