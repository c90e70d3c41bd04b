// node:cluster: Node's own answer to several processes: the primary accepts and hands connections
// out in turn, the workers are node:net servers. https://nodejs.org/api/cluster.html

import cluster from "node:cluster";
import { freePort } from "../free-port.ts";
import { startArbiter } from "./arbiter.ts";
import { blockingArguments } from "./blocking.ts";
import type { Server, ServerRequest } from "./server.ts";

export async function startNodeCluster(request: ServerRequest): Promise<Server> {
  const { counters, workers } = request;
  // The primary listens only while a worker does, and shares the socket among those that name the
  // same port. With port 0 it would pick another one after all workers have ended.
  const port = request.port === 0 ? await freePort() : request.port;
  const further = blockingArguments(request.blocking);
  cluster.setupPrimary({ args: ["node:cluster", "--worker", "--port", String(port), ...further] });
  const start = () => {
    const worker = cluster.fork();
    worker.on("error", () => {}); // a message to one that is ending; its process says the same
    return worker.process;
  };
  return startArbiter({ workers, start, counters, port });
}
