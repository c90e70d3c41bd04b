// Why each contender costs what it costs: how its strategy finds out what is ready, as a code, with
// the figures that a cell measured. The sentences are in cause-words.ts.

import type { Cell } from "../model/results.ts";
import { isSaturated } from "./cautions.ts";
import { figure, type Group } from "./groups.ts";

/** How a server finds the connections that have something to read. */
export type Waiting =
  /** Hands every descriptor to the kernel on each call, which looks at all of them. */
  | "scans"
  /** Tries to read from every connection in turn. */
  | "asks"
  /** Blocks one thread or process per connection. */
  | "blocks"
  /** Is told which descriptors are ready. */
  | "told"
  /** Queues reads and writes, and is told which are complete. */
  | "completes"
  /** Leaves it to Node's streams. */
  | "streams"
  /** Leaves it to a library or a runtime, which calls its code. */
  | "calls-back"
  /** A server that is not of this suite. */
  | "unknown";

interface StrategyRow {
  readonly waiting: Waiting;
  /** What it is, as one phrase. */
  readonly what: string;
  /** The call or the library that waits; the call that is made per connection. */
  readonly call: string;
}

const epoll = { waiting: "told", call: "epoll_wait" } as const;
const libuv = { waiting: "streams", call: "epoll_wait" } as const;
const peer = (call: string) => ({ waiting: "calls-back", call }) as const;

const strategies: Readonly<Record<string, StrategyRow>> = {
  "thread-per-connection": { waiting: "blocks", what: "one thread per connection", call: "recv" },
  "process-per-connection": { waiting: "blocks", what: "one process per connection", call: "recv" },
  "busy-poll": { waiting: "asks", what: "one loop that reads without waiting", call: "recv" },
  select: { waiting: "scans", what: "one loop over select", call: "select" },
  poll: { waiting: "scans", what: "one loop over poll", call: "poll" },
  "reactor-epoll": { ...epoll, what: "a reactor over epoll, level-triggered" },
  "reactor-epoll-edge": { ...epoll, what: "a reactor over epoll, edge-triggered" },
  "reactor-workers": { ...epoll, what: "a reactor over epoll with a pool of threads" },
  "connections-workers": { ...epoll, what: "serve() over epoll with a pool of threads" },
  "proactor-epoll": { ...epoll, what: "the connection engine over epoll" },
  "connections-epoll": { ...epoll, what: "serve() over epoll" },
  prefork: { ...epoll, what: "several processes with a reactor over epoll each" },
  "prefork-reuseport": { ...epoll, what: "several processes with a listener and a reactor each" },
  "reactor-kqueue": { waiting: "told", call: "kevent", what: "a reactor over kqueue" },
  "reactor-io_uring": {
    ...{ waiting: "told", call: "io_uring_enter" },
    what: "a reactor over the poll operations of io_uring",
  },
  io_uring: { waiting: "completes", call: "io_uring_enter", what: "completions of io_uring" },
  "connections-io_uring": {
    ...{ waiting: "completes", call: "io_uring_enter" },
    what: "serve() over completions of io_uring",
  },
  net: { ...libuv, what: "Node's own net module over libuv" },
  "net-workers": { ...libuv, what: "Node's net module with a pool of threads" },
  cluster: { ...libuv, what: "several processes of Node's net module" },
  "python-selectors": { ...peer("Python's selectors module"), what: "one loop in Python" },
  asyncio: { ...peer("asyncio"), what: "a Protocol in Python" },
  uvloop: { ...peer("libuv"), what: "the Protocol of asyncio on uvloop" },
  twisted: { ...peer("Twisted's reactor"), what: "a Protocol in Python" },
  gevent: { ...peer("gevent's loop"), what: "one greenlet per connection" },
  "bare-epoll": { ...epoll, what: "one loop in C, without a library" },
  libuv: { ...peer("libuv"), what: "uv_tcp_t in C" },
  libevent: { ...peer("libevent"), what: "bufferevents in C" },
  asio: { ...peer("Asio"), what: "one thread in C++" },
  tokio: { ...peer("Tokio"), what: "one task per connection in Rust" },
  go: { ...peer("The Go runtime"), what: "one goroutine per connection" },
  "java-nio": { ...peer("Java's Selector"), what: "one thread in Java" },
  "java-virtual-threads": { ...peer("The JVM"), what: "one virtual thread per connection" },
  bun: { ...peer("Bun's loop"), what: "handlers in JavaScript" },
  deno: { ...peer("Deno's loop"), what: "one async function per connection" },
};

const unknown: StrategyRow = { waiting: "unknown", what: "a server outside the suite", call: "" };

/** What a cell tells about the work behind its cost; undefined if it was not measured. */
interface WorkFigures {
  /** In microseconds of server CPU. */
  readonly cpu: number | undefined;
  /** Of its CPU time, in percent. */
  readonly userShare: number | undefined;
  readonly calls: number | undefined;
  readonly eventsPerWait: number | undefined;
  readonly switches: number | undefined;
  /** Descriptors that the kernel looks at per message; or that a server checks without result. */
  readonly looks: number | undefined;
  readonly vainLooks: number | undefined;
  /** Per message, by name, as far as the server counts them apart. */
  readonly callsByName: readonly { readonly name: string; readonly calls: number | undefined }[];
  readonly voluntary: number | undefined;
  readonly involuntary: number | undefined;
}

export interface Why extends StrategyRow {
  readonly cell: Cell;
  readonly figures: WorkFigures;
  readonly saturated: boolean;
}

/** A row per contender of the group, in its order, the measured ones first. */
export function whyOf(group: Group | undefined): Why[] {
  if (group === undefined) return [];
  const all = [...group.measured, ...group.others].map((cell): Why => {
    const row = strategies[cell.strategy] ?? unknown;
    const figures = workOf(cell, row.waiting);
    return { ...row, cell, figures, saturated: isSaturated(cell) };
  });
  return all.some(({ figures }) => figures.cpu !== undefined) ? all : [];
}

function workOf(cell: Cell, waiting: Waiting): WorkFigures {
  const median = (name: string) => figure(cell, name)?.median;
  const eventsPerWait = median("eventsPerWait");
  const scanned = waiting === "scans" && eventsPerWait !== undefined && eventsPerWait > 0;
  return {
    cpu: median("serverCpuPerMessage"),
    userShare: userShareOf(cell),
    calls: median("systemCallsPerMessage"),
    eventsPerWait,
    switches: median("contextSwitchesPerMessage"),
    looks: scanned ? cell.connections / eventsPerWait : undefined,
    vainLooks: median("vainLooksPerMessage"),
    callsByName: callNames.map(([name, metric]) => ({ name, calls: median(metric) })),
    voluntary: median("voluntarySwitchesPerMessage"),
    involuntary: median("involuntarySwitchesPerMessage"),
  };
}

/** What a server may count apart, with the metric of each. */
export const callNames = [
  ["waits", "waitCallsPerMessage"],
  ["receives", "receiveCallsPerMessage"],
  ["sends", "sendCallsPerMessage"],
  ["changes of interest", "controlCallsPerMessage"],
] as const;

/** Percent of the CPU time in user mode, over all blocks: one alone holds too few ticks. */
export function userShareOf(cell: Cell): number | undefined {
  const { metrics } = cell;
  const pooled = ["serverUserCpuPerMessage", "serverSystemCpuPerMessage"] as const;
  const [own, kernel] = pooled.map((name) => figure(cell, name)?.median);
  if (own !== undefined && kernel !== undefined && own + kernel > 0) {
    return (100 * own) / (own + kernel);
  }
  const sum = (values: readonly number[] = []) => values.reduce((all, value) => all + value, 0);
  const user = metrics.serverUserCpuPercent;
  const both = sum(metrics.serverCpuPercent?.blocks);
  if (user === undefined || user.median === null || both <= 0) return undefined;
  return Math.min(100, (100 * sum(user.blocks)) / both);
}
