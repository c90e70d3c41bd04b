// Runs of the load generator against servers in this process: its JSON lines, exit code and stderr.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { packagePaths } from "../bench/paths.ts";
import { killAll } from "./bench-processes.ts";

export interface Window {
  readonly [name: string]: number | null;
}

export interface Outcome {
  readonly code: number | null;
  readonly events: readonly string[];
  readonly windows: readonly (Window & { latency: string; latencyUncorrected: string })[];
  readonly result: Record<string, unknown> & { messages: number; totalMessages: number };
  readonly stderr: string;
}

/** What a server does with bytes; `state` is this connection's own. */
export type Answer = (socket: Socket, data: Buffer, state: { bytes: number }) => void;

const { loadGenerator } = packagePaths();
const children = new Set<ChildProcess>();
export const servers = new Set<Server>();

/** For afterEach(): nothing of a test outlives it. */
export async function endAll(): Promise<void> {
  for (const server of servers) server.close();
  servers.clear();
  await killAll(children);
}

/** What a run counted as wrong, by kind. */
export const faultsOf = ({ result }: Outcome) =>
  result["faults"] as Record<string, { count: number; first: string }>;

export function start(
  file: string,
  args: readonly (string | number)[],
  stdin: "ignore" | "pipe" = "ignore",
): ChildProcess {
  const child = spawn(file, args.map(String), { stdio: [stdin, "pipe", "pipe"] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

export async function finished(child: ChildProcess): Promise<[number | null, string, string]> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("started without pipes");
  const [[code], out, err] = await Promise.all([once(child, "close"), text(stdout), text(stderr)]);
  return [code, out, err];
}

export function outcome([code, out, stderr]: [number | null, string, string]): Outcome {
  const lines = out.split("\n").filter((line) => line !== "");
  const events = lines.map((line) => JSON.parse(line));
  return {
    code,
    events: events.map(({ event }) => event),
    windows: events.filter(({ event }) => event === "window"),
    result: events.find(({ event }) => event === "result"),
    stderr,
  };
}

/** Short runs: 3 windows of 40 ms, at 1,000 messages per second on 4 connections. */
const brief = {
  connections: 4,
  rate: 1000,
  "warmup-ms": 20,
  windows: 3,
  "window-ms": 40,
  "connect-timeout-ms": 10_000,
  "drain-timeout-ms": 1000,
};

export function startRun(
  port: number,
  options: Record<string, string | number> = {},
): ChildProcess {
  const all = { port, ...brief, ...options };
  const pairs = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  return start(loadGenerator, ["run", ...pairs]);
}

export async function run(
  port: number,
  options?: Record<string, string | number>,
): Promise<Outcome> {
  return outcome(await finished(startRun(port, options)));
}

/**
 * A run in which messages came back: on a busy machine, or behind what slow peers are filled with,
 * all of the short windows may be empty, so they are four times as long in each further attempt.
 */
export async function servedRun(
  port: number,
  options: Record<string, string | number> = {},
): Promise<Outcome> {
  const windowMs = Number(options["window-ms"] ?? brief["window-ms"]);
  let found = await run(port, options);
  for (let again = 1; again <= 3 && Number(found.result["messages"]) === 0; again++) {
    found = await run(port, { ...options, "window-ms": windowMs * 4 ** again });
  }
  return found;
}

export const echo: Answer = (socket, data) => socket.write(data);

export async function listen(answer: Answer): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    const state = { bytes: 0 };
    socket.on("error", () => socket.destroy());
    socket.on("data", (data) => {
      answer(socket, data, state);
      state.bytes += data.length;
    });
  });
  servers.add(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Answers with `bad` instead, once, when this many messages of 64 bytes have come in all. */
export function badOnce(messages: number, bad: Answer): Answer {
  let left = messages * 64;
  return (socket, data, state) => {
    const now = left > 0 && left <= data.length;
    left -= data.length;
    (now ? bad : echo)(socket, data, state);
  };
}
