// The contenders: servers under test, one row each. Pure data; the command is the only thing that
// is worked out. A new contender is one server file and one row. Leaves: to bench/plan.ts, which
// picks; bench/measure, which runs.

import type { Paths } from "../paths.ts";

/**
 * What runs the server: ours in C++, TypeScript on our addon, or Node's own API. The latter two
 * include a JS engine.
 */
export type Runtime = "cpp" | "ts" | "node";

/** What serves a connection: a thread of its own, a process of its own, or one thread for all. */
export type Concurrency = "thread" | "process" | "single";

export interface Contender {
  /** `runtime:strategy`, unique. */
  readonly name: string;
  readonly runtime: Runtime;
  readonly strategy: string;
  /**
   * The argument vector; it prints one ready line and ends on SIGTERM with one line of counters.
   */
  readonly command: (paths: Paths) => readonly string[];
  readonly concurrency: Concurrency;
  readonly platforms: readonly NodeJS.Platform[];
  /** How it waits, in one phrase. */
  readonly summary: string;
}

/** The contender that every block includes and every ratio is to. */
export const reference = "cpp:reactor-epoll";

const unix: readonly NodeJS.Platform[] = ["linux", "darwin", "freebsd", "openbsd"];

const native = (strategy: string) => (paths: Paths) => [paths.echoServer, "--strategy", strategy];
const script = (name: string) => (paths: Paths) => [paths.node, paths.serve, name];

export const contenders: readonly Contender[] = [
  {
    name: "cpp:thread-per-connection",
    runtime: "cpp",
    strategy: "thread-per-connection",
    command: native("thread-per-connection"),
    concurrency: "thread",
    platforms: unix,
    summary: "a thread for each connection blocks in recv",
  },
  {
    name: "cpp:busy-poll",
    runtime: "cpp",
    strategy: "busy-poll",
    command: native("busy-poll"),
    concurrency: "single",
    platforms: unix,
    summary: "asks every connection in turn and never waits",
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
    name: "ts:busy-poll",
    runtime: "ts",
    strategy: "busy-poll",
    command: script("ts:busy-poll"),
    concurrency: "single",
    platforms: unix,
    summary: "asks every connection in turn, from TypeScript",
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
    name: "node:net",
    runtime: "node",
    strategy: "net",
    command: script("node:net"),
    concurrency: "single",
    platforms: unix,
    summary: "Node's own net module: what people use today",
  },
];
