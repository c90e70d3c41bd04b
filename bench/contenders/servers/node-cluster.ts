// node:cluster: Node's own answer to several processes: the primary accepts and hands connections
// out in turn, the workers are node:net servers. https://nodejs.org/api/cluster.html
// Enters: how many. Leaves: the arbiter's face.

import cluster from "node:cluster";
import { startArbiter } from "./arbiter.ts";
import type { Server, ServerRequest } from "./server.ts";

export function startNodeCluster({ counters, workers }: ServerRequest): Promise<Server> {
  // Port 0 is the same for all workers of a cluster, so none has to be told.
  cluster.setupPrimary({ args: ["node:cluster", "--worker"] });
  return startArbiter(workers, () => cluster.fork().process, counters);
}
