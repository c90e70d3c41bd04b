// ts:connections-workers: serve() with a pool of workers. A message that blocks goes to a worker,
// and its connection pauses until the answer is back, so that the order of answers holds; all other
// connections are served meanwhile.

import { serveCounted } from "./connections.ts";
import type { Server, ServerRequest } from "./server.ts";
import { WorkerPool } from "./worker-pool.ts";

export async function startConnectionsWorkers(request: ServerRequest): Promise<Server> {
  const pool = await WorkerPool.start();
  const blockMs = request.blocking?.ms ?? 0;
  const options = { engine: "readiness", backend: "epoll" } as const;
  const server = serveCounted(request, options, (connection, bytes) => {
    const calls = connection.data?.countIn(bytes) ?? 0;
    if (calls === 0) {
      connection.write(bytes);
      return;
    }
    connection.pause();
    pool.run(bytes, calls * blockMs, (answer) => {
      if (connection.closed) return;
      connection.write(answer);
      connection.resume();
    });
  });
  return { ...server, done: server.done.then(() => pool.close()) };
}
