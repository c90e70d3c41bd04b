// Starts every server as a process, and opens peers for it; the tests of servers share this. The
// rows are those of the catalogue and, as data, native strategies beyond it.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { expect } from "vitest";
import { contenders } from "../bench/contenders/catalogue.ts";
import { peers } from "../bench/contenders/peers.ts";
import { exitUnavailable } from "../bench/model/events.ts";
import { type Paths, packagePaths } from "../bench/paths.ts";
import { killAll } from "./bench-processes.ts";

export interface ServerRow {
  readonly name: string;
  readonly command: readonly string[];
  /** What it counts: every call; waits only, as all else is done in them; bytes only. */
  readonly counts: "calls" | "waits" | "bytes";
  /** Whether waiting for nothing costs it nothing. */
  readonly sleeps: boolean;
  /** Whether one process holds every connection, so that its descriptor limit is the server's. */
  readonly holdsAll: boolean;
  /** Bytes that one read takes, for a server that does not use the common setting. */
  readonly readBufferBytes?: number;
}

const paths = packagePaths();

/** Of a server with several processes. */
const WORKERS = 2;

interface Command {
  readonly name: string;
  readonly command: (paths: Paths, workers: number) => readonly string[];
}

const beyondCatalogue: readonly Command[] = [
  "reactor-epoll-edge",
  "reactor-workers",
  "proactor-epoll",
  "io_uring",
  "process-per-connection",
  "prefork",
  "prefork-reuseport",
].map((strategy) => ({
  name: `cpp:${strategy}`,
  command: () => [paths.echoServer, "--strategy", strategy],
}));

const known = new Set(contenders.map(({ name }) => name));

const commands: readonly Command[] = [
  ...contenders,
  ...beyondCatalogue.filter(({ name }) => !known.has(name)),
];

const available = await Promise.all(commands.map(isAvailable));

export const serverRows: readonly ServerRow[] = commands
  .filter((_, i) => available[i])
  .map(({ name, command }) => ({
    name,
    command: command(paths, WORKERS),
    counts: name.startsWith("node:") ? "bytes" : completes(name) ? "waits" : "calls",
    sleeps: !name.endsWith(":busy-poll"),
    holdsAll: !/process-per-connection|prefork|cluster/.test(name),
  }));

/** The peers in other languages, compiled; and those that this machine lacks, with the reason. */
export function peerRows(): {
  readonly present: readonly ServerRow[];
  readonly absent: readonly { readonly name: string; readonly missing: string }[];
} {
  const all = peers.map(({ name, command, missing, prepare, settings }) => ({
    missing: missing?.(paths) ?? prepare?.(paths) ?? null,
    row: () => ({
      name,
      command: command(paths, 1),
      counts: "bytes" as const,
      sleeps: true,
      holdsAll: true,
      readBufferBytes: settings?.readBufferBytes ?? 0,
    }),
    name,
  }));
  return {
    present: all.flatMap(({ missing, row }) => (missing === null ? [row()] : [])),
    absent: all.flatMap(({ name, missing }) => (missing === null ? [] : [{ name, missing }])),
  };
}

/** Whether it works by completions of io_uring. */
function completes(name: string): boolean {
  return name === "cpp:io_uring" || name === "ts:connections-io_uring";
}

/** Without io_uring (seccomp, sysctl, Linux before 6.0) its servers exit with the reason. */
async function isAvailable({ name, command }: Command): Promise<boolean> {
  if (!completes(name)) return true;
  const [file = "", ...args] = command(paths, WORKERS);
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close");
  const said = text(child.stderr);
  await Promise.race([once(child.stdout, "data"), closed]);
  child.kill("SIGKILL");
  const [status] = await closed;
  if (status !== exitUnavailable) return true;
  console.warn(`${name} is not tested here: ${(await said).trim()}`);
  return false;
}

export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  /** What it has said on standard error so far. */
  stderr(): string;
  /** Its counters so far. */
  snapshot(): Promise<Record<string, number>>;
  /** Asks it to end. @returns its exit code and its counters. */
  stop(signal: NodeJS.Signals): Promise<{ code: number | null; counters: Record<string, number> }>;
  /** The result of `work`. If it fails, ends the server and adds how the server ended. */
  explained<T>(work: Promise<T>): Promise<T>;
}

const children = new Set<ChildProcess>();
const sockets = new Set<Socket>();

/** For afterEach(): nothing of a test outlives it. */
export async function endAll(): Promise<void> {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await killAll(children);
}

export async function start(command: readonly string[]): Promise<Started> {
  const [file = "", ...args] = command;
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  let said = "";
  child.stderr.on("data", (text) => {
    said += text;
  });
  const exited = once(child, "exit").finally(() => children.delete(child));
  const explained = <T>(work: Promise<T>): Promise<T> => {
    const ended = exited.then(([code, signal]): never => {
      throw new Error(`${command.join(" ")} ended with ${signal ?? `code ${code}`}: ${said}`);
    });
    ended.catch(() => undefined);
    return Promise.race([work, ended]).catch((cause) => {
      child.kill("SIGTERM");
      return ended.catch((how) => {
        throw new Error(`${cause.message}; ${how.message}`, { cause });
      });
    });
  };
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const readLine = async () => {
    const { value } = await lines.next();
    if (value === undefined) throw new Error(`${command.join(" ")} ended: ${said}`);
    return JSON.parse(value);
  };
  const ready = await readLine();
  expect(ready).toMatchObject({ event: "ready", port: expect.any(Number), pid: child.pid });
  const stop = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const counters = await readLine();
    const [code] = await exited;
    return { code, counters };
  };
  const snapshot = async () => {
    child.kill("SIGUSR2");
    const counters = await readLine();
    expect(counters.event).toBe("snapshot");
    return counters;
  };
  const stderr = () => said;
  return { child, pid: ready.pid, port: ready.port, stderr, snapshot, stop, explained };
}

/** The same command under a limit of open descriptors, soft and hard. */
export function withDescriptors(limit: number, command: readonly string[]): readonly string[] {
  return ["sh", "-c", `ulimit -n ${limit} && exec "$@"`, "sh", ...command];
}

export async function open(port: number, host = "127.0.0.1"): Promise<Socket> {
  // Its own end stays open when the server closes, so that a test says which came first.
  const socket = connect({ port, host, noDelay: true, allowHalfOpen: true });
  sockets.add(socket);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Reads exactly so many bytes. */
export async function read(socket: Socket, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let total = 0;
  while (total < length) {
    const part: Buffer | null = socket.read();
    if (part !== null) {
      parts.push(part);
      total += part.length;
      continue;
    }
    if (socket.readableEnded || socket.destroyed) throw new Error(`closed after ${total} bytes`);
    await nextEvent(socket);
  }
  return Buffer.concat(parts);
}

/** Until there is something to read, or nothing more will come. */
function nextEvent(socket: Socket): Promise<void> {
  const names = ["readable", "end", "close"];
  return new Promise((resolve) => {
    const done = () => {
      for (const name of names) socket.off(name, done);
      resolve();
    };
    for (const name of names) socket.on(name, done);
  });
}

export async function expectEcho(socket: Socket, text: string): Promise<void> {
  socket.write(text);
  expect((await read(socket, text.length)).toString()).toBe(text);
}
