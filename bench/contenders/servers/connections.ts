// ts:connections-…: the library's serve(), as a program would use it. Back-pressure is the
// library's own.

import {
  type EngineCounters,
  type EngineName,
  type ServeOptions,
  serve,
} from "../../../src/index.ts";
import { BACKLOG } from "../settings.ts";
import type { CallCounters } from "./counters.ts";
import type { Server, ServerRequest } from "./server.ts";

export function startConnectionsServer(engine: EngineName, request: ServerRequest): Server {
  const { counters, port, reusePort } = request;
  const options: ServeOptions =
    engine === "io_uring" ? { engine } : { engine, backend: "epoll" as const };
  const server = serve(
    { ...options, port, reusePort, backlog: BACKLOG },
    {
      open() {
        counters.countAccepted();
      },
      data(connection, bytes) {
        connection.write(bytes);
      },
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

function countCalls(counters: CallCounters, calls: EngineCounters): void {
  counters.waitCalls = calls.waitCalls;
  counters.eventsReturned = calls.eventsReturned;
  counters.recvCalls = calls.receiveCalls;
  counters.sendCalls = calls.sendCalls;
  counters.acceptCalls = calls.acceptCalls;
  counters.bytesReceived = calls.bytesReceived;
  counters.bytesSent = calls.bytesSent;
}
