// The contenders: servers under test, one row each. Pure data; the command is the only thing that
// is worked out. A new contender is one server file and one row.

import { join } from "node:path";
import type { Kind } from "../model/runtimes.ts";
import type { Paths } from "../paths.ts";
import { blocking, nodeSettings, type ServerSettings, withoutWaits } from "./settings.ts";

/**
 * What serves a connection: a thread of its own, a process of its own, one thread for all, or one
 * of a few processes.
 */
export type Concurrency = "thread" | "process" | "single" | "prefork";

/** A workload that a contender does not take part in, and why. */
export interface Exclusion {
  readonly workloads: readonly string[];
  /** Only from so many connections on; default: always. */
  readonly fromConnections?: number;
  readonly reason: string;
}

export interface Contender extends Kind {
  /** `runtime:strategy`, unique. */
  readonly name: string;
  /**
   * The argument vector; it prints one ready line and ends on SIGTERM with one line of counters.
   * `workers` is how many processes a server of several is to have.
   */
  readonly command: (paths: Paths, workers: number) => readonly string[];
  readonly concurrency: Concurrency;
  readonly platforms: readonly NodeJS.Platform[];
  /** Whether it uses its CPU while nothing happens. */
  readonly burnsWhileIdle?: boolean;
  /** How it waits, in one phrase. */
  readonly summary: string;
  /** What it does otherwise than `commonSettings`; the report prints it. */
  readonly settings?: Partial<ServerSettings>;
  readonly unsupported?: readonly Exclusion[];
  /** What of it an installed package lacks, and what to do about that; null if all is there. */
  readonly missing?: (paths: Paths) => string | null;
  /** The version of what it is written in or on; null if that is missing. */
  readonly version?: () => string | null;
  /** Whether `prepare` has work to do, such as a compilation. */
  readonly unprepared?: (paths: Paths) => boolean;
  /** Makes the program, once. @returns why that failed, or null. */
  readonly prepare?: (paths: Paths) => string | null;
  /** Arguments of the load generator: the protocol that it speaks; default: echo. */
  readonly spoken?: readonly string[];
  /** How long it may take until it is ready, in milliseconds; default: 15,000. */
  readonly readyWithinMs?: number;
}

/** The contender that every block includes and every ratio is to. */
export const reference = "cpp:reactor-epoll";

/** Where everything runs that asks nothing special of the kernel. */
export const unix: readonly NodeJS.Platform[] = ["linux", "darwin", "freebsd", "openbsd"];

const native = (strategy: string) => (paths: Paths) => [paths.echoServer, "--strategy", strategy];
const preforked = (strategy: string) => (paths: Paths, workers: number) => [
  ...native(strategy)(paths),
  "--workers",
  String(workers),
];
const script = (name: string) => (paths: Paths) => [paths.node, paths.serve, name];
const preforkedScript = (name: string) => (paths: Paths, workers: number) => [
  ...script(name)(paths),
  "--workers",
  String(workers),
];

export const contenders: readonly Contender[] = [
  {
    name: "cpp:process-per-connection",
    runtime: "cpp",
    strategy: "process-per-connection",
    command: native("process-per-connection"),
    concurrency: "process",
    platforms: unix,
    summary: "a process for each connection, forked when it is accepted",
    settings: blocking,
  },
  {
    name: "cpp:thread-per-connection",
    runtime: "cpp",
    strategy: "thread-per-connection",
    command: native("thread-per-connection"),
    concurrency: "thread",
    platforms: unix,
    summary: "a thread for each connection blocks in recv",
    settings: blocking,
  },
  {
    name: "cpp:busy-poll",
    burnsWhileIdle: true,
    runtime: "cpp",
    strategy: "busy-poll",
    command: native("busy-poll"),
    concurrency: "single",
    platforms: unix,
    summary: "receives from every connection in turn and never waits",
    settings: withoutWaits,
  },
  {
    name: "cpp:select",
    runtime: "cpp",
    strategy: "select",
    command: native("select"),
    concurrency: "single",
    platforms: unix,
    summary: "select(2) over a heap-sized fd_set",
  },
  {
    name: "cpp:poll",
    runtime: "cpp",
    strategy: "poll",
    command: native("poll"),
    concurrency: "single",
    platforms: unix,
    summary: "poll(2) over every connection",
  },
  {
    name: "cpp:reactor-epoll",
    runtime: "cpp",
    strategy: "reactor-epoll",
    command: native("reactor-epoll"),
    concurrency: "single",
    platforms: ["linux"],
    summary: "a reactor over epoll_wait(2), level-triggered",
  },
  {
    name: "cpp:reactor-epoll-edge",
    runtime: "cpp",
    strategy: "reactor-epoll-edge",
    command: native("reactor-epoll-edge"),
    concurrency: "single",
    platforms: ["linux"],
    summary: "a reactor over epoll_wait(2), edge-triggered",
  },
  {
    name: "cpp:proactor-epoll",
    runtime: "cpp",
    strategy: "proactor-epoll",
    command: native("proactor-epoll"),
    concurrency: "single",
    platforms: ["linux"],
    summary: "the library's engine of connections over epoll_wait(2)",
  },
  {
    name: "cpp:io_uring",
    runtime: "cpp",
    strategy: "io_uring",
    command: native("io_uring"),
    concurrency: "single",
    platforms: ["linux"],
    summary: "the same engine over completions: multishot accept and recv, provided buffers",
    settings: { acceptsPerWake: "all that are complete", eventsPerWait: "all that are complete" },
  },
  {
    name: "cpp:prefork",
    runtime: "cpp",
    strategy: "prefork",
    command: preforked("prefork"),
    concurrency: "prefork",
    platforms: ["linux"],
    summary: "several processes, each an epoll reactor, with one common listener",
    // More at once would leave the other processes at that listener without connections.
    settings: { acceptsPerWake: 8 },
  },
  {
    name: "cpp:prefork-reuseport",
    runtime: "cpp",
    strategy: "prefork-reuseport",
    command: preforked("prefork-reuseport"),
    concurrency: "prefork",
    platforms: ["linux"],
    summary: "several processes, each an epoll reactor with its own listener",
  },
  {
    name: "ts:busy-poll",
    burnsWhileIdle: true,
    runtime: "ts",
    strategy: "busy-poll",
    command: script("ts:busy-poll"),
    concurrency: "single",
    platforms: unix,
    summary: "receives from every connection in turn, in TypeScript",
    settings: withoutWaits,
  },
  {
    name: "ts:select",
    runtime: "ts",
    strategy: "select",
    command: script("ts:select"),
    concurrency: "single",
    platforms: unix,
    summary: "the library's Selector over select(2)",
  },
  {
    name: "ts:poll",
    runtime: "ts",
    strategy: "poll",
    command: script("ts:poll"),
    concurrency: "single",
    platforms: unix,
    summary: "the library's Selector over poll(2)",
  },
  {
    name: "ts:reactor-epoll",
    runtime: "ts",
    strategy: "reactor-epoll",
    command: script("ts:reactor-epoll"),
    concurrency: "single",
    platforms: ["linux"],
    summary: "the library's Reactor over epoll_wait(2)",
  },
  {
    name: "ts:reactor-io_uring",
    runtime: "ts",
    strategy: "reactor-io_uring",
    command: script("ts:reactor-io_uring"),
    concurrency: "single",
    platforms: ["linux"],
    summary: "the library's Reactor over io_uring's poll operations",
  },
  {
    name: "ts:connections-epoll",
    runtime: "ts",
    strategy: "connections-epoll",
    command: script("ts:connections-epoll"),
    concurrency: "single",
    platforms: ["linux"],
    summary: "the library's serve(): handlers, one call into JavaScript per turn",
  },
  {
    name: "ts:connections-io_uring",
    runtime: "ts",
    strategy: "connections-io_uring",
    command: script("ts:connections-io_uring"),
    concurrency: "single",
    platforms: ["linux"],
    summary: "the same serve() over completions of io_uring",
    settings: { acceptsPerWake: "all that are complete", eventsPerWait: "all that are complete" },
  },
  {
    name: "ts:prefork",
    runtime: "ts",
    strategy: "prefork",
    command: preforkedScript("ts:prefork"),
    concurrency: "prefork",
    platforms: ["linux"],
    summary: "several processes, each a Reactor over epoll with its own listener",
  },
  {
    name: "node:net",
    runtime: "node",
    strategy: "net",
    command: script("node:net"),
    concurrency: "single",
    platforms: unix,
    summary: "Node's own net module, the usual choice",
    settings: nodeSettings,
  },
  {
    name: "node:cluster",
    runtime: "node",
    strategy: "cluster",
    command: preforkedScript("node:cluster"),
    concurrency: "prefork",
    platforms: unix,
    summary: "several processes with net servers; the parent distributes connections",
    settings: nodeSettings,
  },
];

const selector = (backend: string, platforms: readonly NodeJS.Platform[]): Contender => ({
  name: `selector:${backend}`,
  runtime: "ts",
  strategy: backend,
  command: ({ node, root }) => [
    node,
    join(root, "dist", "bench", "contenders", "selector-turns.js"),
    backend,
  ],
  concurrency: "single",
  platforms,
  summary: `the library's Selector over ${backend}, without a server`,
});

/** The contenders of the readiness workload, which has no servers. */
export const selectors: readonly Contender[] = [
  selector("select", unix),
  selector("poll", unix),
  selector("epoll", ["linux"]),
  selector(
    "kqueue",
    unix.filter((platform) => platform !== "linux"),
  ),
  selector("io_uring", ["linux"]),
];
