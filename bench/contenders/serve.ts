// The TypeScript contenders' executable: node serve.js ts:reactor-epoll. As
// native/echo_server/main.cc it prints a ready line, serves until SIGTERM or SIGINT, then prints a
// line of counters; SIGUSR2 prints them while it serves. A strategy with several processes starts
// itself again with --worker: then its lines go to the arbiter, over IPC.

import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import {
  EpollSelector,
  IoUringSelector,
  type NativeSelector,
  PollSelector,
  SelectSelector,
} from "../../src/index.ts";
import { exitUnavailable } from "../model/events.ts";
import type { Blocking } from "./servers/blocking.ts";
import { startBusyPollServer } from "./servers/busy-poll.ts";
import { startConnectionsServer } from "./servers/connections.ts";
import { startConnectionsWorkers } from "./servers/connections-workers.ts";
import { CallCounters } from "./servers/counters.ts";
import { startNodeCluster } from "./servers/node-cluster.ts";
import { startNodeNetServer } from "./servers/node-net.ts";
import { startNodeNetWorkers } from "./servers/node-net-workers.ts";
import { startPrefork } from "./servers/prefork.ts";
import { startReactorServer } from "./servers/reactor.ts";
import type { Server, ServerRequest } from "./servers/server.ts";

/** Descriptors that the select server takes: past FD_SETSIZE, which Linux allows. */
const FD_SET_SIZE = 1 << 20;

type Start = (request: ServerRequest) => Server | Promise<Server>;

const reactorOver = (make: () => NativeSelector): Start => {
  return (request) => startReactorServer(make(), request);
};
const reactorOverEpoll = reactorOver(() => new EpollSelector());

/** A strategy is one file in servers/ and one row here. */
const strategies: Readonly<Record<string, Start>> = {
  "ts:busy-poll": startBusyPollServer,
  "ts:select": reactorOver(() => new SelectSelector({ fdSetSize: FD_SET_SIZE })),
  "ts:poll": reactorOver(() => new PollSelector()),
  "ts:reactor-epoll": reactorOverEpoll,
  "ts:reactor-io_uring": reactorOver(() => new IoUringSelector()),
  "ts:connections-epoll": (request) => startConnectionsServer("readiness", request),
  "ts:connections-io_uring": (request) => startConnectionsServer("io_uring", request),
  "ts:connections-workers": startConnectionsWorkers,
  "ts:prefork": startPrefork,
  "node:net": startNodeNetServer,
  "node:net-workers": startNodeNetWorkers,
  "node:cluster": startNodeCluster,
};

/** What one process of those with several does. */
const workers: Readonly<Record<string, Start>> = {
  "ts:prefork": reactorOverEpoll,
  "node:cluster": startNodeNetServer,
};

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      worker: { type: "boolean", default: false },
      port: { type: "string", default: "0" },
      workers: { type: "string", default: String(availableParallelism()) },
      "block-ms": { type: "string", default: "0" },
      "block-below": { type: "string", default: "1" },
      "message-bytes": { type: "string", default: "64" },
    },
  });
  const [name = ""] = positionals;
  const table = values.worker ? workers : strategies;
  const start = Object.hasOwn(table, name) ? table[name] : undefined;
  if (start === undefined) {
    console.error(`serve: unknown contender "${name}"; one of: ${Object.keys(table).join(" ")}`);
    return 2;
  }
  // An arbiter that was killed cannot say goodbye.
  if (values.worker) {
    process.once("disconnect", () => process.exit(1));
    if (!process.connected) return 1; // it was gone before we could listen
  }
  const counters = new CallCounters();
  const server = await start({
    counters,
    port: Number(values.port),
    reusePort: values.worker,
    workers: Math.max(1, Number(values.workers)),
    blocking: blockingOf({
      ms: Number(values["block-ms"]),
      below: Number(values["block-below"]),
      messageBytes: Number(values["message-bytes"]),
    }),
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => server.stop());
  const snapshots = server.countsAtEnd !== true && !values.worker;
  if (snapshots) {
    process.on("SIGUSR2", () => {
      server.count?.();
      tell({ event: "snapshot", ...counters }, false);
    });
  }
  tell({ event: "ready", port: server.port, pid: process.pid, snapshots }, values.worker);
  await server.done;
  tell({ event: "counters", ...counters }, values.worker);
  if (values.worker) {
    process.removeAllListeners("disconnect");
    process.disconnect();
  }
  return 0;
}

/** @returns null without --block-ms. @throws {RangeError} for what is no positive number */
function blockingOf(blocking: Blocking): Blocking | null {
  if (blocking.ms === 0) return null;
  for (const [name, value] of Object.entries(blocking)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`cannot block: ${name} is ${value}, but must be a positive integer`);
    }
  }
  return blocking;
}

function tell(message: object, toArbiter: boolean): void {
  // An arbiter that has gone is told nothing; "disconnect" ends us.
  if (toArbiter) process.send?.(message, undefined, undefined, () => {});
  else process.stdout.write(`${JSON.stringify(message)}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`serve: ${error instanceof Error ? error.message : error}`);
  const { syscall } = error as { readonly syscall?: unknown };
  process.exitCode = syscall === "io_uring_setup" ? exitUnavailable : 1;
}
