// node:net-workers: node:net with a pool of worker_threads. A message that blocks goes to a worker,
// and its socket pauses until the answer is back, so that the order of answers holds.

import { serveSockets } from "./node-net.ts";
import type { Server, ServerRequest } from "./server.ts";
import { WorkerPool } from "./worker-pool.ts";

export async function startNodeNetWorkers(request: ServerRequest): Promise<Server> {
  const pool = await WorkerPool.start();
  const { stop, done, port } = await serveSockets(request, (_, messages, { socket, bytes }) => {
    const calls = messages?.countIn(bytes) ?? 0;
    if (calls === 0) {
      if (!socket.write(bytes)) socket.pause();
      return;
    }
    socket.pause();
    pool.run(bytes, calls * (request.blocking?.ms ?? 0), (answer) => {
      // Else 'drain' resumes it. A destroyed socket takes nothing and stays silent.
      if (!socket.destroyed && socket.write(answer)) socket.resume();
    });
  });
  return { port, stop, done: done.then(() => pool.close()) };
}
