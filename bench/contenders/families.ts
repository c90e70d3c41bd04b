// The contenders of workloads that have no echo servers, one row each, picked by workload. Pure
// data; a new contender is one file and one row.

import { join } from "node:path";
import {
  type Contender,
  contenders,
  type Exclusion,
  selectors,
  server,
  unix,
} from "./catalogue.ts";
import { missingStore, missingZeromq } from "./missing.ts";
import { nodeSettings } from "./settings.ts";

/** The most processes, or threads with a JavaScript engine each, that are started for a cell. */
const mostMembersWithThreads = 64;
const mostProcesses = 256;
const mostReaders = 64;

/** A contender whose program is bench/delivery/play.ts; by default one of the library. */
const delivery = (
  workload: string,
  row: Pick<Contender, "name" | "summary"> & Partial<Contender>,
): Contender => ({
  runtime: "ts",
  concurrency: "single",
  platforms: unix,
  strategy: row.name.slice(row.name.indexOf(":") + 1),
  command: ({ node, root }) => [
    node,
    join(root, "dist", "bench", "delivery", "play.js"),
    workload,
    row.name,
  ],
  ...row,
});

const beyond = (workload: string, most: number, what: string): readonly Exclusion[] => [
  { workloads: [workload], fromConnections: most + 1, reason: `${what}: ${most} at most` },
];

const everyMemberAThread = beyond(
  "broadcast",
  mostMembersWithThreads,
  "a thread with a JavaScript engine for each member",
);

/** The contenders of broadcast: servers that send what one member says to all of them. */
const rooms: readonly Contender[] = [
  delivery("broadcast", {
    name: "ts:thread-per-connection",
    concurrency: "thread",
    summary: "a thread for each member sends to all of them itself",
    unsupported: everyMemberAThread,
  }),
  delivery("broadcast", {
    name: "ts:reactor-epoll",
    platforms: ["linux"],
    summary: "one loop; a queue per member, watched for writing while it is not empty",
  }),
  delivery("broadcast", {
    name: "node:net",
    runtime: "node",
    summary: "Node's own net module, which queues",
  }),
];

const everyListenerAProcess = beyond(
  "event-delivery",
  mostProcesses,
  "a Node process for each listener",
);

const way = (name: string, summary: string): Contender =>
  delivery("event-delivery", { name, summary, unsupported: everyListenerAProcess });

/** The contenders of event-delivery: ways to reach the processes that wait for an event. */
const ways: readonly Contender[] = [
  way("signal:all", "a signal to every process, which reads the event from a file"),
  way("fifo:selector", "a named FIFO for each event; readers wait in the library's Selector"),
  way("fifo:open", "a named FIFO for each event; readers wait in open(2), a thread each"),
  way("udp:broadcast", "a UDP port for each event, a broadcast on loopback"),
  way("udp:multicast", "a UDP multicast group for each event, all on one port, on loopback"),
  way("unix:datagram", "a folder for each event, a Unix datagram socket of each listener in it"),
  {
    ...way("zeromq:pub-sub", "ZeroMQ publish and subscribe: the event is the topic"),
    missing: missingZeromq,
  },
];

const everyReaderAProcess = beyond("replicas", mostReaders, "a Node process for each reader");

const store = (name: string, summary: string): Contender =>
  delivery("replicas", {
    ...{ name, summary, unsupported: everyReaderAProcess, missing: missingStore },
  });

/** The contenders of replicas: the store of examples/replicated-store.ts. */
const stores: readonly Contender[] = [
  store("store:bounded", "readers load changes within 100 ms, even while requests wait"),
  store("store:unbounded", "readers load changes only when they are idle"),
  store("store:one-address", "as store:bounded; clients read and write at one address"),
];

/** What of the echo servers shows how a strategy bears a handler that blocks. */
const bearing = [
  "cpp:thread-per-connection",
  "cpp:reactor-epoll",
  "cpp:prefork",
  "ts:reactor-epoll",
  "ts:connections-epoll",
  "ts:prefork",
  "node:net",
];

/** The contenders of blocking-handler: copies, since the servers have other workloads, too. */
const blockers: readonly Contender[] = [
  ...contenders.filter(({ name }) => bearing.includes(name)).map((row) => ({ ...row })),
  server(
    "cpp",
    "reactor-workers",
    "a reactor over epoll_wait(2); what blocks goes to a pool of 4 threads",
  ),
  server(
    "ts",
    "connections-workers",
    "the library's serve(); blocking work runs in a pool of 4 worker threads",
  ),
  server(
    "node",
    "net-workers",
    "Node's own net module; blocking work runs in a pool of 4 worker threads",
    { platforms: unix, settings: nodeSettings },
  ),
];

/** The contenders of workloads that have no echo servers, by workload. */
export const families: Readonly<Record<string, readonly Contender[]>> = {
  "blocking-handler": blockers,
  broadcast: rooms,
  "event-delivery": ways,
  replicas: stores,
  readiness: selectors,
};
