// A load of several machines for a test: a server, a load generator on every agent, and windows
// that are asked for one after another.

import type { FleetHost } from "../bench/agents/fleet-host.ts";
import { packagePaths } from "../bench/paths.ts";

export type FleetLine = Readonly<Record<string, unknown>>;

/** @param args of the load generator, without the server's */
export async function beginLoad(host: FleetHost, args: readonly (string | number)[]) {
  const paths = packagePaths();
  let announce: (line: string) => void = () => {};
  const ready = new Promise<string>((resolve) => {
    announce = resolve;
  });
  const server = host.start([paths.echoServer, "--strategy", "reactor-epoll"], {
    onLine: announce,
  });
  const { port, pid } = JSON.parse(await ready) as { port: number; pid: number };
  const lines: FleetLine[] = [];
  let heard: () => void = () => {};
  const own = ["--port", port, "--server-pid", pid, ...args].map(String);
  const child = host.start([paths.loadGenerator, "hold", ...own], {
    input: true,
    onLine: (line) => {
      lines.push(JSON.parse(line));
      heard();
    },
  });
  const next = () =>
    new Promise<void>((resolve) => {
      heard = resolve;
      void child.exited.then(() => resolve());
    });
  await next();
  return {
    /** All lines until now. */
    lines,
    pid,
    server,
    /** Resolves with the next line, or the end of the load. */
    window: async (words = "ms=100 settle-ms=5 drain-ms=500") => {
      const line = next();
      child.send(`window ${words}`);
      await line;
    },
    end: async () => {
      child.send("end");
      return await child.exited;
    },
    exited: child.exited,
  };
}

/** Windows of a load at a fixed rate. @returns all lines of the load generators. */
export async function measureWindows(host: FleetHost, windows: number): Promise<FleetLine[]> {
  const load = await beginLoad(host, ["--connections", 20, "--rate", 1000]);
  for (let i = 0; i < windows; i++) await load.window();
  await load.end();
  return load.lines;
}
