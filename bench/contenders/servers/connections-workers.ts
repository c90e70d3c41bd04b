// ts:connections-workers: serve() with a pool of workers. A message that blocks goes to a worker,
// and its connection pauses until the answer is back, so that the order of answers holds; all other
// connections are served meanwhile.

import { type Connection, serve } from "../../../src/index.ts";
import { BACKLOG } from "../settings.ts";
import { BlockingMessages } from "./blocking.ts";
import { countCalls } from "./connections.ts";
import type { Server, ServerRequest } from "./server.ts";
import { WorkerPool } from "./worker-pool.ts";

export async function startConnectionsWorkers(request: ServerRequest): Promise<Server> {
  const { counters, port, reusePort, blocking } = request;
  const pool = await WorkerPool.start();
  const offload = (
    connection: Connection<BlockingMessages | undefined>,
    bytes: Uint8Array,
    blockMs: number,
  ) => {
    connection.pause();
    pool.run(bytes, blockMs, (answer) => {
      if (connection.closed) return;
      connection.write(answer);
      connection.resume();
    });
  };
  const server = serve<BlockingMessages | undefined>(
    { engine: "readiness", backend: "epoll", port, reusePort, backlog: BACKLOG },
    {
      open(connection) {
        counters.countAccepted();
        if (blocking !== null) connection.data = new BlockingMessages(blocking);
      },
      data(connection, bytes) {
        const calls = connection.data?.countIn(bytes) ?? 0;
        if (calls === 0) connection.write(bytes);
        else offload(connection, bytes, calls * (blocking?.ms ?? 0));
      },
      close() {
        counters.connectionsClosed++;
      },
    },
  );
  const count = () => countCalls(counters, server.engineCounters());
  let ended: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const stop = async () => {
    await server.close({ connections: "destroy" });
    count();
    await pool.close();
    ended();
  };
  return { port: server.address?.port ?? 0, stop, count, done };
}
