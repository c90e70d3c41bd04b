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
    socket.allowHalfOpen = true; // a peer that ends meanwhile gets its answer, too
    pool.run(bytes, calls * (request.blocking?.ms ?? 0), (answer) => {
      if (socket.destroyed) return;
      const room = socket.write(answer);
      socket.allowHalfOpen = false;
      if (socket.readableEnded) socket.end();
      else if (room) socket.resume(); // else 'drain' does
    });
  });
  return { port, stop, done: done.then(() => pool.close()) };
}
