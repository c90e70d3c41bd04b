// ts:connections-…: the library's serve() with its own back-pressure.

import {
  type Connection,
  type EngineCounters,
  type EngineName,
  type ServeOptions,
  serve,
} from "../../../src/index.ts";
import { BACKLOG } from "../settings.ts";
import { BlockingMessages, block } from "./blocking.ts";
import type { CallCounters } from "./counters.ts";
import type { Server, ServerRequest } from "./server.ts";

export function startConnectionsServer(engine: EngineName, request: ServerRequest): Server {
  const { blocking } = request;
  const options: ServeOptions =
    engine === "io_uring" ? { engine } : { engine, backend: "epoll" as const };
  return serveCounted(request, options, (connection, bytes) => {
    if (blocking !== null) block(blocking.ms * (connection.data?.countIn(bytes) ?? 0));
    connection.write(bytes);
  });
}

type CountedConnection = Connection<BlockingMessages | undefined>;

/** A server that counts, and answers as told. */
export function serveCounted(
  { counters, port, reusePort, blocking }: ServerRequest,
  options: ServeOptions,
  data: (connection: CountedConnection, bytes: Uint8Array) => void,
): Server {
  const server = serve<BlockingMessages | undefined>(
    { ...options, port, reusePort, backlog: BACKLOG },
    {
      open(connection) {
        counters.countAccepted();
        if (blocking !== null) connection.data = new BlockingMessages(blocking);
      },
      data,
      close() {
        counters.connectionsClosed++;
      },
    },
  );
  let ended: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const count = () => countCalls(counters, server.engineCounters());
  const stop = () => {
    server.close({ connections: "destroy" }).then(() => {
      count();
      ended();
    });
  };
  return { port: server.address?.port ?? 0, stop, count, done };
}

/** Brings the counters up to date with the engine's. */
function countCalls(counters: CallCounters, calls: EngineCounters): void {
  counters.waitCalls = calls.waitCalls;
  counters.eventsReturned = calls.eventsReturned;
  counters.recvCalls = calls.receiveCalls;
  counters.sendCalls = calls.sendCalls;
  counters.acceptCalls = calls.acceptCalls;
  counters.controlCalls = calls.controlCalls;
  counters.bytesReceived = calls.bytesReceived;
  counters.bytesSent = calls.bytesSent;
}
