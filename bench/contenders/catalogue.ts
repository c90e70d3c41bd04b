// The contenders: servers under test, one row each. Pure data, except that commands are computed. A
// new contender is one server file and one row.

import { join } from "node:path";
import type { Kind, Runtime } from "../model/runtimes.ts";
import type { Paths } from "../paths.ts";
import { blocking, nodeSettings, type ServerSettings, withoutWaits } from "./settings.ts";

/** What serves a connection: a thread or process of its own, the only one, or one of a few. */
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
  /** The argument vector; prints a ready line, and counters at its end. `workers`: processes. */
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
  /** Whether it runs already, and goes on afterwards: it keeps the CPUs that it has. */
  readonly attached?: boolean;
  /** How long it may take until it is ready, in milliseconds; default: 15,000. */
  readonly readyWithinMs?: number;
}

/** The contender that every block includes and every ratio is to. */
export const reference = "cpp:reactor-epoll";

/** Where everything runs that asks nothing special of the kernel. */
export const unix: readonly NodeJS.Platform[] = ["linux", "darwin", "freebsd", "openbsd"];

/** By default one thread serves all connections, on Linux. */
type FurtherFields = Partial<Omit<Contender, keyof Kind | "name" | "summary">>;

/** The row of a server of this suite. */
export function server(
  runtime: Runtime,
  strategy: string,
  summary: string,
  further: FurtherFields = {},
): Contender {
  const name = `${runtime}:${strategy}`;
  const several = further.concurrency === "prefork";
  const command = (paths: Paths, workers: number) => [
    ...(runtime === "cpp"
      ? [paths.echoServer, "--strategy", strategy]
      : [paths.node, paths.serve, name]),
    ...(several ? ["--workers", String(workers)] : []),
  ];
  const usual = { command, concurrency: "single", platforms: ["linux"] } as const;
  return { name, runtime, strategy, ...usual, summary, ...further };
}

const prefork = { concurrency: "prefork" } as const;
/** A wait of io_uring returns as many completions as there are. */
const completions = {
  acceptsPerWake: "all that are complete",
  eventsPerWait: "all that are complete",
};

export const contenders: readonly Contender[] = [
  server(
    "cpp",
    "process-per-connection",
    "a process for each connection, forked when it is accepted",
    { concurrency: "process", platforms: unix, settings: blocking },
  ),
  server("cpp", "thread-per-connection", "a thread for each connection blocks in recv", {
    ...{ concurrency: "thread", platforms: unix, settings: blocking },
  }),
  server("cpp", "busy-poll", "receives from every connection in turn and never waits", {
    ...{ burnsWhileIdle: true, platforms: unix, settings: withoutWaits },
  }),
  server("cpp", "select", "select(2) over a heap-sized fd_set", { platforms: unix }),
  server("cpp", "poll", "poll(2) over every connection", { platforms: unix }),
  server("cpp", "reactor-epoll", "a reactor over epoll_wait(2), level-triggered"),
  server("cpp", "reactor-epoll-edge", "a reactor over epoll_wait(2), edge-triggered"),
  server("cpp", "proactor-epoll", "the library's engine of connections over epoll_wait(2)"),
  server(
    "cpp",
    "io_uring",
    "the same engine over completions: multishot accept and recv, provided buffers",
    { settings: completions },
  ),
  server("cpp", "prefork", "several processes, each an epoll reactor, with one common listener", {
    ...prefork,
    // More at once would leave the other processes at that listener without connections.
    settings: { acceptsPerWake: 8 },
  }),
  server(
    "cpp",
    "prefork-reuseport",
    "several processes, each an epoll reactor with its own listener",
    prefork,
  ),
  server("ts", "busy-poll", "receives from every connection in turn, in TypeScript", {
    ...{ burnsWhileIdle: true, platforms: unix, settings: withoutWaits },
  }),
  server("ts", "select", "the library's Selector over select(2)", { platforms: unix }),
  server("ts", "poll", "the library's Selector over poll(2)", { platforms: unix }),
  server("ts", "reactor-epoll", "the library's Reactor over epoll_wait(2)"),
  server("ts", "reactor-io_uring", "the library's Reactor over io_uring's poll operations"),
  server(
    "ts",
    "connections-epoll",
    "the library's serve(): handlers, one call into JavaScript per turn",
  ),
  server("ts", "connections-io_uring", "the same serve() over completions of io_uring", {
    settings: completions,
  }),
  server(
    "ts",
    "prefork",
    "several processes, each a Reactor over epoll with its own listener",
    prefork,
  ),
  server("node", "net", "Node's own net module, the usual choice", {
    ...{ platforms: unix, settings: nodeSettings },
  }),
  server(
    "node",
    "cluster",
    "several processes with net servers; the parent distributes connections",
    { ...prefork, platforms: unix, settings: nodeSettings },
  ),
];

const selector = (backend: string, platforms: readonly NodeJS.Platform[]): Contender => ({
  ...server("ts", backend, `the library's Selector over ${backend}, without a server`, {
    platforms,
    command: ({ node, root }) => [
      node,
      join(root, "dist", "bench", "contenders", "selector-turns.js"),
      backend,
    ],
  }),
  name: `selector:${backend}`,
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
